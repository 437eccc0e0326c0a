//===- AttentionScores.cpp - queries by the cache's keys ------------------===//
//
// Keys have tokens side by side: a vector of words is as many tokens' next four
// (or eight) elements, and a word of the query is broadcast to it. Where the
// dot product wants its left operand unsigned, 128 is added to keys of 8 bits,
// which is one bit flipped, and elements of 4 bits are taken as 0 to 15; the
// sums begin with what corrects that.
//
//===----------------------------------------------------------------------===//

#include "AttentionTile.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <limits>

using namespace mlir;
using namespace quantmlir;

namespace {

/// Queries of a tile by keys.
class ScoreEmitter {
public:
  explicit ScoreEmitter(AttentionTile &tile)
      : tile(tile), kernel(tile.kernel), b(tile.b), loc(tile.loc),
        lanes(kernel.keys.getLanes()) {}

  void emit();

private:
  SmallVector<Value> rowAt(int64_t r) const {
    return {tile.head, tile.plus(tile.group, tile.index(r)), tile.token};
  }
  /// What sums of row `r` begin with.
  Value emitStart(int64_t r);
  /// Even and odd elements of row `r`, apart.
  void splitQuery(int64_t r);
  /// The left operands that a vector of words is.
  SmallVector<Value> unpackKeys(Value words);
  /// Queries of row `r` for word `w`: as many as unpackKeys gives.
  SmallVector<Value> loadQueries(int64_t r, Value w);
  /// `vectors` vectors of tokens from `token` on; updates the largest scores.
  void emitTokens(const CachedAttentionOp::Tokens &tokens, Value token,
                  int64_t vectors, Value mask, SmallVector<Value> &largest);
  SmallVector<Value> emitDots(const CachedAttentionOp::Tokens &tokens,
                              Value token, int64_t vectors, Value mask);
  void emitSegment(const CachedAttentionOp::Tokens &tokens);

  AttentionTile &tile;
  const AttentionKernel &kernel;
  OpBuilder &b;
  Location loc;
  int64_t lanes;
  /// A vector for each row.
  SmallVector<Value> start, scale, largest;
};

} // namespace

Value ScoreEmitter::emitStart(int64_t r) {
  int64_t shift = kernel.isInt4 ? 8 : kernel.keys.isLhsUnsigned() ? 128 : 0;
  if (shift == 0)
    return tile.word(0, lanes);
  constexpr int64_t part = 32;
  Value sum = arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(0));
  auto loop = scf::ForOp::create(b, loc, tile.index(0), tile.index(kernel.d),
                                 tile.index(part), sum);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    SmallVector<Value> at = rowAt(r);
    at.push_back(loop.getInductionVar());
    Value q =
        vector::LoadOp::create(b, loc, VectorType::get({part}, b.getI8Type()),
                               kernel.op.getQuery(), at);
    q = arith::ExtSIOp::create(b, loc, VectorType::get({part}, b.getI32Type()),
                               q);
    Value of = vector::ReductionOp::create(b, loc, vector::CombiningKind::ADD,
                                           q, loop.getRegionIterArg(0));
    scf::YieldOp::create(b, loc, of);
  }
  Value by = arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(-shift));
  return tile.broadcast(arith::MulIOp::create(b, loc, loop.getResult(0), by),
                        lanes);
}

void ScoreEmitter::splitQuery(int64_t r) {
  constexpr int64_t part = 16;
  auto loop = scf::ForOp::create(b, loc, tile.index(0),
                                 tile.index(kernel.d / 2), tile.index(part));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value i = loop.getInductionVar();
  SmallVector<Value> at = rowAt(r);
  at.push_back(tile.times(i, 2));
  Value q =
      vector::LoadOp::create(b, loc, VectorType::get({2 * part}, b.getI8Type()),
                             kernel.op.getQuery(), at);
  for (int64_t odd : {0, 1}) {
    SmallVector<int64_t> which;
    for (int64_t e = 0; e < part; ++e)
      which.push_back(2 * e + odd);
    Value half = vector::ShuffleOp::create(b, loc, q, q, which);
    vector::StoreOp::create(b, loc, half, tile.scratch.halves,
                            ValueRange{tile.index(r), tile.index(odd), i});
  }
}

SmallVector<Value> ScoreEmitter::unpackKeys(Value words) {
  auto bytes = VectorType::get({kernel.keys.getBytes()}, b.getI8Type());
  auto constant = [&](int64_t v) -> Value {
    return arith::ConstantOp::create(
        b, loc,
        DenseElementsAttr::get(cast<ShapedType>(bytes),
                               b.getI8IntegerAttr(static_cast<int8_t>(v))));
  };
  Value x = vector::BitCastOp::create(b, loc, bytes, words);
  if (!kernel.isInt4) {
    if (kernel.keys.isLhsUnsigned())
      x = arith::XOrIOp::create(b, loc, x, constant(0x80));
    return {x};
  }
  x = arith::XOrIOp::create(b, loc, x, constant(0x88));
  Value low = arith::AndIOp::create(b, loc, x, constant(0x0F));
  return {low, arith::ShRUIOp::create(b, loc, x, constant(4))};
}

SmallVector<Value> ScoreEmitter::loadQueries(int64_t r, Value w) {
  Value first = tile.times(w, 4);
  if (!kernel.isInt4) {
    SmallVector<Value> at = rowAt(r);
    at.push_back(first);
    return {tile.fourBytes(kernel.keys, kernel.op.getQuery(), at)};
  }
  SmallVector<Value> queries;
  for (int64_t odd : {0, 1})
    queries.push_back(
        tile.fourBytes(kernel.keys, tile.scratch.halves,
                       ValueRange{tile.index(r), tile.index(odd), first}));
  return queries;
}

SmallVector<Value>
ScoreEmitter::emitDots(const CachedAttentionOp::Tokens &tokens, Value token,
                       int64_t vectors, Value mask) {
  SmallVector<Value> sums;
  for (int64_t r = 0; r < tile.rows; ++r)
    sums.append(vectors, start[r]);
  auto loop = scf::ForOp::create(b, loc, tile.index(0),
                                 tile.index(kernel.op.getNumWords()),
                                 tile.index(1), sums);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value w = loop.getInductionVar();
  sums = llvm::to_vector_of<Value>(loop.getRegionIterArgs());
  SmallVector<SmallVector<Value>> keys;
  for (int64_t v = 0; v < vectors; ++v) {
    Value at = tile.plus(token, tile.index(v * lanes));
    keys.push_back(unpackKeys(tile.loadLanes(tokens.keys, {tile.head, w, at},
                                             b.getI32Type(), lanes, mask)));
  }
  for (int64_t r = 0; r < tile.rows; ++r)
    for (auto [part, query] : llvm::enumerate(loadQueries(r, w)))
      for (int64_t v = 0; v < vectors; ++v) {
        Value &sum = sums[r * vectors + v];
        sum = kernel.keys.add(b, loc, sum, keys[v][part], query);
      }
  scf::YieldOp::create(b, loc, sums);
  return loop.getResults();
}

void ScoreEmitter::emitTokens(const CachedAttentionOp::Tokens &tokens,
                              Value token, int64_t vectors, Value mask,
                              SmallVector<Value> &most) {
  SmallVector<Value> sums = emitDots(tokens, token, vectors, mask);
  Value column = tile.plus(tile.getFirstColumn(tokens.areNew), token);
  for (int64_t v = 0; v < vectors; ++v) {
    Value offset = tile.index(v * lanes);
    Value keyScale =
        tile.loadLanes(tokens.keyScale, {tile.head, tile.plus(token, offset)},
                       b.getF32Type(), lanes, mask);
    for (int64_t r = 0; r < tile.rows; ++r) {
      Value by = arith::MulFOp::create(b, loc, scale[r], keyScale);
      Value score = arith::SIToFPOp::create(
          b, loc, VectorType::get({lanes}, b.getF32Type()),
          sums[r * vectors + v]);
      score = arith::MulFOp::create(b, loc, score, by);
      vector::StoreOp::create(
          b, loc, score, tile.scratch.scores,
          ValueRange{tile.index(r), tile.plus(column, offset)});
      Value next = arith::MaximumFOp::create(b, loc, most[r], score, kNoNaN);
      most[r] =
          mask
              ? arith::SelectOp::create(b, loc, mask, next, most[r]).getResult()
              : next;
    }
  }
}

void ScoreEmitter::emitSegment(const CachedAttentionOp::Tokens &tokens) {
  int64_t vectors = kernel.getKeyVectors(tile.rows), step = vectors * lanes;
  Value end = tile.countSeen(tokens.areNew);
  Value rest = arith::RemUIOp::create(b, loc, end, tile.index(step));
  Value whole = arith::SubIOp::create(b, loc, end, rest);
  auto forTokens = [&](Value begin, Value last, int64_t by, int64_t vectors,
                       bool masked) {
    auto loop =
        scf::ForOp::create(b, loc, begin, last, tile.index(by), largest);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Value token = loop.getInductionVar();
    auto most = llvm::to_vector_of<Value>(loop.getRegionIterArgs());
    Value mask = masked ? tile.maskOf(token, end, lanes) : Value();
    emitTokens(tokens, token, vectors, mask, most);
    scf::YieldOp::create(b, loc, most);
    largest = llvm::to_vector_of<Value>(loop.getResults());
  };
  forTokens(tile.index(0), whole, step, vectors, /*masked=*/false);
  forTokens(whole, end, lanes, 1, /*masked=*/true);
}

void ScoreEmitter::emit() {
  constexpr double least = -std::numeric_limits<float>::infinity();
  for (int64_t r = 0; r < tile.rows; ++r) {
    if (kernel.isInt4)
      splitQuery(r);
    start.push_back(emitStart(r));
    Value s =
        memref::LoadOp::create(b, loc, kernel.op.getQueryScale(), rowAt(r));
    scale.push_back(tile.broadcast(s, lanes));
    largest.push_back(tile.number(least, lanes));
  }
  emitSegment(kernel.op.getPast());
  emitSegment(kernel.op.getNew());
  for (int64_t r = 0; r < tile.rows; ++r) {
    Value most = vector::ReductionOp::create(
        b, loc, vector::CombiningKind::MAXIMUMF, largest[r], kNoNaN);
    memref::StoreOp::create(b, loc, most, tile.scratch.largest,
                            ValueRange{tile.index(r)});
  }
}

void AttentionTile::emitScores() { ScoreEmitter(*this).emit(); }
