//===- QuantizeRowsToLinalg.cpp - quant.quantize_rows in its parts --------===//

#include "Patterns.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "quant/Dialect/Quant/IR/QuantizeRows.h"
#include "quant/Dialect/Quant/Utils/GenericBuilder.h"

using namespace mlir;
using namespace quantmlir;

namespace {

struct LowerQuantizeRows : OpRewritePattern<QuantizeRowsOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(QuantizeRowsOp op,
                                PatternRewriter &b) const override {
    if (op->getNumResults() == 0)
      return b.notifyMatchFailure(op, "bufferized already");
    Location loc = op.getLoc();
    auto input = cast<RankedTensorType>(op.getInput().getType());
    auto scaleType = cast<RankedTensorType>(op.getScale().getType());
    Value rows = op.getInput();
    if (Rotation rotation = op.getRowRotation())
      rows = RotateOp::create(b, loc, input.clone(b.getF32Type()), rows,
                              rotation.size, rotation.seed);
    Value scale = ChooseQParamsOp::create(b, loc, scaleType,
                                          /*zero_point=*/Type(), rows,
                                          ArrayRef<int64_t>{0}, op.getRange())
                      .getScale();
    Value zeroPoint;
    SmallVector<int64_t> range(op.getRange());
    if (op.getIsUnsigned()) {
      constexpr int32_t shift = 128;
      for (int64_t &bound : range)
        bound += shift;
      zeroPoint = filled(b, loc, scaleType.clone(b.getI32Type()), scale, {0},
                         b.getI32IntegerAttr(shift));
    }
    Value quantized = QuantizeOp::create(
        b, loc, input.clone(b.getI8Type()), rows, scale, zeroPoint,
        ArrayRef<int64_t>{0}, range, op.getIsUnsigned());
    if (op.isPlain()) {
      b.replaceOp(op, {quantized, scale});
      return success();
    }
    int64_t kr = cast<RankedTensorType>(op.getPacked().getType()).getDimSize(3);
    SmallVector<OpFoldResult> tiles = {b.getIndexAttr(1), b.getIndexAttr(kr)};
    Value packed = linalg::PackOp::create(b, loc, quantized, op.getPacked(),
                                          ArrayRef<int64_t>{0, 1}, tiles,
                                          constantInt(b, loc, 0, 8))
                       ->getResult(0);
    b.replaceOp(op, {packed, scale});
    return success();
  }
};

} // namespace

void quantmlir::populateQuantizeRowsToLinalgPatterns(
    RewritePatternSet &patterns) {
  patterns.add<LowerQuantizeRows>(patterns.getContext());
}
