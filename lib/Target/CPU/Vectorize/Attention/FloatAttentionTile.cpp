//===- FloatAttentionTile.cpp - some rows of float attention --------------===//
//
// Rows go over the tokens that they see twice: for scores, which stay near,
// and, when the largest is known, for what they take of their values. A lane of
// the first pass is a token, one of the second an element, so that each sum is
// one chain of multiply-adds in the op's order, however wide vectors are.
//
//===----------------------------------------------------------------------===//

#include "FloatAttentionTile.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <limits>

using namespace mlir;
using namespace quantmlir;

namespace {

using Tokens = FloatAttentionOp::Tokens;

/// Queries of a tile by keys.
class FloatScoreEmitter {
public:
  explicit FloatScoreEmitter(const FloatAttentionTile &tile)
      : tile(tile), kernel(tile.kernel), b(tile.b), loc(tile.loc),
        lanes(kernel.lanes) {}

  void emit();

private:
  /// Of all rows, by `vectors` vectors of tokens from `token` on.
  SmallVector<Value> emitDots(const Tokens &tokens, Value token,
                              int64_t vectors, Value mask);
  /// Stores scores; updates `most`, with lanes of `masks`, one for each row, if
  /// there are any.
  void emitTokens(const Tokens &tokens, Value token, int64_t vectors,
                  Value loaded, ArrayRef<Value> masks,
                  SmallVector<Value> &most);
  void prefetch(const Tokens &tokens, Value d, Value token, int64_t vectors);
  void emitSegment(const Tokens &tokens);

  const FloatAttentionTile &tile;
  const FloatAttentionKernel &kernel;
  OpBuilder &b;
  Location loc;
  int64_t lanes;
  /// A vector for each row.
  SmallVector<Value> largest;
};

} // namespace

//===----------------------------------------------------------------------===//
// Scores
//===----------------------------------------------------------------------===//

/// The same element of the tokens of the next step, which are on another page
/// for each element: that is more streams than the hardware follows. Into L2:
/// they are as many bytes as L1 has.
void FloatScoreEmitter::prefetch(const Tokens &tokens, Value d, Value token,
                                 int64_t vectors) {
  constexpr int64_t line = 16;
  for (int64_t at = 0; at < vectors * lanes; at += line)
    memref::PrefetchOp::create(
        b, loc, tokens.keys,
        ValueRange{tile.head, d, tile.plus(token, vectors * lanes + at)},
        /*isWrite=*/false, /*localityHint=*/2, /*isDataCache=*/true);
}

SmallVector<Value> FloatScoreEmitter::emitDots(const Tokens &tokens,
                                               Value token, int64_t vectors,
                                               Value mask) {
  SmallVector<Value> sums(tile.getRows() * vectors, tile.number(0, lanes));
  auto loop = scf::ForOp::create(b, loc, tile.index(0), tile.index(kernel.d),
                                 tile.index(1), sums);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value d = loop.getInductionVar();
  sums = llvm::to_vector_of<Value>(loop.getRegionIterArgs());
  SmallVector<Value> keys;
  for (int64_t v = 0; v < vectors; ++v)
    keys.push_back(tile.loadLanes(tokens.keys,
                                  {tile.head, d, tile.plus(token, v * lanes)},
                                  b.getF32Type(), lanes, mask));
  if (!tokens.areNew && !mask)
    prefetch(tokens, d, token, vectors);
  for (int64_t r = 0; r < tile.getRows(); ++r) {
    Value q = memref::LoadOp::create(
        b, loc, kernel.op.getQuery(),
        ValueRange{tile.head, tile.groupOf(r), tile.tokenOf(r), d});
    q = tile.broadcast(q, lanes);
    for (int64_t v = 0; v < vectors; ++v) {
      Value &sum = sums[r * vectors + v];
      sum = math::FmaOp::create(b, loc, q, keys[v], sum);
    }
  }
  scf::YieldOp::create(b, loc, sums);
  return loop.getResults();
}

void FloatScoreEmitter::emitTokens(const Tokens &tokens, Value token,
                                   int64_t vectors, Value loaded,
                                   ArrayRef<Value> masks,
                                   SmallVector<Value> &most) {
  SmallVector<Value> sums = emitDots(tokens, token, vectors, loaded);
  Value column = tile.plus(tile.getFirstColumn(tokens.areNew), token);
  Value scale = tile.number(kernel.op.getScale().convertToFloat(), lanes);
  for (int64_t r = 0; r < tile.getRows(); ++r)
    for (int64_t v = 0; v < vectors; ++v) {
      Value score = arith::MulFOp::create(b, loc, sums[r * vectors + v], scale);
      vector::StoreOp::create(
          b, loc, score, tile.scores,
          ValueRange{tile.index(r), tile.plus(column, v * lanes)});
      // One instruction, where a maximum that passes NaN on is several.
      Value isMore = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OGT,
                                           score, most[r]);
      if (!masks.empty())
        isMore = arith::AndIOp::create(b, loc, isMore, masks[r]);
      most[r] = arith::SelectOp::create(b, loc, isMore, score, most[r]);
    }
}

void FloatScoreEmitter::emitSegment(const Tokens &tokens) {
  int64_t vectors = kernel.getKeyVectors(tile.getRows());
  int64_t step = vectors * lanes;
  Value seen = tile.countSeen(tokens.areNew);
  Value end = tokens.areNew ? tile.plus(tile.token, tile.tokens) : seen;
  Value whole = tile.roundDown(seen, step);
  auto forTokens = [&](Value begin, Value last, int64_t by, int64_t vectors,
                       bool masked) {
    auto loop =
        scf::ForOp::create(b, loc, begin, last, tile.index(by), largest);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Value token = loop.getInductionVar();
    auto most = llvm::to_vector_of<Value>(loop.getRegionIterArgs());
    Value loaded = masked ? tile.maskOf(token, end, lanes) : Value();
    SmallVector<Value> masks;
    for (int64_t r = 0; masked && r < tile.getRows(); ++r)
      masks.push_back(
          tokens.areNew
              ? tile.maskOf(token, tile.plus(tile.tokenOf(r), 1), lanes)
              : loaded);
    emitTokens(tokens, token, vectors, loaded, masks, most);
    scf::YieldOp::create(b, loc, most);
    largest = llvm::to_vector_of<Value>(loop.getResults());
  };
  forTokens(tile.index(0), whole, step, vectors, /*masked=*/false);
  forTokens(whole, end, lanes, 1, /*masked=*/true);
}

void FloatScoreEmitter::emit() {
  constexpr double least = -std::numeric_limits<float>::infinity();
  largest.append(tile.getRows(), tile.number(least, lanes));
  emitSegment(kernel.op.getPast());
  emitSegment(kernel.op.getNew());
  for (int64_t r = 0; r < tile.getRows(); ++r) {
    Value most = vector::ReductionOp::create(
        b, loc, vector::CombiningKind::MAXIMUMF, largest[r]);
    memref::StoreOp::create(b, loc, most, tile.largest,
                            ValueRange{tile.index(r)});
  }
}

void FloatAttentionTile::emitScores() const { FloatScoreEmitter(*this).emit(); }

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

/// Powers of the scores of `row` from column `first` on, of tokens [0, end), in
/// place; returns `total` with them.
static Value emitPowers(const FloatAttentionTile &tile, Value row,
                        Value largest, Value first, Value end, Value total) {
  constexpr int64_t lanes = FloatAttentionOp::kSumLanes;
  OpBuilder &b = tile.b;
  Location loc = tile.loc;
  Value whole = tile.roundDown(end, lanes);
  for (bool isWhole : {true, false}) {
    auto loop =
        scf::ForOp::create(b, loc, isWhole ? tile.index(0) : whole,
                           isWhole ? whole : end, tile.index(lanes), total);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Value token = loop.getInductionVar();
    SmallVector<Value> at = {row, tile.plus(first, token)};
    Value score =
        tile.loadLanes(tile.scores, at, b.getF32Type(), lanes, /*mask=*/{});
    Value power = math::ExpOp::create(
        b, loc, arith::SubFOp::create(b, loc, score, largest));
    if (!isWhole)
      power = arith::SelectOp::create(b, loc, tile.maskOf(token, end, lanes),
                                      power, tile.number(0, lanes));
    vector::StoreOp::create(b, loc, power, tile.scores, at);
    Value next = arith::AddFOp::create(b, loc, loop.getRegionIterArg(0), power);
    scf::YieldOp::create(b, loc, next);
    total = loop.getResult(0);
  }
  return total;
}

void FloatAttentionTile::emitWeights() const {
  constexpr int64_t sumLanes = FloatAttentionOp::kSumLanes;
  auto loop = scf::ForOp::create(b, loc, index(0), index(getRows()), index(1));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value row = loop.getInductionVar();
  Value most =
      broadcast(memref::LoadOp::create(b, loc, largest, row), sumLanes);
  Value later = arith::DivUIOp::create(b, loc, row, index(groups));
  Value sum = number(0, sumLanes);
  sum = emitPowers(*this, row, most, getFirstColumn(false), countSeen(false),
                   sum);
  sum = emitPowers(*this, row, most, getFirstColumn(true),
                   plus(countSeen(true), later), sum);
  memref::StoreOp::create(b, loc, addLanes(sum), total, row);
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

namespace {

/// Weights of a tile by `vectors` vectors of values from element `first` on.
class FloatSumEmitter {
public:
  FloatSumEmitter(const FloatAttentionTile &tile, int64_t vectors, Value first)
      : tile(tile), kernel(tile.kernel), b(tile.b), loc(tile.loc),
        lanes(kernel.valueLanes), vectors(vectors), first(first),
        sums(tile.getRows() * vectors, tile.number(0, lanes)) {}

  void emit();

private:
  /// Adds tokens [begin, end) to the sums of rows [row, endRow).
  void addTokens(const Tokens &tokens, Value begin, Value end, int64_t row,
                 int64_t endRow);
  /// What is multiplied some tokens later.
  void prefetchValues(Value token);
  void storeRow(int64_t r);

  const FloatAttentionTile &tile;
  const FloatAttentionKernel &kernel;
  OpBuilder &b;
  Location loc;
  int64_t lanes, vectors;
  Value first;
  SmallVector<Value> sums;
};

} // namespace

void FloatSumEmitter::prefetchValues(Value token) {
  constexpr int64_t line = 16, bytes = 4096;
  Value ahead = tile.plus(token, bytes / 4 / std::min(kernel.d, bytes / 4));
  for (int64_t at = 0; at < vectors * lanes; at += line)
    memref::PrefetchOp::create(
        b, loc, kernel.op.getPastValues(),
        ValueRange{tile.head, ahead, tile.plus(first, at)},
        /*isWrite=*/false, /*localityHint=*/3, /*isDataCache=*/true);
}

void FloatSumEmitter::addTokens(const Tokens &tokens, Value begin, Value end,
                                int64_t row, int64_t endRow) {
  int64_t from = row * vectors, count = (endRow - row) * vectors;
  auto loop = scf::ForOp::create(b, loc, begin, end, tile.index(1),
                                 ArrayRef(sums).slice(from, count));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value token = loop.getInductionVar();
  Value column = tile.plus(tile.getFirstColumn(tokens.areNew), token);
  if (!tokens.areNew)
    prefetchValues(token);
  SmallVector<Value> values, next;
  for (int64_t v = 0; v < vectors; ++v)
    values.push_back(tile.loadLanes(
        tokens.values, {tile.head, token, tile.plus(first, v * lanes)},
        b.getF32Type(), lanes, /*mask=*/{}));
  for (int64_t r = row; r < endRow; ++r) {
    Value weight = memref::LoadOp::create(b, loc, tile.scores,
                                          ValueRange{tile.index(r), column});
    weight = tile.broadcast(weight, lanes);
    for (int64_t v = 0; v < vectors; ++v)
      next.push_back(
          math::FmaOp::create(b, loc, weight, values[v],
                              loop.getRegionIterArg((r - row) * vectors + v)));
  }
  scf::YieldOp::create(b, loc, next);
  llvm::copy(loop.getResults(), sums.begin() + from);
}

void FloatSumEmitter::storeRow(int64_t r) {
  Value total = tile.broadcast(
      memref::LoadOp::create(b, loc, tile.total, tile.index(r)), lanes);
  for (int64_t v = 0; v < vectors; ++v) {
    Value y = arith::DivFOp::create(b, loc, sums[r * vectors + v], total);
    vector::StoreOp::create(b, loc, y, kernel.op.getInit(),
                            ValueRange{tile.tokenOf(r), tile.head,
                                       tile.groupOf(r),
                                       tile.plus(first, v * lanes)});
  }
}

void FloatSumEmitter::emit() {
  int64_t rows = tile.getRows();
  for (const Tokens &tokens : {kernel.op.getPast(), kernel.op.getNew()})
    addTokens(tokens, tile.index(0), tile.countSeen(tokens.areNew), 0, rows);
  // What only later tokens see.
  for (int64_t r = tile.groups; r < rows; ++r)
    addTokens(kernel.op.getNew(), tile.countSeen(/*areNew=*/true),
              tile.plus(tile.tokenOf(r), 1), r, r + 1);
  for (int64_t r = 0; r < rows; ++r)
    storeRow(r);
}

void FloatAttentionTile::emitSums() const {
  int64_t vectors = kernel.getValueVectors(getRows());
  auto loop = scf::ForOp::create(b, loc, index(0), index(kernel.d),
                                 index(vectors * kernel.valueLanes));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  FloatSumEmitter(*this, vectors, loop.getInductionVar()).emit();
}
