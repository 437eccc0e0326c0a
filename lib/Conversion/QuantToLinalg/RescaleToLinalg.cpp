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
          if (op.getBias())
            value = arith::AddIOp::create(b, loc, value, args[3]);
          if (int32_t zp = op.getInputZeroPoint())
            value =
                arith::SubIOp::create(b, loc, value, constantInt(b, loc, zp));
          Value scaled = applyScale(op, b, loc, value, args[1], args[2]);
          return {finish(op, b, loc, scaled, type.getElementType())};
        });
    rewriter.replaceOp(op, generic);
    return success();
  }

private:
  /// TOSA 1.0 apply_scale_32, in i64.
  static Value applyScale(RescaleFixedPointOp op, OpBuilder &b, Location loc,
                          Value value, Value multiplier, Value shift) {
    Type i64 = b.getI64Type();
    auto wide = [&](Value v) -> Value {
      return arith::ExtSIOp::create(b, loc, i64, v);
    };
    auto i64Constant = [&](int64_t v) { return constantInt(b, loc, v, 64); };
    Value one = i64Constant(1);
    Value shift64 = wide(shift);
    Value round = arith::ShLIOp::create(
        b, loc, one, arith::SubIOp::create(b, loc, shift64, one));
    if (op.getRounding() == RoundingMode::DOUBLE_ROUND) {
      Value isNegative = arith::CmpIOp::create(
          b, loc, arith::CmpIPredicate::slt, value, constantInt(b, loc, 0));
      Value half =
          arith::SelectOp::create(b, loc, isNegative, i64Constant(-(1LL << 30)),
                                  i64Constant(1LL << 30));
      Value isLarge = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sgt,
                                            shift64, i64Constant(31));
      Value extra =
          arith::SelectOp::create(b, loc, isLarge, half, i64Constant(0));
      round = arith::AddIOp::create(b, loc, round, extra);
    }
    Value product =
        arith::MulIOp::create(b, loc, wide(value), wide(multiplier));
    return arith::ShRSIOp::create(
        b, loc, arith::AddIOp::create(b, loc, product, round), shift64);
  }

  /// Adds the output zero point and clamps, in i64: nothing wraps.
  static Value finish(RescaleFixedPointOp op, OpBuilder &b, Location loc,
                      Value scaled, Type type) {
    auto i64Constant = [&](int64_t v) { return constantInt(b, loc, v, 64); };
    int64_t zp = static_cast<int32_t>(op.getOutputZeroPoint());
    Value value = arith::AddIOp::create(b, loc, scaled, i64Constant(zp));
    value =
        arith::MaxSIOp::create(b, loc, value, i64Constant(op.getRange()[0]));
    value =
        arith::MinSIOp::create(b, loc, value, i64Constant(op.getRange()[1]));
    return arith::TruncIOp::create(b, loc, type, value);
  }
};

} // namespace

void quantmlir::populateRescaleToLinalgPatterns(RewritePatternSet &patterns) {
  patterns.add<LowerRescale, LowerRescaleFixedPoint>(patterns.getContext());
}
