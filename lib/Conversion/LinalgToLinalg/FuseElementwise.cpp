//===- FuseElementwise.cpp - elementwise ops into their one user ----------===//
//
// Upstream's `linalg-fuse-elementwise-ops` fuses a producer into any user,
// also into a product of matrices, where it is then computed once for every
// column: a GELU before a 1536 x 384 layer becomes 384 times the calls of
// `erf`. Here an element is computed as often as before, or not fused, but for
// a mere conversion to a wider type: several users that read what it reads move
// fewer bytes than one wide tensor.
//
//===----------------------------------------------------------------------===//

#include "quant/Conversion/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace quantmlir {
#define GEN_PASS_DEF_QUANTFUSEELEMENTWISEPASS
#include "quant/Conversion/Passes.h.inc"
} // namespace quantmlir

using namespace mlir;
using namespace quantmlir;

/// Whether `value` is another tensor in a wider type of floats.
static bool isWidened(Value value) {
  auto generic = value.getDefiningOp<linalg::GenericOp>();
  return generic && generic->getNumResults() == 1 &&
         llvm::hasSingleElement(generic.getBlock()->without_terminator()) &&
         isa<arith::ExtFOp>(generic.getBlock()->front());
}

/// Whether the user reads each element of `operand` in one iteration only, and
/// nobody else reads it; or it costs nothing. (Sums along rows read it so,
/// too.)
static bool isReadOnce(OpOperand *operand) {
  auto consumer = dyn_cast<linalg::LinalgOp>(operand->getOwner());
  return consumer &&
         (operand->get().hasOneUse() || isWidened(operand->get())) &&
         consumer.getMatchingIndexingMap(operand).isPermutation();
}

namespace {
struct QuantFuseElementwisePass
    : quantmlir::impl::QuantFuseElementwisePassBase<QuantFuseElementwisePass> {
  using Base::Base;

  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    linalg::populateElementwiseOpsFusionPatterns(patterns, isReadOnce);
    linalg::GenericOp::getCanonicalizationPatterns(patterns, &getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
