//===- QuantizeConstants.cpp - large constants, once ----------------------===//

#include "quant/Dialect/Quant/IR/QuantizeConstants.h"
#include "quant/Dialect/Quant/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

namespace quantmlir {
#define GEN_PASS_DEF_QUANTQUANTIZECONSTANTSPASS
#include "quant/Dialect/Quant/Transforms/Passes.h.inc"
} // namespace quantmlir

using namespace mlir;
using namespace quantmlir;

namespace {
struct QuantQuantizeConstantsPass
    : quantmlir::impl::QuantQuantizeConstantsPassBase<
          QuantQuantizeConstantsPass> {
  using Base::Base;

  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateQuantizeConstantsPatterns(patterns);
    // In the order of the program: parameters come before what they quantize.
    walkAndApplyPatterns(getOperation(), std::move(patterns));
  }
};
} // namespace
