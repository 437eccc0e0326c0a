//===- FloatAttentionToLinalg.cpp - quant.float_attention to linalg -------===//

#include "AttentionSteps.h"
#include "Patterns.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "quant/Dialect/Quant/IR/FloatAttention.h"
#include "quant/Dialect/Quant/Utils/GenericBuilder.h"

using namespace mlir;
using namespace quantmlir;

namespace {

/// The lowering of one op.
class FloatAttentionLowering : AttentionSteps {
public:
  FloatAttentionLowering(FloatAttentionOp op, PatternRewriter &b)
      : AttentionSteps(b, op.getLoc()), op(op) {
    rows = tensor::getMixedSizes(b, loc, op.getQuery());
    rows.pop_back();
    for (FloatAttentionOp::Tokens tokens : {op.getPast(), op.getNew()}) {
      Value size = tensor::DimOp::create(b, loc, tokens.keys, 2);
      segments.push_back({tokens.areNew, size, {}, {}, {}});
    }
  }

  Value lower();

private:
  FloatAttentionOp::Tokens tokensOf(const AttentionSegment &segment) {
    return segment.areNew ? op.getNew() : op.getPast();
  }
  Value emitScores(const AttentionSegment &segment);
  /// `sum` and element `d` of the values of the tokens that `row` sees.
  Value addValues(const AttentionSegment &segment, Indices row, Value d,
                  Value sum);

  FloatAttentionOp op;
};

} // namespace

Value FloatAttentionLowering::emitScores(const AttentionSegment &segment) {
  Value scale = constantFloat(b, loc, op.getScale().convertToFloat());
  return build(segment.size, b.getF32Type(), [&](Indices at) -> Value {
    Value dot =
        loop(index(0), index(op.getSize(3)), 1, constantFloat(b, loc, 0),
             [&](Value d, Value sum) -> Value {
               Value q = extract(op.getQuery(), {at[0], at[1], at[2], d});
               Value k = extract(tokensOf(segment).keys, {at[0], d, at[3]});
               return math::FmaOp::create(b, loc, q, k, sum);
             });
    return hide(segment, at, arith::MulFOp::create(b, loc, dot, scale));
  });
}

Value FloatAttentionLowering::addValues(const AttentionSegment &segment,
                                        Indices row, Value d, Value sum) {
  Value end = segment.size;
  if (segment.areNew)
    end = arith::AddIOp::create(b, loc, row[2], index(1));
  return loop(index(0), end, 1, sum, [&](Value t, Value carried) -> Value {
    Value power = extract(segment.powers, {row[0], row[1], row[2], t});
    Value v = extract(tokensOf(segment).values, {row[0], t, d});
    return math::FmaOp::create(b, loc, power, v, carried);
  });
}

Value FloatAttentionLowering::lower() {
  for (AttentionSegment &segment : segments)
    segment.scores = emitScores(segment);
  Value largest = emitLargest();
  for (AttentionSegment &segment : segments)
    segment.powers = emitPowers(segment, largest);
  Value total = emitTotal(FloatAttentionOp::kSumLanes);
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, op.getInit());
  return fill(sizes, b.getF32Type(), [&](Indices at) -> Value {
    SmallVector<Value> row = {at[1], at[2], at[0]};
    Value sum = constantFloat(b, loc, 0);
    for (const AttentionSegment &segment : segments)
      sum = addValues(segment, row, at[3], sum);
    return arith::DivFOp::create(b, loc, sum, extract(total, row));
  });
}

namespace {

struct LowerFloatAttention : OpRewritePattern<FloatAttentionOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(FloatAttentionOp op,
                                PatternRewriter &b) const override {
    if (op->getNumResults() == 0)
      return b.notifyMatchFailure(op, "bufferized already");
    b.replaceOp(op, FloatAttentionLowering(op, b).lower());
    return success();
  }
};

} // namespace

void quantmlir::populateFloatAttentionToLinalgPatterns(
    RewritePatternSet &patterns) {
  patterns.add<LowerFloatAttention>(patterns.getContext());
}
