//===- RescaleCanonicalize.cpp - simplify rescales ------------------------===//
//
// Every bit of the result stays. (FuseQuantize.cpp has the pattern of which
// that cannot be said.)
//
//===----------------------------------------------------------------------===//

#include "Canonicalize.h"

#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Dialect/Quant/Utils/Constants.h"

#include <cmath>

using namespace mlir;
using namespace quantmlir;

namespace {
/// An i32 bias of zeros adds nothing; nor does a float one where the result is
/// an integer (elsewhere it turns -0 into +0).
struct DropZeroBias final : OpRewritePattern<RescaleOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(RescaleOp op,
                                PatternRewriter &rewriter) const override {
    if (!op.getBias())
      return rewriter.notifyMatchFailure(op, "there is no bias");
    bool isZero = isZeroConstant(op.getBias());
    if (isa<IntegerType>(op.getResult().getType().getElementType()))
      if (std::optional<FloatConstant> bias = FloatConstant::get(op.getBias()))
        isZero = llvm::all_of(bias->getStored(),
                              [](float value) { return value == 0.0f; });
    if (!isZero)
      return rewriter.notifyMatchFailure(op, "the bias is not constant zero");
    rewriter.modifyOpInPlace(op, [&] { op.getBiasMutable().clear(); });
    return success();
  }
};

/// Drops clamps that change nothing: infinite ones, and with an integer result
/// those that the range implies.
struct DropIdentityClamp final : OpRewritePattern<RescaleOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(RescaleOp op,
                                PatternRewriter &rewriter) const override {
    bool dropMin = isImplied(op, op.getClampMin(), /*isMin=*/true);
    bool dropMax = isImplied(op, op.getClampMax(), /*isMin=*/false);
    if (!dropMin && !dropMax)
      return rewriter.notifyMatchFailure(op, "no clamp is an identity");
    rewriter.modifyOpInPlace(op, [&] {
      if (dropMin)
        op.removeClampMinAttr();
      if (dropMax)
        op.removeClampMaxAttr();
    });
    return success();
  }

private:
  static bool isImplied(RescaleOp op, std::optional<APFloat> clamp,
                        bool isMin) {
    if (!clamp)
      return false;
    float value = clamp->convertToFloat();
    if (std::isinf(value) && std::signbit(value) == isMin)
      return true;
    if (!op.getRange() || std::isinf(value))
      return false;
    // Rounding is monotonic, so that what is cut off ends at the same bound.
    double bound = std::nearbyint(value) + op.getSignedZeroPoint();
    return isMin ? bound <= (*op.getRange())[0] : bound >= (*op.getRange())[1];
  }
};

/// A constant row scale of rank 0 and a constant channel scale are one channel
/// scale: their product is rounded to f32 either way.
struct MergeConstantScales final : OpRewritePattern<RescaleOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(RescaleOp op,
                                PatternRewriter &rewriter) const override {
    if (!op.getRowScale() || op.getRowScale().getType().getRank() != 0 ||
        !op.getChannelScale())
      return rewriter.notifyMatchFailure(op, "there are no two such scales");
    std::optional<FloatConstant> row = FloatConstant::get(op.getRowScale());
    std::optional<SmallVector<float>> channel =
        getConstantFloats(op.getChannelScale());
    if (!row || !channel)
      return rewriter.notifyMatchFailure(op, "a scale is not a constant");
    for (float &scale : *channel) {
      scale = (*row)[0] * scale;
      if (!isUsableScale(scale))
        return rewriter.notifyMatchFailure(op, "the product is 0 or infinite");
    }
    Value merged =
        createF32Constant(rewriter, op.getLoc(),
                          op.getChannelScale().getType().getShape(), *channel);
    rewriter.modifyOpInPlace(op, [&] {
      op.getRowScaleMutable().clear();
      op.getChannelScaleMutable().assign(merged);
    });
    return success();
  }
};
} // namespace

void RescaleOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                            MLIRContext *context) {
  patterns.add<DropZeroBias, DropIdentityClamp, MergeConstantScales>(context);
  populateFoldRescalePatterns(patterns);
}
