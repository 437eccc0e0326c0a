//===- ExpandBF16.cpp - bf16 by integer arithmetic ------------------------===//
//
// For a processor that has VCVTNEPS2BF16, LLVM rounds f32 to bf16 with it, and
// it takes denormals for zero (Intel SDM, "VCVTNEPS2BF16": DAZ and FTZ are
// implied, MXCSR is not consulted): another number than on a processor without
// it. Upstream's integer form is the same everywhere. LLVM 22 also stops at the
// extension of some vectors of bf16, which the integer form has no trouble
// with.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "quant/Conversion/Passes.h"

namespace quantmlir {
#define GEN_PASS_DEF_QUANTEXPANDBF16PASS
#include "quant/Conversion/Passes.h.inc"
} // namespace quantmlir

using namespace mlir;

namespace {

struct QuantExpandBF16Pass
    : quantmlir::impl::QuantExpandBF16PassBase<QuantExpandBF16Pass> {
  using Base::Base;

  void runOnOperation() override {
    SmallVector<Operation *> casts;
    getOperation()->walk([&](Operation *op) {
      if (isa<arith::ExtFOp, arith::TruncFOp>(op))
        casts.push_back(op);
    });
    RewritePatternSet patterns(&getContext());
    arith::populateExpandBFloat16Patterns(patterns);
    GreedyRewriteConfig config;
    config.setStrictness(GreedyRewriteStrictness::ExistingOps);
    config.enableFolding(false);
    (void)applyOpPatternsGreedily(casts, std::move(patterns), config);
  }
};

} // namespace
