//===- ApproximateMath.cpp - functions as polynomials ---------------------===//
//
// libm's functions take one element at a time and differ from one machine to
// the next in the last bit, which is enough for another quantized integer.
// Upstream's approximations are arithmetic that every target does alike; erf is
// our own.
//
//===----------------------------------------------------------------------===//

#include "ErfPolynomial.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "quant/Conversion/Passes.h"

namespace quantmlir {
#define GEN_PASS_DEF_QUANTAPPROXIMATEMATHPASS
#include "quant/Conversion/Passes.h.inc"
} // namespace quantmlir

using namespace mlir;
using namespace quantmlir;

static bool isApproximatedUpstream(StringRef name) {
  return name == math::ExpOp::getOperationName() ||
         name == math::LogOp::getOperationName() ||
         name == math::TanhOp::getOperationName();
}

static bool isApproximated(StringRef name) {
  return name == math::ErfOp::getOperationName() ||
         isApproximatedUpstream(name);
}

namespace {

struct QuantApproximateMathPass
    : quantmlir::impl::QuantApproximateMathPassBase<QuantApproximateMathPass> {
  using Base::Base;

  void runOnOperation() override {
    SmallVector<Operation *> functions;
    getOperation()->walk([&](Operation *op) {
      if (isApproximated(op->getName().getStringRef()) &&
          getElementTypeOrSelf(op->getResult(0).getType()).isF32())
        functions.push_back(op);
    });
    numApproximated += functions.size();
    RewritePatternSet patterns(&getContext());
    populateErfPolynomialPattern(patterns);
    populateMathPolynomialApproximationPatterns(patterns,
                                                isApproximatedUpstream);
    GreedyRewriteConfig config;
    config.setStrictness(GreedyRewriteStrictness::ExistingOps);
    config.enableFolding(false);
    (void)applyOpPatternsGreedily(functions, std::move(patterns), config);
  }
};

} // namespace
