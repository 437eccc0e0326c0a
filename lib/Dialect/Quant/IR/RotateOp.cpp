//===- RotateOp.cpp - rotations of activations ----------------------------===//
//
// Verifier, folder and canonicalizer. The labels c1, c2, ... are the
// constraints of the op's docs.
//
//===----------------------------------------------------------------------===//

#include "Canonicalize.h"

#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Dialect/Quant/Utils/VerifyUtils.h"
#include "quant/Reference/Rotation.h"

#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace quantmlir;

LogicalResult RotateOp::verify() {
  // rotate_c1
  if (failed(verifyRotation(*this, getSize(), getSeed())))
    return failure();
  RankedTensorType input = getInput().getType();
  // rotate_c2
  if (input.getRank() == 0 || input.isDynamicDim(input.getRank() - 1))
    return emitOpError("expected an input whose last dimension is static, but "
                       "got ")
           << input;
  // rotate_c3
  return verifyShape(*this, "result", getResult().getType(), input.getShape(),
                     "the input's shape");
}

OpFoldResult RotateOp::fold(FoldAdaptor) {
  if (getInput().getType() == getResult().getType() &&
      getInput().getType().getShape().back() < static_cast<int64_t>(getSize()))
    return getInput();
  auto before = getInput().getDefiningOp<RotateOp>();
  if (before && getSeed() == 0 && before.getSeed() == 0 &&
      before.getSize() == getSize() &&
      before.getInput().getType() == getResult().getType())
    return before.getInput();
  return {};
}

namespace {
struct FoldConstantRotate final : OpRewritePattern<RotateOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(RotateOp op,
                                PatternRewriter &rewriter) const override {
    RankedTensorType type = op.getResult().getType();
    if (!type.hasStaticShape())
      return rewriter.notifyMatchFailure(op, "the result has a dynamic shape");
    if (matchPattern(op.getInput(), m_AnyZeroFloat())) {
      rewriter.replaceOp(
          op, createConstant(rewriter, op.getLoc(),
                             cast<ElementsAttr>(rewriter.getZeroAttr(type))));
      return success();
    }
    if (type.getNumElements() * 4 > kMaxInlineConstantBytes)
      return rewriter.notifyMatchFailure(op, "the constant would be large");
    std::optional<FloatConstant> input = FloatConstant::get(op.getInput());
    if (!input)
      return rewriter.notifyMatchFailure(op, "the input is not a constant");
    int64_t k = type.getShape().back();
    std::vector<float> values(type.getNumElements());
    for (size_t i = 0; i < values.size(); ++i)
      values[i] = (*input)[i];
    for (size_t begin = 0; begin < values.size(); begin += k)
      reference::rotateRow(MutableArrayRef<float>(values).slice(begin, k),
                           op.getRotation());
    rewriter.replaceOp(op, createConstant(rewriter, op.getLoc(),
                                          makeFloatTensorAttr(type, values)));
    return success();
  }
};
} // namespace

void RotateOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                           MLIRContext *context) {
  patterns.add<FoldConstantRotate>(context);
}
