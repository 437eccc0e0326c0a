//===- QuantizeCanonicalize.cpp - quantize constants at compile time ------===//
//
// Constants are evaluated by the scalar oracle: small ones where they are met,
// weights by a pass, once, since canonicalizing happens again and again.
// Weights stay in resource blobs; a 4-bit weight is stored two in a byte; a
// dequantized weight is never stored.
//
//===----------------------------------------------------------------------===//

#include "Canonicalize.h"

#include "quant/Dialect/Quant/IR/NarrowConstant.h"
#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Dialect/Quant/IR/QuantizeConstants.h"
#include "quant/Dialect/Quant/Utils/Constants.h"
#include "quant/Reference/Reference.h"

#include "mlir/IR/Matchers.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace quantmlir;

namespace {
/// Scale and zero point of an op, both constant.
struct ConstantParams {
  FloatConstant scale;
  std::optional<IntConstant> zeroPoint;

  static std::optional<ConstantParams> get(Value scale, Value zeroPoint) {
    std::optional<FloatConstant> scales = FloatConstant::get(scale);
    if (!scales)
      return std::nullopt;
    ConstantParams params{std::move(*scales), std::nullopt};
    if (zeroPoint && !(params.zeroPoint = IntConstant::get(zeroPoint)))
      return std::nullopt;
    return params;
  }
  int64_t getZeroPoint(int64_t i) const {
    return zeroPoint ? (*zeroPoint)[i] : 0;
  }
};
} // namespace

/// Whether a constant of `type` may be evaluated whenever it is met.
static bool isCheap(RankedTensorType type) {
  return type.hasStaticShape() &&
         type.getNumElements() <= kMaxInlineConstantBytes;
}

//===----------------------------------------------------------------------===//
// choose_qparams
//===----------------------------------------------------------------------===//

namespace {
struct FoldConstantChooseQParams final : OpRewritePattern<ChooseQParamsOp> {
  FoldConstantChooseQParams(MLIRContext *context, bool evenLarge)
      : OpRewritePattern(context), evenLarge(evenLarge) {}

  LogicalResult matchAndRewrite(ChooseQParamsOp op,
                                PatternRewriter &rewriter) const override {
    RankedTensorType type = op.getScale().getType();
    if (!type.hasStaticShape())
      return rewriter.notifyMatchFailure(op, "the scale has a dynamic shape");
    if (!evenLarge && !isCheap(op.getInput().getType()))
      return rewriter.notifyMatchFailure(op, "the input is large");
    std::optional<FloatConstant> input = FloatConstant::get(op.getInput());
    if (!input)
      return rewriter.notifyMatchFailure(op, "the input is not a constant");

    SmallVector<reference::Observer> ranges(type.getNumElements());
    reference::forEachRun(op.getInput().getType().getShape(), op.getAxes(),
                          [&](int64_t begin, int64_t end, int64_t index) {
                            for (int64_t i = begin; i < end; ++i)
                              ranges[index].observe((*input)[i]);
                          });
    int64_t qmin = op.getRange()[0], qmax = op.getRange()[1];
    SmallVector<float> scales;
    SmallVector<int32_t> zeroPoints;
    for (const reference::Observer &range : ranges) {
      reference::QParams params =
          op.getZeroPoint() ? reference::chooseAsymmetric(range, qmin, qmax)
                            : reference::chooseSymmetric(range, qmax);
      scales.push_back(params.scale);
      zeroPoints.push_back(params.zeroPoint);
    }
    SmallVector<Value> results = {createConstant(
        rewriter, op.getLoc(), makeFloatTensorAttr(type, scales))};
    if (op.getZeroPoint())
      results.push_back(createConstant(
          rewriter, op.getLoc(),
          makeI32TensorAttr(cast<RankedTensorType>(op.getZeroPoint().getType()),
                            zeroPoints)));
    rewriter.replaceOp(op, results);
    return success();
  }

  bool evenLarge;
};
} // namespace

void ChooseQParamsOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                                  MLIRContext *context) {
  patterns.add<FoldConstantChooseQParams>(context, /*evenLarge=*/false);
}

//===----------------------------------------------------------------------===//
// quantize
//===----------------------------------------------------------------------===//

/// Writes the stored integers of a constant quantize, a byte each.
static void quantizeConstant(QuantizeOp op, const FloatConstant &input,
                             const ConstantParams &params,
                             MutableArrayRef<char> out) {
  int64_t qmin = op.getRange()[0], qmax = op.getRange()[1];
  reference::forEachRun(op.getInput().getType().getShape(), op.getAxes(),
                        [&](int64_t begin, int64_t end, int64_t index) {
                          float scale = params.scale[index];
                          int64_t zeroPoint = params.getZeroPoint(index);
                          for (int64_t i = begin; i < end; ++i)
                            out[i] = static_cast<char>(reference::quantizeValue(
                                input[i], scale, zeroPoint, qmin, qmax));
                        });
}

namespace {
struct FoldConstantQuantize final : OpRewritePattern<QuantizeOp> {
  FoldConstantQuantize(MLIRContext *context, bool evenLarge)
      : OpRewritePattern(context), evenLarge(evenLarge) {}

  LogicalResult matchAndRewrite(QuantizeOp op,
                                PatternRewriter &rewriter) const override {
    RankedTensorType type = op.getResult().getType();
    if (!type.hasStaticShape())
      return rewriter.notifyMatchFailure(op, "the result has a dynamic shape");
    if (!evenLarge && !isCheap(type))
      return rewriter.notifyMatchFailure(op, "the constant would be large");
    std::optional<ConstantParams> params =
        ConstantParams::get(op.getScale(), op.getZeroPoint());
    if (!params)
      return rewriter.notifyMatchFailure(op, "parameters are not constant");
    std::optional<FloatConstant> input = FloatConstant::get(op.getInput());
    if (!input)
      return rewriter.notifyMatchFailure(op, "the input is not a constant");

    if (type.getElementType().isInteger(8)) {
      auto fill = [&](MutableArrayRef<char> out) {
        quantizeConstant(op, *input, *params, out);
      };
      rewriter.replaceOp(
          op, createConstant(rewriter, op.getLoc(),
                             makeTensorAttr(type, "quant_weight", fill)));
      return success();
    }
    std::vector<int8_t> values(type.getNumElements());
    quantizeConstant(op, *input, *params,
                     {reinterpret_cast<char *>(values.data()), values.size()});
    rewriter.replaceOp(
        op, createNarrowConstant(rewriter, op.getLoc(), type, values));
    return success();
  }

  bool evenLarge;
};
} // namespace

void quantmlir::populateQuantizeConstantsPatterns(RewritePatternSet &patterns) {
  patterns.add<FoldConstantChooseQParams, FoldConstantQuantize>(
      patterns.getContext(), /*evenLarge=*/true);
}

void QuantizeOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                             MLIRContext *context) {
  patterns.add<FoldConstantQuantize>(context, /*evenLarge=*/false);
  populateFuseQuantizeIntoRescalePatterns(patterns);
}

/// Whether two scales or zero points are one value or equal constants.
static bool areEqualParameters(Value a, Value b) {
  if (a == b)
    return true;
  // An absent zero point is 0.
  if (!a || !b)
    return isZeroConstant(a ? a : b);
  Attribute lhs, rhs;
  return matchPattern(a, m_Constant(&lhs)) &&
         matchPattern(b, m_Constant(&rhs)) && lhs == rhs;
}

StorageRange quantmlir::getKnownRange(Value stored, bool isUnsigned) {
  StorageRange range =
      getStorageRange(getElementTypeOrSelf(stored), isUnsigned);
  std::optional<ArrayRef<int64_t>> known;
  if (auto quantize = stored.getDefiningOp<QuantizeOp>()) {
    if (quantize.getIsUnsigned() == isUnsigned)
      known = quantize.getRange();
  } else if (auto rescale = stored.getDefiningOp<RescaleOp>()) {
    if (rescale.getIsUnsigned() == isUnsigned)
      known = rescale.getRange();
  } else if (auto rescale = stored.getDefiningOp<RescaleFixedPointOp>()) {
    if (rescale.getIsUnsigned() == isUnsigned)
      known = rescale.getRange();
  }
  return known ? StorageRange{(*known)[0], (*known)[1]} : range;
}

/// quantize(dequantize(q)) with the same parameters is q: the product and the
/// quotient are each off by at most 2^-24 of it, which for |q - z| <= 255 is
/// far from the half that would round elsewhere. With f16 or bf16 in between
/// that does not hold.
OpFoldResult QuantizeOp::fold(FoldAdaptor) {
  auto producer = getInput().getDefiningOp<DequantizeOp>();
  if (!producer || !getInput().getType().getElementType().isF32() ||
      producer.getInput().getType() != getResult().getType() ||
      producer.getIsUnsigned() != getIsUnsigned() ||
      producer.getAxes() != getAxes() ||
      !areEqualParameters(producer.getScale(), getScale()) ||
      !areEqualParameters(producer.getZeroPoint(), getZeroPoint()))
    return {};
  StorageRange range{getRange()[0], getRange()[1]};
  if (!range.contains(getKnownRange(producer.getInput(), getIsUnsigned())))
    return {};
  return producer.getInput();
}

//===----------------------------------------------------------------------===//
// dequantize
//===----------------------------------------------------------------------===//

namespace {
struct FoldConstantDequantize final : OpRewritePattern<DequantizeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(DequantizeOp op,
                                PatternRewriter &rewriter) const override {
    RankedTensorType type = op.getResult().getType();
    if (!type.hasStaticShape() ||
        type.getNumElements() >
            kMaxInlineConstantBytes * 8 / type.getElementTypeBitWidth())
      return rewriter.notifyMatchFailure(
          op, "the float constant would be large or of unknown size");
    std::optional<ConstantParams> params =
        ConstantParams::get(op.getScale(), op.getZeroPoint());
    if (!params)
      return rewriter.notifyMatchFailure(op, "parameters are not constant");
    std::optional<IntConstant> input = IntConstant::get(op.getInput());
    if (!input)
      return rewriter.notifyMatchFailure(op, "the input is not a constant");

    unsigned bits = op.getInput().getType().getElementTypeBitWidth();
    SmallVector<float> values(type.getNumElements());
    reference::forEachRun(type.getShape(), op.getAxes(),
                          [&](int64_t begin, int64_t end, int64_t index) {
                            for (int64_t i = begin; i < end; ++i) {
                              int64_t q = (*input)[i];
                              if (op.getIsUnsigned())
                                q &= llvm::maskTrailingOnes<uint64_t>(bits);
                              values[i] = reference::dequantizeValue(
                                  q, params->scale[index],
                                  params->getZeroPoint(index));
                            }
                          });
    rewriter.replaceOp(op, createConstant(rewriter, op.getLoc(),
                                          makeFloatTensorAttr(type, values)));
    return success();
  }
};
} // namespace

void DequantizeOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                               MLIRContext *context) {
  patterns.add<FoldConstantDequantize>(context);
}
