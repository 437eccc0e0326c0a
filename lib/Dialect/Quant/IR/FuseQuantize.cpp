//===- FuseQuantize.cpp - quantize(rescale(acc)) --------------------------===//
//
// The one canonicalization that rounds differently, and the one that the
// semantics ask for: between two quantized matmuls stands round(acc * M) with
// M = sX * sW / sY, nothing of float type.
//
//===----------------------------------------------------------------------===//

#include "Canonicalize.h"
#include "ConstantRescale.h"

#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Dialect/Quant/Utils/Constants.h"

#include <cmath>

using namespace mlir;
using namespace quantmlir;

namespace {
/// quantize(rescale(acc, s, bias), sY) -> rescale(acc, s / sY, bias / sY) to
/// integers. All in f32, each with one rounding: M = (row * channel) / sY.
struct FuseQuantizeIntoRescale final : OpRewritePattern<QuantizeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(QuantizeOp op,
                                PatternRewriter &rewriter) const override {
    auto rescale = op.getInput().getDefiningOp<RescaleOp>();
    if (!rescale || !rescale->hasOneUse() ||
        !rescale.getResult().getType().getElementType().isF32())
      return rewriter.notifyMatchFailure(
          op, "the input is not an f32 rescale of this op alone");
    std::optional<FloatConstant> scale = FloatConstant::get(op.getScale());
    std::optional<IntConstant> zeroPoint = IntConstant::get(op.getZeroPoint());
    if (!op.getAxes().empty() || !scale || (op.getZeroPoint() && !zeroPoint))
      return rewriter.notifyMatchFailure(
          op, "parameters are not constant, or not per tensor");
    if (rescale.getRowScale() && rescale.getRowScale().getType().getRank() != 0)
      return rewriter.notifyMatchFailure(op, "rows have scales of their own");
    if (rescale.getResidual())
      return rewriter.notifyMatchFailure(op, "a residual has another scale");
    ConstantRescale operands;
    if (!operands.read(rescale))
      return rewriter.notifyMatchFailure(op,
                                         "the rescale has dynamic operands");

    SmallVector<float> multipliers, biases;
    if (!divide(rescale, operands, (*scale)[0], multipliers, biases))
      return rewriter.notifyMatchFailure(
          op, "a quotient by the scale is 0 or infinite");
    Value channelScale = createF32Constant(
        rewriter, op.getLoc(), getChannelShape(rescale), multipliers);
    Value bias = rescale.getBias();
    if (operands.floatBias)
      bias = createF32Constant(rewriter, op.getLoc(),
                               cast<ShapedType>(bias.getType()).getShape(),
                               biases);
    auto divideClamp = [&](std::optional<float> clamp) {
      return clamp ? rewriter.getF32FloatAttr(*clamp / (*scale)[0])
                   : FloatAttr();
    };
    rewriter.replaceOpWithNewOp<RescaleOp>(
        op, op.getResult().getType(), rescale.getAcc(), /*row_scale=*/Value(),
        channelScale, bias, /*residual=*/Value(),
        zeroPoint ? rewriter.getI32IntegerAttr((*zeroPoint)[0]) : IntegerAttr(),
        op.getRangeAttr(), divideClamp(operands.clampMin),
        divideClamp(operands.clampMax), op.getIsUnsignedAttr());
    return success();
  }

private:
  static SmallVector<int64_t> getChannelShape(RescaleOp rescale) {
    if (!rescale.getChannelScale())
      return {};
    return SmallVector<int64_t>(rescale.getChannelScale().getType().getShape());
  }

  /// Divides scales and bias by `scale`; false if that leaves f32's range.
  static bool divide(RescaleOp rescale, const ConstantRescale &operands,
                     float scale, SmallVectorImpl<float> &multipliers,
                     SmallVectorImpl<float> &biases) {
    int64_t channels =
        operands.channelScale ? operands.channelScale->size() : 1;
    for (int64_t n = 0; n < channels; ++n) {
      float product = operands.rowScale ? (*operands.rowScale)[0] : 1.0f;
      if (operands.channelScale)
        product = product * (*operands.channelScale)[n];
      multipliers.push_back(product / scale);
      if (!isUsableScale(multipliers.back()))
        return false;
    }
    if (operands.floatBias)
      for (int64_t n = 0, e = operands.floatBias->size(); n < e; ++n) {
        biases.push_back((*operands.floatBias)[n] / scale);
        if (!std::isfinite(biases.back()))
          return false;
      }
    return true;
  }
};
} // namespace

void quantmlir::populateFuseQuantizeIntoRescalePatterns(
    RewritePatternSet &patterns) {
  patterns.add<FuseQuantizeIntoRescale>(patterns.getContext());
}
