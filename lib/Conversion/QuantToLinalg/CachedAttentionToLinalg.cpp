//===- CachedAttentionToLinalg.cpp - quant.cached_attention to linalg -----===//
//
// Each line of the op's definition is one tensor, each element of which is
// computed by itself.
//
//===----------------------------------------------------------------------===//

#include "Patterns.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "quant/Dialect/Quant/IR/CachedAttention.h"
#include "quant/Dialect/Quant/Utils/GenericBuilder.h"

#include <limits>

using namespace mlir;
using namespace quantmlir;

namespace {

/// The past or the new tokens, and what is computed of them: [H, G, S, tokens].
struct Segment {
  CachedAttentionOp::Tokens tokens;
  Value size;
  Value scores, powers, weights;
};

/// The lowering of one op.
class CachedAttentionLowering {
public:
  CachedAttentionLowering(CachedAttentionOp op, PatternRewriter &b)
      : op(op), b(b), loc(op.getLoc()), bits(op.getBits()) {
    for (CachedAttentionOp::Tokens tokens : {op.getPast(), op.getNew()}) {
      Value size = tensor::DimOp::create(b, loc, tokens.keys, 2);
      segments.push_back({tokens, size, {}, {}, {}});
    }
  }

  Value lower();

private:
  using Indices = ArrayRef<Value>;
  /// Combines what is carried with what token `t` gives.
  using Step = function_ref<Value(Value t, Value carried)>;

  Value index(int64_t v) { return arith::ConstantIndexOp::create(b, loc, v); }
  Value extract(Value tensor, ArrayRef<Value> at) {
    return tensor::ExtractOp::create(b, loc, tensor, at);
  }
  /// A tensor [H, G, S, last] of what `element` gives at its indices.
  Value build(Value last, Type type, function_ref<Value(Indices)> element);
  /// The same of a tensor [H, G, S].
  Value buildRows(Type type, function_ref<Value(Indices)> element);
  Value fill(ArrayRef<OpFoldResult> sizes, Type type,
             function_ref<Value(Indices)> element);
  /// `step` for each of [begin, end) in order.
  Value loop(Value begin, Value end, int64_t by, Value init, Step step);
  /// Element `i` of words at `at`, whose dimension `word` is that of words;
  /// i32.
  Value unpack(Value words, SmallVector<Value> at, unsigned word, Value i);
  /// Whether new token `row[2]` sees token `t` of `segment`; null: always.
  Value sees(const Segment &segment, Indices row, Value t);

  Value emitScores(const Segment &segment);
  Value emitLargest();
  Value emitPowers(const Segment &segment, Value largest);
  Value emitWeights(const Segment &segment);
  Value emitTotal();
  /// (the factor of the weights, of the integers) of the block of a row from
  /// `first` on.
  std::pair<Value, Value> emitBlockScales(const Segment &segment, Indices row,
                                          Value first, Value end);
  Value addBlock(const Segment &segment, Indices row, Value d, Value first,
                 Value sum);

  CachedAttentionOp op;
  PatternRewriter &b;
  Location loc;
  int64_t bits;
  SmallVector<Segment, 2> segments;
};

} // namespace

Value CachedAttentionLowering::fill(ArrayRef<OpFoldResult> sizes, Type type,
                                    function_ref<Value(Indices)> element) {
  Value empty = tensor::EmptyOp::create(b, loc, sizes, type);
  OpBuilder::InsertionGuard guard(b);
  auto body = [&](OpBuilder &, Location, ValueRange) -> SmallVector<Value> {
    SmallVector<Value> at;
    for (size_t i = 0; i < sizes.size(); ++i)
      at.push_back(linalg::IndexOp::create(b, loc, i));
    return {element(at)};
  };
  return elementwise(b, loc, {}, empty, body).getResult(0);
}

Value CachedAttentionLowering::build(Value last, Type type,
                                     function_ref<Value(Indices)> element) {
  SmallVector<OpFoldResult> sizes =
      tensor::getMixedSizes(b, loc, op.getQueryScale());
  sizes.push_back(last);
  return fill(sizes, type, element);
}

Value CachedAttentionLowering::buildRows(Type type,
                                         function_ref<Value(Indices)> element) {
  return fill(tensor::getMixedSizes(b, loc, op.getQueryScale()), type, element);
}

Value CachedAttentionLowering::loop(Value begin, Value end, int64_t by,
                                    Value init, Step step) {
  auto loop = scf::ForOp::create(b, loc, begin, end, index(by), init);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value next = step(loop.getInductionVar(), loop.getRegionIterArg(0));
  scf::YieldOp::create(b, loc, next);
  return loop.getResult(0);
}

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

Value CachedAttentionLowering::sees(const Segment &segment, Indices row,
                                    Value t) {
  if (!segment.tokens.areNew)
    return arith::ConstantOp::create(b, loc, b.getBoolAttr(true));
  return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ule, t, row[2]);
}

Value CachedAttentionLowering::emitScores(const Segment &segment) {
  return build(segment.size, b.getF32Type(), [&](Indices at) -> Value {
    Value h = at[0], t = at[3];
    Value acc = loop(index(0), index(op.getSize(3)), 1, constantInt(b, loc, 0),
                     [&](Value d, Value sum) -> Value {
                       Value q = extendToI32(
                           b, loc, extract(op.getQuery(), {h, at[1], at[2], d}),
                           /*isUnsigned=*/false);
                       Value k = unpack(segment.tokens.keys, {h, d, t}, 1, d);
                       return arith::AddIOp::create(
                           b, loc, sum, arith::MulIOp::create(b, loc, q, k));
                     });
    Value scale = arith::MulFOp::create(
        b, loc, extract(op.getQueryScale(), at.drop_back()),
        extract(segment.tokens.keyScale, {h, t}));
    Value score = arith::MulFOp::create(
        b, loc, arith::SIToFPOp::create(b, loc, b.getF32Type(), acc), scale);
    Value least =
        constantFloat(b, loc, -std::numeric_limits<float>::infinity());
    return arith::SelectOp::create(b, loc, sees(segment, at, t), score, least);
  });
}

Value CachedAttentionLowering::emitLargest() {
  return buildRows(b.getF32Type(), [&](Indices row) -> Value {
    Value largest =
        constantFloat(b, loc, -std::numeric_limits<float>::infinity());
    for (const Segment &segment : segments)
      largest = loop(
          index(0), segment.size, 1, largest,
          [&](Value t, Value most) -> Value {
            Value score = extract(segment.scores, {row[0], row[1], row[2], t});
            return arith::MaximumFOp::create(b, loc, most, score);
          });
    return largest;
  });
}

Value CachedAttentionLowering::emitPowers(const Segment &segment,
                                          Value largest) {
  return build(segment.size, b.getF32Type(), [&](Indices at) -> Value {
    Value x = arith::SubFOp::create(b, loc, extract(segment.scores, at),
                                    extract(largest, at.drop_back()));
    Value power = math::ExpOp::create(b, loc, x);
    return arith::SelectOp::create(b, loc, sees(segment, at, at[3]), power,
                                   constantFloat(b, loc, 0));
  });
}

Value CachedAttentionLowering::emitWeights(const Segment &segment) {
  return build(segment.size, b.getF32Type(), [&](Indices at) -> Value {
    return arith::MulFOp::create(
        b, loc, extract(segment.powers, at),
        extract(segment.tokens.valueScale, {at[0], at[3]}));
  });
}

Value CachedAttentionLowering::emitTotal() {
  constexpr int64_t lanes = CachedAttentionOp::kSumLanes;
  Value sums = build(index(lanes), b.getF32Type(), [&](Indices at) -> Value {
    Value sum = constantFloat(b, loc, 0);
    for (const Segment &segment : segments)
      sum = loop(
          at[3], segment.size, lanes, sum,
          [&](Value t, Value carried) -> Value {
            Value power = extract(segment.powers, {at[0], at[1], at[2], t});
            return arith::AddFOp::create(b, loc, carried, power);
          });
    return sum;
  });
  return buildRows(b.getF32Type(), [&](Indices row) -> Value {
    SmallVector<Value> parts;
    for (int64_t lane = 0; lane < lanes; ++lane)
      parts.push_back(extract(sums, {row[0], row[1], row[2], index(lane)}));
    for (int64_t half = lanes / 2; half > 0; half /= 2)
      for (int64_t lane = 0; lane < half; ++lane)
        parts[lane] =
            arith::AddFOp::create(b, loc, parts[lane], parts[lane + half]);
    return parts[0];
  });
}

std::pair<Value, Value>
CachedAttentionLowering::emitBlockScales(const Segment &segment, Indices row,
                                         Value first, Value end) {
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
Value CachedAttentionLowering::addBlock(const Segment &segment, Indices row,
                                        Value d, Value first, Value sum) {
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
        Value v = unpack(segment.tokens.values, {row[0], t, d}, 2, d);
        return arith::AddIOp::create(b, loc, acc,
                                     arith::MulIOp::create(b, loc, p, v));
      });
  Value whole = arith::SIToFPOp::create(b, loc, b.getF32Type(), acc);
  return math::FmaOp::create(b, loc, whole, scale, sum);
}

Value CachedAttentionLowering::lower() {
  for (Segment &segment : segments)
    segment.scores = emitScores(segment);
  Value largest = emitLargest();
  for (Segment &segment : segments) {
    segment.powers = emitPowers(segment, largest);
    segment.weights = emitWeights(segment);
  }
  Value total = emitTotal();
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, op.getInit());
  return fill(sizes, b.getF32Type(), [&](Indices at) -> Value {
    SmallVector<Value> row = {at[1], at[2], at[0]};
    Value sum = constantFloat(b, loc, 0);
    for (const Segment &segment : segments)
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
