//===- AttentionSums.cpp - weights by the cache's values ------------------===//
//
// Values have the words of a token together. Four tokens' bytes are interleaved
// in registers, so that a lane holds one element of four tokens, and the
// weights of these tokens, from 0 to 127, are the other operand of the dot
// product. Interleaving within 128 bits is one instruction; the lanes of sums
// lie as it leaves them until the result is stored. Elements of 4 bits are
// multiplied as 16 times themselves, in the upper halves of bytes.
//
//===----------------------------------------------------------------------===//

#include "../VectorQuotient.h"
#include "AttentionTile.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace quantmlir;

namespace {

constexpr int64_t kBlock = CachedAttentionOp::kBlock;
constexpr int64_t kFloats = CachedAttentionOp::kSumLanes;
/// Tokens of a dot product.
constexpr int64_t kQuad = 4;
/// Bytes of the vectors within which bytes are interleaved.
constexpr int64_t kUnit = 16;

/// One block of tokens of a tile.
class BlockEmitter {
public:
  BlockEmitter(AttentionTile &tile, CachedAttentionOp::Tokens tokens,
               Value first, Value end)
      : tile(tile), kernel(tile.kernel), b(tile.b), loc(tile.loc),
        tokens(tokens), first(first), end(end) {}

  /// `isWhole`: it has kBlock tokens.
  void emit(bool isWhole) {
    emitWeights(isWhole);
    emitProducts(isWhole);
  }

private:
  void emitWeights(bool isWhole);
  /// The weights of vector `v` of row `row`, and the total with its powers.
  Value emitWeight(Value row, Value largest, int64_t v, bool isWhole,
                   Value &total);
  void quantizeWeights(Value row, ArrayRef<Value> weights);
  void emitProducts(bool isWhole);
  /// Four tokens from `token` on: bytes from `word` on, interleaved.
  SmallVector<Value> loadValues(Value token, Value word);
  /// Sums of `rows` rows from `firstRow` on, of one chunk of the values' bytes.
  void emitChunk(int64_t firstRow, int64_t rows, Value chunk, Value quads);
  void addToSums(Value row, Value chunk, int64_t part, Value acc);

  AttentionTile &tile;
  const AttentionKernel &kernel;
  OpBuilder &b;
  Location loc;
  CachedAttentionOp::Tokens tokens;
  /// Its first token, and the end of those that the tile sees.
  Value first, end;
};

} // namespace

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

Value BlockEmitter::emitWeight(Value row, Value largest, int64_t v,
                               bool isWhole, Value &total) {
  Value token = tile.plus(first, tile.index(v * kFloats));
  Value column = tile.plus(tile.getFirstColumn(tokens.areNew), token);
  Value score = tile.loadLanes(tile.scratch.scores, {row, column},
                               b.getF32Type(), kFloats, /*mask=*/{});
  Value power = math::ExpOp::create(
      b, loc, arith::SubFOp::create(b, loc, score, largest));
  Value mask;
  if (!isWhole) {
    mask = tile.maskOf(token, end, kFloats);
    power =
        arith::SelectOp::create(b, loc, mask, power, tile.number(0, kFloats));
  }
  total = arith::AddFOp::create(b, loc, total, power);
  Value scale = tile.loadLanes(tokens.valueScale, {tile.head, token},
                               b.getF32Type(), kFloats, mask);
  return arith::MulFOp::create(b, loc, power, scale);
}

void BlockEmitter::quantizeWeights(Value row, ArrayRef<Value> weights) {
  Value most = weights.front();
  for (Value weight : weights.drop_front())
    most = arith::MaximumFOp::create(b, loc, most, weight, kNoNaN);
  most = vector::ReductionOp::create(b, loc, vector::CombiningKind::MAXIMUMF,
                                     most, kNoNaN);
  auto constant = [&](float v) -> Value {
    return arith::ConstantOp::create(b, loc, b.getF32FloatAttr(v));
  };
  constexpr float top = CachedAttentionOp::kMaxWeight;
  Value factor = arith::DivFOp::create(b, loc, constant(top), most);
  Value counts =
      arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OGE, most,
                            constant(CachedAttentionOp::kLeastWeight));
  factor = arith::SelectOp::create(b, loc, counts, factor, constant(0));
  Value scale = arith::MulFOp::create(b, loc, most, constant(1.0f / top));
  memref::StoreOp::create(b, loc, scale, tile.scratch.weightScale, row);
  factor = tile.broadcast(factor, kFloats);
  for (auto [v, weight] : llvm::enumerate(weights)) {
    Value p = arith::MulFOp::create(b, loc, weight, factor);
    p = arith::AddFOp::create(b, loc, p, tile.number(kToNearestEven, kFloats));
    p = arith::BitcastOp::create(b, loc,
                                 VectorType::get({kFloats}, b.getI32Type()), p);
    p = arith::TruncIOp::create(b, loc,
                                VectorType::get({kFloats}, b.getI8Type()), p);
    vector::StoreOp::create(b, loc, p, tile.scratch.weights,
                            ValueRange{row, tile.index(v * kFloats)});
  }
}

void BlockEmitter::emitWeights(bool isWhole) {
  auto loop = scf::ForOp::create(b, loc, tile.index(0), tile.index(tile.rows),
                                 tile.index(1));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value row = loop.getInductionVar();
  Value largest = tile.broadcast(
      memref::LoadOp::create(b, loc, tile.scratch.largest, row), kFloats);
  SmallVector<Value> totalAt = {row, tile.index(0)};
  Value total = tile.loadLanes(tile.scratch.total, totalAt, b.getF32Type(),
                               kFloats, /*mask=*/{});
  SmallVector<Value> weights;
  for (int64_t v = 0; v < kBlock / kFloats; ++v)
    weights.push_back(emitWeight(row, largest, v, isWhole, total));
  vector::StoreOp::create(b, loc, total, tile.scratch.total, totalAt);
  quantizeWeights(row, weights);
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

/// Elements of `bytes` bytes of `x` and `y` by turns, from the lower or upper
/// half of each kUnit bytes.
static Value interleave(OpBuilder &b, Location loc, Value x, Value y,
                        int64_t bytes, bool upper) {
  int64_t size = cast<VectorType>(x.getType()).getNumElements();
  SmallVector<int64_t> which;
  for (int64_t unit = 0; unit < size; unit += kUnit)
    for (int64_t i = 0; i < kUnit / 2; i += bytes)
      for (int64_t source : {0, 1})
        for (int64_t byte = 0; byte < bytes; ++byte)
          which.push_back(source * size + unit + (upper ? kUnit / 2 : 0) + i +
                          byte);
  return vector::ShuffleOp::create(b, loc, x, y, which);
}

SmallVector<Value> BlockEmitter::loadValues(Value token, Value word) {
  int64_t lanes = kernel.values.getLanes();
  auto bytes = VectorType::get({kernel.values.getBytes()}, b.getI8Type());
  Value last = arith::SubIOp::create(b, loc, end, tile.index(1));
  SmallVector<Value> rows;
  for (int64_t i = 0; i < kQuad; ++i) {
    // Past the end the weights are 0: any value will do.
    Value t =
        arith::MinUIOp::create(b, loc, tile.plus(token, tile.index(i)), last);
    Value words = tile.loadLanes(tokens.values, {tile.head, t, word},
                                 b.getI32Type(), lanes, /*mask=*/{});
    rows.push_back(vector::BitCastOp::create(b, loc, bytes, words));
  }
  SmallVector<Value> values;
  for (bool upper : {false, true}) {
    Value first = interleave(b, loc, rows[0], rows[1], 1, upper);
    Value second = interleave(b, loc, rows[2], rows[3], 1, upper);
    for (bool upperPairs : {false, true})
      values.push_back(interleave(b, loc, first, second, 2, upperPairs));
  }
  if (!kernel.isInt4)
    return values;
  auto constant = [&](int8_t v) -> Value {
    return arith::ConstantOp::create(
        b, loc,
        DenseElementsAttr::get(cast<ShapedType>(bytes), b.getI8IntegerAttr(v)));
  };
  SmallVector<Value> split;
  for (Value both : values) {
    split.push_back(arith::ShLIOp::create(b, loc, both, constant(4)));
    split.push_back(arith::AndIOp::create(b, loc, both,
                                          constant(static_cast<int8_t>(0xF0))));
  }
  return split;
}

/// y = fma(f32(acc), scale of the weights, y).
void BlockEmitter::addToSums(Value row, Value chunk, int64_t part, Value acc) {
  int64_t lanes = kernel.values.getLanes();
  int64_t parts = kQuad * kernel.getNibbles();
  if (kernel.isInt4)
    acc = arith::ShRSIOp::create(b, loc, acc, tile.word(4, lanes));
  auto type = VectorType::get({lanes}, b.getF32Type());
  Value whole = arith::SIToFPOp::create(b, loc, type, acc);
  Value scale = tile.broadcast(
      memref::LoadOp::create(b, loc, tile.scratch.weightScale, row), lanes);
  SmallVector<Value> at = {row, tile.plus(tile.times(chunk, parts * lanes),
                                          tile.index(part * lanes))};
  Value old = tile.loadLanes(tile.scratch.sums, at, b.getF32Type(), lanes,
                             /*mask=*/{});
  Value sum = math::FmaOp::create(b, loc, whole, scale, old);
  vector::StoreOp::create(b, loc, sum, tile.scratch.sums, at);
}

void BlockEmitter::emitChunk(int64_t firstRow, int64_t rows, Value chunk,
                             Value quads) {
  int64_t lanes = kernel.values.getLanes();
  int64_t parts = kQuad * kernel.getNibbles();
  SmallVector<Value> sums(rows * parts, tile.word(0, lanes));
  auto loop =
      scf::ForOp::create(b, loc, tile.index(0), quads, tile.index(1), sums);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    sums = llvm::to_vector_of<Value>(loop.getRegionIterArgs());
    Value at = tile.times(loop.getInductionVar(), kQuad);
    SmallVector<Value> values =
        loadValues(tile.plus(first, at), tile.times(chunk, lanes));
    for (int64_t r = 0; r < rows; ++r) {
      Value p = tile.fourBytes(kernel.values, tile.scratch.weights,
                               ValueRange{tile.index(firstRow + r), at});
      for (int64_t part = 0; part < parts; ++part) {
        Value &sum = sums[r * parts + part];
        sum = kernel.values.add(b, loc, sum, p, values[part]);
      }
    }
    scf::YieldOp::create(b, loc, sums);
  }
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t part = 0; part < parts; ++part)
      addToSums(tile.index(firstRow + r), chunk, part,
                loop.getResult(r * parts + part));
}

void BlockEmitter::emitProducts(bool isWhole) {
  Value quads = tile.index(kBlock / kQuad);
  if (!isWhole) {
    Value left = arith::SubIOp::create(b, loc, end, first);
    quads = arith::CeilDivUIOp::create(b, loc, left, tile.index(kQuad));
  }
  int64_t chunks = kernel.op.getNumWords() / kernel.values.getLanes();
  auto loop = scf::ForOp::create(b, loc, tile.index(0), tile.index(chunks),
                                 tile.index(1));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  int64_t most = kernel.getValueRows(tile.rows);
  for (int64_t r = 0; r < tile.rows; r += most)
    emitChunk(r, std::min(most, tile.rows - r), loop.getInductionVar(), quads);
}

//===----------------------------------------------------------------------===//
// A tile
//===----------------------------------------------------------------------===//

/// Zeros in all of `memory`, whose size is a multiple of a vector's.
static void fillZeros(AttentionTile &tile, Value memory, int64_t columns) {
  for (int64_t r = 0; r < tile.rows; ++r) {
    auto loop = scf::ForOp::create(tile.b, tile.loc, tile.index(0),
                                   tile.index(columns), tile.index(kFloats));
    OpBuilder::InsertionGuard guard(tile.b);
    tile.b.setInsertionPointToStart(loop.getBody());
    vector::StoreOp::create(tile.b, tile.loc, tile.number(0, kFloats), memory,
                            ValueRange{tile.index(r), loop.getInductionVar()});
  }
}

void AttentionTile::emitSums() {
  fillZeros(*this, scratch.total, kFloats);
  fillZeros(*this, scratch.sums, kernel.d);
  for (const CachedAttentionOp::Tokens &tokens :
       {kernel.op.getPast(), kernel.op.getNew()}) {
    Value end = countSeen(tokens.areNew);
    Value rest = arith::RemUIOp::create(b, loc, end, index(kBlock));
    Value whole = arith::SubIOp::create(b, loc, end, rest);
    for (bool isWhole : {true, false}) {
      auto blocks = scf::ForOp::create(b, loc, isWhole ? index(0) : whole,
                                       isWhole ? whole : end, index(kBlock));
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(blocks.getBody());
      BlockEmitter(*this, tokens, blocks.getInductionVar(), end).emit(isWhole);
    }
  }
}

namespace {

/// Stores the sums of one row, over `total`, as the op has elements.
class ResultEmitter {
public:
  ResultEmitter(AttentionTile &tile, int64_t row)
      : tile(tile), kernel(tile.kernel), b(tile.b), loc(tile.loc), row(row),
        lanes(kernel.values.getLanes()) {}

  void emit();

private:
  Value load(Value chunk, int64_t part);
  void store(Value chunk, int64_t quarter);

  AttentionTile &tile;
  const AttentionKernel &kernel;
  OpBuilder &b;
  Location loc;
  int64_t row, lanes;
  Value total;
};

} // namespace

Value ResultEmitter::load(Value chunk, int64_t part) {
  int64_t parts = kQuad * kernel.getNibbles();
  Value column =
      tile.plus(tile.times(chunk, parts * lanes), tile.index(part * lanes));
  Value sum = tile.loadLanes(tile.scratch.sums, {tile.index(row), column},
                             b.getF32Type(), lanes, /*mask=*/{});
  return arith::DivFOp::create(b, loc, sum, tile.broadcast(total, lanes));
}

/// Vector `quarter` of a chunk has four elements of each kUnit bytes of it, or
/// their even and odd ones are two.
void ResultEmitter::store(Value chunk, int64_t quarter) {
  int64_t nibbles = kernel.getNibbles();
  SmallVector<Value> sums;
  for (int64_t i = 0; i < nibbles; ++i)
    sums.push_back(load(chunk, quarter * nibbles + i));
  for (int64_t unit = 0; unit < lanes / kQuad; ++unit) {
    SmallVector<int64_t> which;
    for (int64_t i = 0; i < kQuad; ++i)
      for (int64_t part = 0; part < nibbles; ++part)
        which.push_back(part * lanes + unit * kQuad + i);
    Value out =
        vector::ShuffleOp::create(b, loc, sums.front(), sums.back(), which);
    int64_t element = nibbles * (unit * kUnit + quarter * kQuad);
    int64_t chunkSize = kernel.values.getBytes() * nibbles;
    Value d = tile.plus(tile.times(chunk, chunkSize), tile.index(element));
    vector::StoreOp::create(b, loc, out, kernel.op.getInit(),
                            ValueRange{tile.token, tile.head,
                                       tile.plus(tile.group, tile.index(row)),
                                       d});
  }
}

void ResultEmitter::emit() {
  Value powers =
      tile.loadLanes(tile.scratch.total, {tile.index(row), tile.index(0)},
                     b.getF32Type(), kFloats, /*mask=*/{});
  total = tile.addLanes(powers);
  int64_t chunks = kernel.op.getNumWords() / lanes;
  auto loop = scf::ForOp::create(b, loc, tile.index(0), tile.index(chunks),
                                 tile.index(1));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  for (int64_t quarter = 0; quarter < kQuad; ++quarter)
    store(loop.getInductionVar(), quarter);
}

void AttentionTile::emitResult() {
  for (int64_t r = 0; r < rows; ++r)
    ResultEmitter(*this, r).emit();
}
