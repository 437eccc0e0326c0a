//===- AMXScaledKernel.cpp - grouped matmuls on tile registers ------------===//
//
// Two tiles of rows by two panels of columns. A tile's integers have to pass
// through memory at the end of each group, for vectors cannot read a tile; the
// sums of floats are in memory for the same reason that they are many: four
// tiles are 64 vectors.
//
//===----------------------------------------------------------------------===//

#include "AMXScaledKernel.h"

#include "AMXScaledLoops.h"
#include "quant/Target/CPU/Kernel/ScaledEmit.h"
#include "quant/Target/CPU/Kernel/StorePrefetch.h"
#include "quant/Target/X86/AMX/AMXTile.h"

#include "mlir/Dialect/AMX/AMXDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace quantmlir;

namespace {

/// A block's chunk, group by group.
class ScaledTileEmitter {
public:
  ScaledTileEmitter(OpBuilder &b, Location loc, const ScaledBlocks &blocks)
      : loc(loc), blocks(blocks), kernel(blocks.getKernel()), op(kernel.op),
        height(blocks.getHeight()),
        tileK(getScaledTileK(blocks.getGroupK(), op.getRhsBits())) {
    constexpr int64_t lineBytes = 64;
    integers = memref::AllocaOp::create(
        b, loc,
        MemRefType::get({ScaledBlocks::kTiles * height,
                         ScaledBlocks::kTiles * kTileColumns},
                        b.getI32Type()),
        b.getI64IntegerAttr(lineBytes));
  }

  void emit(OpBuilder &b, const ScaledBlock &at) {
    StoredBlock stores = {at.rows.front(), mul(b, at.panel, kTileColumns),
                          static_cast<int64_t>(at.rows.size()) * height,
                          at.panels * kTileColumns};
    loop(b, at.begin, at.end, [&](OpBuilder &b, Value group) {
      for (auto [i, tile] : llvm::enumerate(multiplyGroup(b, at, group)))
        amx::TileStoreOp::create(
            b, loc, integers,
            ValueRange{index(b, i / at.panels * height),
                       index(b, i % at.panels * kTileColumns)},
            tile);
      addToSums(b, at, group);
      prefetchStores(b, loc, op.getInit(), stores, group, kernel.groups);
    });
  }

private:
  SmallVector<Value> multiplyGroup(OpBuilder &b, const ScaledBlock &at,
                                   Value group);
  SmallVector<Value> multiplyStep(OpBuilder &b, const ScaledBlock &at,
                                  ValueRange accs, Value lhsColumn,
                                  Value weightRow);
  void addToSums(OpBuilder &b, const ScaledBlock &at, Value group);

  Value index(OpBuilder &b, int64_t v) {
    return arith::ConstantIndexOp::create(b, loc, v);
  }
  Value add(OpBuilder &b, Value x, Value y) {
    return arith::AddIOp::create(b, loc, x, y);
  }
  Value mul(OpBuilder &b, Value x, int64_t y) {
    return arith::MulIOp::create(b, loc, x, index(b, y));
  }
  void loop(OpBuilder &b, Value begin, Value end,
            function_ref<void(OpBuilder &, Value)> body) {
    scf::ForOp::create(b, loc, begin, end, index(b, 1), ValueRange{},
                       [&](OpBuilder &b, Location loc, Value i, ValueRange) {
                         body(b, i);
                         scf::YieldOp::create(b, loc);
                       });
  }

  Location loc;
  const ScaledBlocks &blocks;
  const ScaledKernel &kernel;
  qtarget::PackedMatmulOp op;
  /// Rows, and elements along K, of a tile.
  int64_t height, tileK;
  /// The tiles' integers on their way to vectors.
  Value integers;
};

} // namespace

SmallVector<Value> ScaledTileEmitter::multiplyGroup(OpBuilder &b,
                                                    const ScaledBlock &at,
                                                    Value group) {
  auto accType = amx::TileType::get({height, kTileColumns}, b.getI32Type());
  SmallVector<Value> accs;
  for (int64_t i = 0, e = at.rows.size() * at.panels; i < e; ++i)
    accs.push_back(amx::TileZeroOp::create(b, loc, accType));
  Value row = blocks.getWeightRow(b, at, group);
  Value column = mul(b, group, blocks.getGroupK());
  // Tiles that a loop carries may cost copies: few steps need none.
  constexpr int64_t mostUnrolled = 4;
  int64_t steps = blocks.getGroupK() / tileK;
  if (steps <= mostUnrolled) {
    for (int64_t s = 0; s < steps; ++s)
      accs = multiplyStep(b, at, accs, add(b, column, index(b, s * tileK)),
                          add(b, row, index(b, s * tileK / 4)));
    return accs;
  }
  auto loop = scf::ForOp::create(
      b, loc, index(b, 0), index(b, steps), index(b, 1), accs,
      [&](OpBuilder &b, Location loc, Value s, ValueRange carried) {
        scf::YieldOp::create(b, loc,
                             multiplyStep(b, at, carried,
                                          add(b, column, mul(b, s, tileK)),
                                          add(b, row, mul(b, s, tileK / 4))));
      });
  return SmallVector<Value>(loop.getResults());
}

SmallVector<Value> ScaledTileEmitter::multiplyStep(OpBuilder &b,
                                                   const ScaledBlock &at,
                                                   ValueRange accs,
                                                   Value lhsColumn,
                                                   Value weightRow) {
  const qtarget::KernelRow &row = op.getKernel().getRow();
  auto lhsType = amx::TileType::get({height, tileK}, b.getI8Type());
  auto rhsType = amx::TileType::get({tileK / 4, kTileRowBytes}, b.getI8Type());
  SmallVector<Value> next(accs), right(at.panels);
  for (auto [i, firstRow] : llvm::enumerate(at.rows)) {
    Value left = amx::TileLoadOp::create(b, loc, lhsType, op.getLhs(),
                                         ValueRange{firstRow, lhsColumn});
    for (int64_t j = 0; j < at.panels; ++j) {
      if (i == 0)
        right[j] =
            amx::TileLoadOp::create(b, loc, rhsType, blocks.getWeight(),
                                    ValueRange{blocks.getWeightPanel(b, at, j),
                                               weightRow, index(b, 0)});
      Value &acc = next[i * at.panels + j];
      acc = amx::TileMulIOp::create(b, loc, acc.getType(), left, right[j], acc,
                                    /*isZextLhs=*/row.lhs.isUnsigned,
                                    /*isZextRhs=*/row.rhs.isUnsigned);
    }
  }
  return next;
}

void ScaledTileEmitter::addToSums(OpBuilder &b, const ScaledBlock &at,
                                  Value group) {
  SmallVector<GroupColumns> columns;
  for (int64_t j = 0; j < at.panels; ++j)
    columns.push_back(
        loadGroupColumns(b, loc, kernel, add(b, at.panel, index(b, j)), group));
  VectorType i32 = kernel.typed(b.getI32Type()),
             f32 = kernel.typed(b.getF32Type());
  for (int64_t i = 0, e = at.rows.size(); i < e; ++i)
    loop(b, index(b, 0), index(b, height), [&](OpBuilder &b, Value r) {
      Value row = add(b, at.rows[i], r), sumRow = add(b, at.sumRows[i], r);
      Value tileRow = add(b, r, index(b, i * height));
      Value bias = broadcastRowBias(b, loc, kernel, row, group);
      for (int64_t j = 0; j < at.panels; ++j) {
        Value column = index(b, j * kTileColumns);
        Value acc = vector::LoadOp::create(b, loc, i32, integers,
                                           ValueRange{tileRow, column});
        if (bias)
          acc = arith::AddIOp::create(b, loc, acc, bias);
        Value sum = vector::LoadOp::create(b, loc, f32, blocks.getSums(),
                                           ValueRange{sumRow, column});
        sum = endGroup(b, loc, kernel, acc, sum, row, group, columns[j]);
        vector::StoreOp::create(b, loc, sum, blocks.getSums(),
                                ValueRange{sumRow, column});
      }
    });
}

void quantmlir::emitAMXScaledMatmul(OpBuilder &b, qtarget::PackedMatmulOp op,
                                    int64_t l2) {
  int64_t m = cast<MemRefType>(op.getInit().getType()).getDimSize(0);
  int64_t height = chooseAMXTile(op.getKernel().getRow(), m).mr;
  ScaledBlocks blocks(b, op, height, l2);
  ScaledTileEmitter tile(b, op.getLoc(), blocks);
  blocks.emit(b,
              [&](OpBuilder &b, const ScaledBlock &at) { tile.emit(b, at); });
}
