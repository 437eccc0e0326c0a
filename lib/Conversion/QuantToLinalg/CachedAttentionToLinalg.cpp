//===- CachedAttentionToLinalg.cpp - quant.cached_attention to linalg -----===//

#include "AttentionSteps.h"
#include "Patterns.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "quant/Dialect/Quant/IR/CachedAttention.h"
#include "quant/Dialect/Quant/Utils/GenericBuilder.h"

using namespace mlir;
using namespace quantmlir;

namespace {

/// The lowering of one op.
class CachedAttentionLowering : AttentionSteps {
public:
  CachedAttentionLowering(CachedAttentionOp op, PatternRewriter &b)
      : AttentionSteps(b, op.getLoc()), op(op), bits(op.getBits()) {
    rows = tensor::getMixedSizes(b, loc, op.getQueryScale());
    for (CachedAttentionOp::Tokens tokens : {op.getPast(), op.getNew()}) {
      Value size = tensor::DimOp::create(b, loc, tokens.keys, 2);
      segments.push_back({tokens.areNew, size, {}, {}, {}});
    }
  }

  Value lower();

private:
  CachedAttentionOp::Tokens tokensOf(const AttentionSegment &segment) {
    return segment.areNew ? op.getNew() : op.getPast();
  }
  /// Element `i` of words at `at`, whose dimension `word` is that of words;
  /// i32.
  Value unpack(Value words, SmallVector<Value> at, unsigned word, Value i);
  Value emitScores(const AttentionSegment &segment);
  Value emitWeights(const AttentionSegment &segment);
  /// (the factor of the weights, of the integers) of the block of a row from
  /// `first` on.
  std::pair<Value, Value> emitBlockScales(const AttentionSegment &segment,
                                          Indices row, Value first, Value end);
  Value addBlock(const AttentionSegment &segment, Indices row, Value d,
                 Value first, Value sum);

  CachedAttentionOp op;
  int64_t bits;
};

} // namespace

Value CachedAttentionLowering::unpack(Value words, SmallVector<Value> at,
                                      unsigned word, Value i) {
  Value each = index(op.getElementsPerWord());
  at[word] = arith::DivUIOp::create(b, loc, i, each);
  Value stored = extract(words, at);
  // To the top of the word, and down with its sign.
  Value place = arith::IndexCastOp::create(
      b, loc, b.getI32Type(), arith::RemUIOp::create(b, loc, i, each));
  Value left = arith::SubIOp::create(
      b, loc, constantInt(b, loc, 32 - bits),
      arith::MulIOp::create(b, loc, place, constantInt(b, loc, bits)));
  Value top = arith::ShLIOp::create(b, loc, stored, left);
  return arith::ShRSIOp::create(b, loc, top, constantInt(b, loc, 32 - bits));
}

Value CachedAttentionLowering::emitScores(const AttentionSegment &segment) {
  return build(segment.size, b.getF32Type(), [&](Indices at) -> Value {
    Value h = at[0], t = at[3];
    Value acc = loop(
        index(0), index(op.getSize(3)), 1, constantInt(b, loc, 0),
        [&](Value d, Value sum) -> Value {
          Value q =
              extendToI32(b, loc, extract(op.getQuery(), {h, at[1], at[2], d}),
                          /*isUnsigned=*/false);
          Value k = unpack(tokensOf(segment).keys, {h, d, t}, 1, d);
          return arith::AddIOp::create(b, loc, sum,
                                       arith::MulIOp::create(b, loc, q, k));
        });
    Value scale = arith::MulFOp::create(
        b, loc, extract(op.getQueryScale(), at.drop_back()),
        extract(tokensOf(segment).keyScale, {h, t}));
    Value score = arith::MulFOp::create(
        b, loc, arith::SIToFPOp::create(b, loc, b.getF32Type(), acc), scale);
    return hide(segment, at, score);
  });
}

Value CachedAttentionLowering::emitWeights(const AttentionSegment &segment) {
  return build(segment.size, b.getF32Type(), [&](Indices at) -> Value {
    return arith::MulFOp::create(
        b, loc, extract(segment.powers, at),
        extract(tokensOf(segment).valueScale, {at[0], at[3]}));
  });
}

std::pair<Value, Value>
CachedAttentionLowering::emitBlockScales(const AttentionSegment &segment,
                                         Indices row, Value first, Value end) {
  Value zero = constantFloat(b, loc, 0);
  Value largest = loop(first, end, 1, zero, [&](Value t, Value most) -> Value {
    Value weight = extract(segment.weights, {row[0], row[1], row[2], t});
    return arith::MaximumFOp::create(b, loc, most, weight);
  });
  constexpr double most = CachedAttentionOp::kMaxWeight;
  Value factor =
      arith::DivFOp::create(b, loc, constantFloat(b, loc, most), largest);
  Value counts = arith::CmpFOp::create(
      b, loc, arith::CmpFPredicate::OGE, largest,
      constantFloat(b, loc, CachedAttentionOp::kLeastWeight));
  factor = arith::SelectOp::create(b, loc, counts, factor, zero);
  Value scale = arith::MulFOp::create(
      b, loc, largest, constantFloat(b, loc, 1.0f / static_cast<float>(most)));
  return {factor, scale};
}

/// `sum` and element `d` of the block from `first` on.
Value CachedAttentionLowering::addBlock(const AttentionSegment &segment,
                                        Indices row, Value d, Value first,
                                        Value sum) {
  Value end = arith::MinUIOp::create(
      b, loc, segment.size,
      arith::AddIOp::create(b, loc, first, index(CachedAttentionOp::kBlock)));
  auto [factor, scale] = emitBlockScales(segment, row, first, end);
  Value by = factor;
  Value acc = loop(
      first, end, 1, constantInt(b, loc, 0), [&](Value t, Value acc) -> Value {
        Value weight = extract(segment.weights, {row[0], row[1], row[2], t});
        Value rounded = math::RoundEvenOp::create(
            b, loc, arith::MulFOp::create(b, loc, weight, by));
        Value p = arith::FPToSIOp::create(b, loc, b.getI32Type(), rounded);
        Value v = unpack(tokensOf(segment).values, {row[0], t, d}, 2, d);
        return arith::AddIOp::create(b, loc, acc,
                                     arith::MulIOp::create(b, loc, p, v));
      });
  Value whole = arith::SIToFPOp::create(b, loc, b.getF32Type(), acc);
  return math::FmaOp::create(b, loc, whole, scale, sum);
}

Value CachedAttentionLowering::lower() {
  for (AttentionSegment &segment : segments)
    segment.scores = emitScores(segment);
  Value largest = emitLargest();
  for (AttentionSegment &segment : segments) {
    segment.powers = emitPowers(segment, largest);
    segment.weights = emitWeights(segment);
  }
  Value total = emitTotal(CachedAttentionOp::kSumLanes);
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, op.getInit());
  return fill(sizes, b.getF32Type(), [&](Indices at) -> Value {
    SmallVector<Value> row = {at[1], at[2], at[0]};
    Value sum = constantFloat(b, loc, 0);
    for (const AttentionSegment &segment : segments)
      sum = loop(index(0), segment.size, CachedAttentionOp::kBlock, sum,
                 [&](Value first, Value carried) {
                   return addBlock(segment, row, at[3], first, carried);
                 });
    return arith::DivFOp::create(b, loc, sum, extract(total, row));
  });
}

namespace {

struct LowerCachedAttention : OpRewritePattern<CachedAttentionOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(CachedAttentionOp op,
                                PatternRewriter &b) const override {
    if (op->getNumResults() == 0)
      return b.notifyMatchFailure(op, "bufferized already");
    b.replaceOp(op, CachedAttentionLowering(op, b).lower());
    return success();
  }
};

} // namespace

void quantmlir::populateCachedAttentionToLinalgPatterns(
    RewritePatternSet &patterns) {
  patterns.add<LowerCachedAttention>(patterns.getContext());
}
