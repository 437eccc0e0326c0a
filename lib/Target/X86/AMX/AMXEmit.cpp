//===- AMXEmit.cpp - one block of tiles -----------------------------------===//
//
// Accumulators are loop-carried tiles that start from the column bias, which a
// load of stride 0 gives to every row. Vectors cannot read a tile: what follows
// (corrections, rescale) goes through a few KiB of memory that stay in L1.
//
//===----------------------------------------------------------------------===//

#include "AMXEmit.h"

#include "quant/Target/CPU/Kernel/StorePrefetch.h"
#include "quant/Target/CPU/Kernel/TileEpilogue.h"
#include "quant/Target/X86/AMX/AMXTile.h"

#include "mlir/Dialect/AMX/AMXDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace quantmlir;

AMXMatmul::AMXMatmul(qtarget::PackedMatmulOp op, OpBuilder &b, AMXBlock block)
    : op(op), row(op.getKernel().getRow()),
      tileRows(cast<MemRefType>(op.getLhs().getType()).getDimSize(2)),
      lhs(op.getLhs()) {
  SmallVector<ReassociationIndices> groups = {{0}, {1}, {2, 3}};
  rhs = memref::CollapseShapeOp::create(b, op.getLoc(), op.getRhs(), groups);
  auto type = MemRefType::get({block.m * tileRows, block.n * kTileColumns},
                              b.getI32Type());
  scratch = memref::AllocaOp::create(b, op.getLoc(), type,
                                     b.getI64IntegerAttr(kTileRowBytes));
}

MemRefType AMXMatmul::initType() const {
  return cast<MemRefType>(op.getInit().getType());
}

namespace {

struct BlockEmitter {
  OpBuilder &b;
  Location loc;
  const AMXMatmul &matmul;
  AMXBlock block;
  AMXPosition at;

  Value index(int64_t v) const {
    return arith::ConstantIndexOp::create(b, loc, v);
  }
  Value add(Value x, int64_t y) const {
    return y ? arith::AddIOp::create(b, loc, x, index(y)) : x;
  }
  amx::TileType accType() const {
    return amx::TileType::get({matmul.tileRows, kTileColumns}, b.getI32Type());
  }

  SmallVector<Value> initialTiles() const;
  void prefetchRhs(OpBuilder &b, Value steps, Value step) const;
  void prefetchOwnPanel(OpBuilder &b, Value panel, Value row) const;
  SmallVector<Value> multiply(ValueRange start) const;
  bool storesTilesAsTheyAre() const;
  void storeTiles(ValueRange tiles, Value memory, Value row, Value col) const;
};

/// The vectors over columns of a block, loaded once for all of its rows, and
/// the way of one row's accumulators to the result.
struct BlockEpilogue {
  const AMXMatmul &matmul;
  AMXBlock block;
  /// Of each vector of the block, without what depends on the row.
  SmallVector<RescaleTerms> terms;
  SmallVector<Value> masks, columns;
  SmallVector<SmallVector<Value>> factors;

  BlockEpilogue(const BlockEmitter &emitter);
  void emitRow(OpBuilder &b, Location loc, Value rowInBlock, Value row) const;

private:
  Value correct(OpBuilder &b, Location loc, Value acc, Value row,
                int64_t j) const;
  Value rescale(OpBuilder &b, Location loc, Value acc, Value row,
                int64_t j) const;
  /// Stores the lanes that are columns of the result.
  void store(OpBuilder &b, Location loc, Value y, Value row, int64_t j) const;
};

} // namespace

static VectorType lanesOf(Type element) {
  return VectorType::get({kTileColumns}, element);
}

static Value splat(OpBuilder &b, Location loc, Value scalar) {
  return vector::BroadcastOp::create(b, loc, lanesOf(scalar.getType()), scalar);
}

//===----------------------------------------------------------------------===//
// The loop over K
//===----------------------------------------------------------------------===//

SmallVector<Value> BlockEmitter::initialTiles() const {
  SmallVector<Value> tiles;
  Value bias = matmul.op.getColBias();
  for (int64_t i = 0; i < block.m; ++i)
    for (int64_t j = 0; j < block.n; ++j) {
      if (bias)
        tiles.push_back(amx::TileLoadOp::create(
            b, loc, accType(), bias, ValueRange{add(at.nPanel, j), index(0)},
            /*stride=*/index(0)));
      else
        tiles.push_back(amx::TileZeroOp::create(b, loc, accType()));
    }
  return tiles;
}

/// This step's share of the panels after this block's, which then wait in L2.
/// Past the last panel these are lines of nothing: prefetches do not fault.
void BlockEmitter::prefetchRhs(OpBuilder &b, Value steps, Value step) const {
  int64_t lines = matmul.rhsLinesAhead;
  if (!lines)
    return;
  Value before = arith::MulIOp::create(b, loc, at.mPanelsBefore, steps);
  Value here = arith::MulIOp::create(b, loc, step, index(block.m));
  Value line = arith::MulIOp::create(
      b, loc, arith::AddIOp::create(b, loc, before, here), index(lines));
  for (int64_t i = 0; i < lines * block.m; ++i)
    memref::PrefetchOp::create(
        b, loc, matmul.rhs,
        ValueRange{add(at.nPanel, block.n), add(line, i), index(0)},
        /*isWrite=*/false, /*localityHint=*/2, /*isDataCache=*/true);
}

/// What few rows use up faster than memory delivers: some steps ahead, into L1.
void BlockEmitter::prefetchOwnPanel(OpBuilder &b, Value panel,
                                    Value row) const {
  constexpr int64_t steps = 2;
  int64_t lines = matmul.row.k / 4;
  for (int64_t i = 0; i < lines; ++i)
    memref::PrefetchOp::create(
        b, loc, matmul.rhs,
        ValueRange{panel, add(row, steps * lines + i), index(0)},
        /*isWrite=*/false, /*localityHint=*/3, /*isDataCache=*/true);
}

SmallVector<Value> BlockEmitter::multiply(ValueRange start) const {
  Type i8 = b.getI8Type();
  auto lhsType = amx::TileType::get({matmul.tileRows, kTileRowBytes}, i8);
  auto rhsType = amx::TileType::get({kTileColumns, kTileRowBytes}, i8);
  SmallVector<Value> mPanels, nPanels;
  for (int64_t i = 0; i < block.m; ++i)
    mPanels.push_back(add(at.mPanel, i));
  for (int64_t j = 0; j < block.n; ++j)
    nPanels.push_back(add(at.nPanel, j));
  Value zero = index(0), rowsOfStep = index(matmul.row.k / 4);
  Value steps = memref::DimOp::create(b, loc, matmul.lhs, 1);
  int64_t numSteps = cast<MemRefType>(matmul.lhs.getType()).getDimSize(1);
  StoredBlock stores = {
      arith::MulIOp::create(b, loc, at.mPanel, index(matmul.tileRows)),
      arith::MulIOp::create(b, loc, at.nPanel, index(kTileColumns)),
      block.m * matmul.tileRows, block.n * kTileColumns};
  auto body = [&](OpBuilder &b, Location loc, Value step, ValueRange accs) {
    prefetchRhs(b, steps, step);
    prefetchStores(b, loc, matmul.op.getInit(), stores, step, numSteps);
    Value rhsRow = arith::MulIOp::create(b, loc, step, rowsOfStep);
    SmallVector<Value> next(accs), right(block.n);
    for (int64_t i = 0; i < block.m; ++i) {
      Value left =
          amx::TileLoadOp::create(b, loc, lhsType, matmul.lhs,
                                  ValueRange{mPanels[i], step, zero, zero});
      for (int64_t j = 0; j < block.n; ++j) {
        if (i == 0 && !matmul.rhsLinesAhead)
          prefetchOwnPanel(b, nPanels[j], rhsRow);
        if (i == 0)
          right[j] =
              amx::TileLoadOp::create(b, loc, rhsType, matmul.rhs,
                                      ValueRange{nPanels[j], rhsRow, zero});
        Value &acc = next[i * block.n + j];
        acc =
            amx::TileMulIOp::create(b, loc, acc.getType(), left, right[j], acc,
                                    /*isZextLhs=*/matmul.row.lhs.isUnsigned,
                                    /*isZextRhs=*/matmul.row.rhs.isUnsigned);
      }
    }
    scf::YieldOp::create(b, loc, next);
  };
  return SmallVector<Value>(
      scf::ForOp::create(b, loc, zero, steps, index(1), start, body)
          .getResults());
}

//===----------------------------------------------------------------------===//
// The way to the result
//===----------------------------------------------------------------------===//

/// Whether the result is the accumulators, and no tile reaches past its edges.
bool BlockEmitter::storesTilesAsTheyAre() const {
  int64_t m = matmul.getM(), n = matmul.getN();
  return matmul.op.getEpilogue() == qtarget::PackedMatmulOp::Epilogue::None &&
         !matmul.op.getRowFactors() && !ShapedType::isDynamic(m) &&
         !ShapedType::isDynamic(n) && m % matmul.tileRows == 0 &&
         n % kTileColumns == 0;
}

void BlockEmitter::storeTiles(ValueRange tiles, Value memory, Value row,
                              Value col) const {
  for (int64_t i = 0; i < block.m; ++i)
    for (int64_t j = 0; j < block.n; ++j)
      amx::TileStoreOp::create(
          b, loc, memory,
          ValueRange{add(row, i * matmul.tileRows), add(col, j * kTileColumns)},
          tiles[i * block.n + j]);
}

BlockEpilogue::BlockEpilogue(const BlockEmitter &emitter)
    : matmul(emitter.matmul), block(emitter.block) {
  OpBuilder &b = emitter.b;
  Location loc = emitter.loc;
  qtarget::PackedMatmulOp op = matmul.op;
  auto load = [&](Value packed, int64_t j, ValueRange leading = {}) -> Value {
    Type element = cast<MemRefType>(packed.getType()).getElementType();
    if (getMemRefRank(packed) == 0)
      return splat(b, loc, memref::LoadOp::create(b, loc, packed));
    SmallVector<Value> indices(leading);
    indices.append({emitter.add(emitter.at.nPanel, j), emitter.index(0)});
    return vector::LoadOp::create(b, loc, lanesOf(element), packed, indices);
  };
  int64_t n = matmul.getN();
  bool needsMask = ShapedType::isDynamic(n) || n % kTileColumns != 0;
  Value size = memref::DimOp::create(b, loc, op.getInit(), 1);
  for (int64_t j = 0; j < block.n; ++j) {
    columns.push_back(arith::MulIOp::create(b, loc,
                                            emitter.add(emitter.at.nPanel, j),
                                            emitter.index(kTileColumns)));
    terms.push_back(
        loadColumnTerms(op, [&](Value packed) { return load(packed, j); }));
    if (needsMask)
      masks.push_back(vector::CreateMaskOp::create(
          b, loc, lanesOf(b.getI1Type()),
          arith::SubIOp::create(b, loc, size, columns[j]).getResult()));
    SmallVector<Value> &ofColumn = factors.emplace_back();
    if (Value cols = op.getColFactors())
      for (int64_t r = 0, e = cast<MemRefType>(cols.getType()).getDimSize(0);
           r < e; ++r)
        ofColumn.push_back(load(cols, j, emitter.index(r)));
  }
}

Value BlockEpilogue::correct(OpBuilder &b, Location loc, Value acc, Value row,
                             int64_t j) const {
  for (auto [r, column] : llvm::enumerate(factors[j])) {
    Value factor = memref::LoadOp::create(
        b, loc, matmul.op.getRowFactors(),
        ValueRange{arith::ConstantIndexOp::create(b, loc, r), row});
    Value product =
        arith::MulIOp::create(b, loc, splat(b, loc, factor), column);
    acc = arith::AddIOp::create(b, loc, acc, product);
  }
  return acc;
}

Value BlockEpilogue::rescale(OpBuilder &b, Location loc, Value acc, Value row,
                             int64_t j) const {
  qtarget::PackedMatmulOp op = matmul.op;
  RescaleTerms ofRow = terms[j];
  if (Value scale = loadRowScale(b, loc, op, row))
    ofRow.rowScale = splat(b, loc, scale);
  ofRow.residual = loadResidual(b, loc, op, lanesOf(b.getF32Type()),
                                ValueRange{row, columns[j]},
                                masks.empty() ? Value() : masks[j]);
  return emitRescale(b, loc, acc, ofRow, matmul.initType().getElementType());
}

void BlockEpilogue::emitRow(OpBuilder &b, Location loc, Value rowInBlock,
                            Value row) const {
  Value init = matmul.op.getInit();
  for (int64_t j = 0; j < block.n; ++j) {
    Value offset = arith::ConstantIndexOp::create(b, loc, j * kTileColumns);
    Value acc =
        vector::LoadOp::create(b, loc, lanesOf(b.getI32Type()), matmul.scratch,
                               ValueRange{rowInBlock, offset});
    Value y = rescale(b, loc, correct(b, loc, acc, row, j), row, j);
    if (!masks.empty())
      store(b, loc, y, row, j);
    else
      vector::StoreOp::create(b, loc, y, init, ValueRange{row, columns[j]});
  }
}

void BlockEpilogue::store(OpBuilder &b, Location loc, Value y, Value row,
                          int64_t j) const {
  Value init = matmul.op.getInit();
  if (matmul.getN() % kTileColumns != 1) {
    vector::MaskedStoreOp::create(b, loc, init, ValueRange{row, columns[j]},
                                  masks[j], y);
    return;
  }
  // LLVM 22 stores four bytes for a single i8 lane under a constant mask (it
  // extracts the lane of the vector before its truncation): N = 17, 33, ...
  auto storeOne = [&](OpBuilder &b, Location loc) {
    Value lane = vector::ExtractOp::create(b, loc, y, ArrayRef<int64_t>{0});
    memref::StoreOp::create(b, loc, lane, init, ValueRange{row, columns[j]});
    scf::YieldOp::create(b, loc);
  };
  auto storeAll = [&](OpBuilder &b, Location loc) {
    vector::StoreOp::create(b, loc, y, init, ValueRange{row, columns[j]});
    scf::YieldOp::create(b, loc);
  };
  Value isLast = arith::CmpIOp::create(
      b, loc, arith::CmpIPredicate::eq, columns[j],
      arith::ConstantIndexOp::create(b, loc, matmul.getN() - 1));
  scf::IfOp::create(b, loc, isLast, storeOne, storeAll);
}

void quantmlir::emitAMXBlock(OpBuilder &b, Location loc,
                             const AMXMatmul &matmul, AMXBlock block,
                             AMXPosition at) {
  BlockEmitter emitter{b, loc, matmul, block, at};
  SmallVector<Value> tiles = emitter.multiply(emitter.initialTiles());
  Value tileRows = emitter.index(matmul.tileRows);
  Value firstRow = arith::MulIOp::create(b, loc, at.mPanel, tileRows);
  Value zero = emitter.index(0);
  if (emitter.storesTilesAsTheyAre()) {
    Value firstCol =
        arith::MulIOp::create(b, loc, at.nPanel, emitter.index(kTileColumns));
    return emitter.storeTiles(tiles, matmul.op.getInit(), firstRow, firstCol);
  }
  emitter.storeTiles(tiles, matmul.scratch, zero, zero);
  BlockEpilogue epilogue(emitter);
  Value rows = emitter.index(block.m * matmul.tileRows);
  int64_t m = matmul.getM();
  if (ShapedType::isDynamic(m) || m % matmul.tileRows != 0) {
    Value size = memref::DimOp::create(b, loc, matmul.op.getInit(), 0);
    Value left = arith::SubIOp::create(b, loc, size, firstRow);
    rows = arith::MinUIOp::create(b, loc, rows, left);
  }
  scf::ForOp::create(b, loc, zero, rows, emitter.index(1), ValueRange{},
                     [&](OpBuilder &b, Location loc, Value r, ValueRange) {
                       Value row = arith::AddIOp::create(b, loc, firstRow, r);
                       epilogue.emitRow(b, loc, r, row);
                       scf::YieldOp::create(b, loc);
                     });
}
