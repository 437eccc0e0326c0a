//===- RescaleToLinalg.cpp - rescale ops to linalg ------------------------===//

#include "Patterns.h"
#include "quant/Dialect/Quant/Utils/GenericBuilder.h"
#include "quant/Dialect/Quant/Utils/RescaleFormula.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "quant/Dialect/Quant/IR/QuantOps.h"

using namespace mlir;
using namespace quantmlir;

namespace {

struct LowerRescale : OpRewritePattern<RescaleOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(RescaleOp op,
                                PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto type = cast<RankedTensorType>(op.getType());
    int64_t rank = type.getRank();
    SmallVector<int64_t> rows = allDims(rank - 1), column = {rank - 1};
    SmallVector<ElementwiseOperand> inputs = {{op.getAcc(), allDims(rank)}};
    if (Value scale = op.getRowScale())
      inputs.push_back({scale, paramDims(scale, rows)});
    if (Value scale = op.getChannelScale())
      inputs.push_back({scale, paramDims(scale, column)});
    if (Value bias = op.getBias())
      inputs.push_back({bias, column});
    if (Value residual = op.getResidual())
      inputs.push_back({residual, allDims(rank)});
    Value init = emptyLike(rewriter, loc, type, op.getAcc());
    auto generic = elementwise(
        rewriter, loc, inputs, init,
        [&](OpBuilder &b, Location loc, ValueRange args) -> SmallVector<Value> {
          return {rescaleElement(op, b, loc, args)};
        });
    rewriter.replaceOp(op, generic);
    return success();
  }

private:
  static Value rescaleElement(RescaleOp op, OpBuilder &b, Location loc,
                              ValueRange args) {
    size_t next = 1;
    RescaleTerms terms;
    if (op.getRowScale())
      terms.rowScale = args[next++];
    if (op.getChannelScale())
      terms.channelScale = args[next++];
    if (op.getBias())
      terms.bias = args[next++];
    if (op.getResidual())
      terms.residual = args[next++];
    terms.clampMin = op.getClampMin();
    terms.clampMax = op.getClampMax();
    terms.zeroPoint = op.getSignedZeroPoint();
    terms.range = op.getRange().value_or(ArrayRef<int64_t>());
    Type element = cast<RankedTensorType>(op.getType()).getElementType();
    return emitRescale(b, loc, args[0], terms, element);
  }
};

struct LowerRescaleFixedPoint : OpRewritePattern<RescaleFixedPointOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(RescaleFixedPointOp op,
                                PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto type = cast<RankedTensorType>(op.getType());
    int64_t rank = type.getRank();
    SmallVector<int64_t> column = {rank - 1};
    SmallVector<ElementwiseOperand> inputs = {
        {op.getAcc(), allDims(rank)},
        {op.getMultiplier(), paramDims(op.getMultiplier(), column)},
        {op.getShift(), paramDims(op.getShift(), column)}};
    if (Value bias = op.getBias())
      inputs.push_back({bias, column});
    Value init = emptyLike(rewriter, loc, type, op.getAcc());
    auto generic = elementwise(
        rewriter, loc, inputs, init,
        [&](OpBuilder &b, Location loc, ValueRange args) -> SmallVector<Value> {
          Value value = args[0];
          RescaleTerms terms;
          terms.multiplier = args[1];
          terms.shift = args[2];
          terms.doubleRound = op.getRounding() == RoundingMode::DOUBLE_ROUND;
          terms.zeroPoint = static_cast<int32_t>(op.getOutputZeroPoint());
          terms.range = op.getRange();
          if (op.getBias())
            value = arith::AddIOp::create(b, loc, value, args[3]);
          if (int32_t zp = op.getInputZeroPoint())
            value =
                arith::SubIOp::create(b, loc, value, constantInt(b, loc, zp));
          return {emitRescale(b, loc, value, terms, type.getElementType())};
        });
    rewriter.replaceOp(op, generic);
    return success();
  }
};

} // namespace

void quantmlir::populateRescaleToLinalgPatterns(RewritePatternSet &patterns) {
  patterns.add<LowerRescale, LowerRescaleFixedPoint>(patterns.getContext());
}
