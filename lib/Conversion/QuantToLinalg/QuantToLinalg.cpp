//===- QuantToLinalg.cpp - the reference lowering -------------------------===//

#include "Patterns.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

#include "quant/Conversion/Passes.h"
#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Target/IR/QTarget.h"

namespace quantmlir {
#define GEN_PASS_DEF_CONVERTQUANTTOLINALGPASS
#include "quant/Conversion/Passes.h.inc"
} // namespace quantmlir

using namespace mlir;
using namespace quantmlir;

namespace {

struct ConvertQuantToLinalgPass
    : quantmlir::impl::ConvertQuantToLinalgPassBase<ConvertQuantToLinalgPass> {
  using Base::Base;

  void runOnOperation() override {
    if (qdq)
      convertMatmulsToQDQ(getOperation());
    // The packed form lowers to quant.rescale, and a grouped matmul reads
    // what quant.unpack_int4 reads, so they go first.
    RewritePatternSet first(&getContext());
    populateScaledMatmulToLinalgPatterns(first);
    if (reciprocal && hasFusedMultiplyAdd())
      populateQuantizeByReciprocalPatterns(first);
    if (quantizeBlocks)
      populateQuantizeBlocksToLinalgPatterns(first);
    if (attention) {
      populateCachedAttentionToLinalgPatterns(first);
      populateFloatAttentionToLinalgPatterns(first);
    }
    if (packedMatmul) {
      populateQuantizeRowsToLinalgPatterns(first);
      populateRotateRowsPatterns(first);
      populatePackedMatmulToLinalgPatterns(first);
    }
    walkAndApplyPatterns(getOperation(), std::move(first));
    RewritePatternSet patterns(&getContext());
    populateQuantizeToLinalgPatterns(patterns);
    if (namedMatmul || qdq)
      populateNamedMatmulToLinalgPatterns(patterns);
    else
      populateMatmulToLinalgPatterns(patterns);
    populateRescaleToLinalgPatterns(patterns);
    populateInt4ToLinalgPatterns(patterns);
    populateRotateToLinalgPatterns(patterns);
    walkAndApplyPatterns(getOperation(), std::move(patterns));
  }

private:
  /// Else `math.fma` is a call for each element.
  bool hasFusedMultiplyAdd() {
    auto target = qtarget::TargetAttr::lookup(getOperation());
    return target && target.hasFeature("fma");
  }
};

} // namespace
