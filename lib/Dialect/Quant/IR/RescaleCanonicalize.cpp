//===- RescaleCanonicalize.cpp - fold, simplify and fuse rescales ---------===//
//
// Simplifications keep every bit. Fusing a quantize is the one exception, and
// the one that the semantics ask for: between two quantized matmuls stands
// round(acc * M) with M = sX * sW / sY, nothing of float type.
//
//===----------------------------------------------------------------------===//

#include "Canonicalize.h"

#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Dialect/Quant/Utils/Constants.h"
#include "quant/Reference/Reference.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include <cmath>

using namespace mlir;
using namespace quantmlir;

static Value createConstant(PatternRewriter &rewriter, Location loc,
                            ElementsAttr attr) {
  return arith::ConstantOp::create(rewriter, loc, cast<TypedAttr>(attr));
}

static Value createF32Constant(PatternRewriter &rewriter, Location loc,
                               ArrayRef<int64_t> shape,
                               ArrayRef<float> values) {
  auto type = RankedTensorType::get(shape, rewriter.getF32Type());
  return createConstant(rewriter, loc, makeFloatTensorAttr(type, values));
}

static bool isUsableScale(float scale) {
  return std::isfinite(scale) && scale > 0.0f;
}

//===----------------------------------------------------------------------===//
// Constant accumulators
//===----------------------------------------------------------------------===//

namespace {
/// The operands of a rescale, all constant.
struct ConstantRescale {
  std::optional<FloatConstant> rowScale, channelScale, floatBias;
  std::optional<IntConstant> intBias;
  std::optional<float> clampMin, clampMax;

  /// False when an operand is not a constant.
  bool read(RescaleOp op) {
    if (op.getRowScale() && !(rowScale = FloatConstant::get(op.getRowScale())))
      return false;
    if (op.getChannelScale() &&
        !(channelScale = FloatConstant::get(op.getChannelScale())))
      return false;
    if (op.getBias() && !(floatBias = FloatConstant::get(op.getBias())) &&
        !(intBias = IntConstant::get(op.getBias())))
      return false;
    if (op.getClampMin())
      clampMin = op.getClampMin()->convertToFloat();
    if (op.getClampMax())
      clampMax = op.getClampMax()->convertToFloat();
    return true;
  }

  /// A scale of rank 0 is read at 0, for every element.
  reference::RescaleParams getElement(int64_t row, int64_t column) const {
    reference::RescaleParams params;
    if (rowScale)
      params.rowScale = (*rowScale)[rowScale->size() == 1 ? 0 : row];
    if (channelScale)
      params.channelScale =
          (*channelScale)[channelScale->size() == 1 ? 0 : column];
    if (floatBias)
      params.floatBias = (*floatBias)[column];
    if (intBias)
      params.intBias = (*intBias)[column];
    params.clampMin = clampMin;
    params.clampMax = clampMax;
    return params;
  }
};

/// Whether a folded result of `type` is small enough to be stored.
static bool isSmall(RankedTensorType type) {
  return type.hasStaticShape() &&
         type.getNumElements() *
                 llvm::divideCeil(type.getElementTypeBitWidth(), 8) <=
             kMaxInlineConstantBytes;
}

struct FoldConstantRescale final : OpRewritePattern<RescaleOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(RescaleOp op,
                                PatternRewriter &rewriter) const override {
    RankedTensorType type = op.getResult().getType();
    if (!isSmall(type))
      return rewriter.notifyMatchFailure(
          op, "the constant would be large or of unknown size");
    std::optional<IntConstant> acc = IntConstant::get(op.getAcc());
    ConstantRescale operands;
    if (!acc || !operands.read(op))
      return rewriter.notifyMatchFailure(op, "an operand is not a constant");

    int64_t columns = type.getShape().back();
    SmallVector<float> floats;
    SmallVector<int8_t> ints;
    for (int64_t i = 0, e = type.getNumElements(); i < e; ++i) {
      reference::RescaleParams params =
          operands.getElement(i / columns, i % columns);
      if (isa<FloatType>(type.getElementType()))
        floats.push_back(reference::rescaleToFloat((*acc)[i], params));
      else
        ints.push_back(reference::rescaleToInteger(
            (*acc)[i], params, op.getSignedZeroPoint(), (*op.getRange())[0],
            (*op.getRange())[1]));
    }
    ElementsAttr attr = isa<FloatType>(type.getElementType())
                            ? makeFloatTensorAttr(type, floats)
                            : makeIntTensorAttr(type, ints);
    rewriter.replaceOp(op, createConstant(rewriter, op.getLoc(), attr));
    return success();
  }
};

struct FoldConstantFixedPoint final : OpRewritePattern<RescaleFixedPointOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(RescaleFixedPointOp op,
                                PatternRewriter &rewriter) const override {
    RankedTensorType type = op.getResult().getType();
    if (!isSmall(type))
      return rewriter.notifyMatchFailure(
          op, "the constant would be large or of unknown size");
    std::optional<IntConstant> acc = IntConstant::get(op.getAcc());
    std::optional<IntConstant> multiplier =
        IntConstant::get(op.getMultiplier());
    std::optional<IntConstant> shift = IntConstant::get(op.getShift());
    std::optional<IntConstant> bias = IntConstant::get(op.getBias());
    if (!acc || !multiplier || !shift || (op.getBias() && !bias))
      return rewriter.notifyMatchFailure(op, "an operand is not a constant");

    int64_t columns = type.getShape().back();
    bool perTensor = op.getMultiplier().getType().getRank() == 0;
    int64_t width = type.getElementTypeBitWidth() / 8;
    auto fill = [&](MutableArrayRef<char> out) {
      for (int64_t i = 0, e = type.getNumElements(); i < e; ++i) {
        int64_t column = i % columns, param = perTensor ? 0 : column;
        int64_t value = (*acc)[i] + (bias ? (*bias)[column] : 0) -
                        static_cast<int32_t>(op.getInputZeroPoint());
        int64_t result = reference::applyScale32(
                             static_cast<int32_t>(value), (*multiplier)[param],
                             (*shift)[param],
                             op.getRounding() == RoundingMode::DOUBLE_ROUND) +
                         static_cast<int32_t>(op.getOutputZeroPoint());
        result = std::clamp(result, op.getRange()[0], op.getRange()[1]);
        if (width == 0)
          out[i] = static_cast<char>(result & 0xF);
        else
          std::memcpy(out.data() + i * width, &result, width);
      }
    };
    rewriter.replaceOp(
        op, createConstant(rewriter, op.getLoc(),
                           makeTensorAttr(type, "quant_const", fill)));
    return success();
  }
};
} // namespace

//===----------------------------------------------------------------------===//
// Simplifications
//===----------------------------------------------------------------------===//

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
  patterns.add<FoldConstantRescale, DropZeroBias, DropIdentityClamp,
               MergeConstantScales>(context);
}

void RescaleFixedPointOp::getCanonicalizationPatterns(
    RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<FoldConstantFixedPoint>(context);
}

//===----------------------------------------------------------------------===//
// quantize(rescale(acc))
//===----------------------------------------------------------------------===//

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
        channelScale, bias,
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
