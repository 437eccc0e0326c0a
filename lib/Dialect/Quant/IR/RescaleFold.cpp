//===- RescaleFold.cpp - rescale small constants at compile time ----------===//
//
// Constants are evaluated by the scalar oracle.
//
//===----------------------------------------------------------------------===//

#include "Canonicalize.h"
#include "ConstantRescale.h"

#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Dialect/Quant/Utils/Constants.h"
#include "quant/Reference/Reference.h"

#include <algorithm>
#include <cstring>

using namespace mlir;
using namespace quantmlir;

/// Whether a folded result of `type` is small enough to be stored.
static bool isSmall(RankedTensorType type) {
  // The number of elements comes first, so that the product cannot overflow.
  return type.hasStaticShape() &&
         type.getNumElements() <= kMaxInlineConstantBytes &&
         type.getNumElements() *
                 llvm::divideCeil(type.getElementTypeBitWidth(), 8) <=
             kMaxInlineConstantBytes;
}

namespace {
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
          operands.getElement(i / columns, i % columns, columns);
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

void quantmlir::populateFoldRescalePatterns(RewritePatternSet &patterns) {
  patterns.add<FoldConstantRescale>(patterns.getContext());
}

void RescaleFixedPointOp::getCanonicalizationPatterns(
    RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<FoldConstantFixedPoint>(context);
}
