//===- AMXScaledLoops.cpp - a grouped matmul on unpacked weights ----------===//

#include "AMXScaledLoops.h"

#include "quant/Target/CPU/Kernel/PanelGroups.h"
#include "quant/Target/CPU/Kernel/ScaledEmit.h"
#include "quant/Target/CPU/Kernel/UnpackNibbles.h"
#include "quant/Target/X86/AMX/AMXTile.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace quantmlir;

/// Elements along K that are unpacked at a time: 8 KiB for a panel.
static constexpr int64_t kChunkK = 512;
/// The most rows of a block, whose sums for two panels take 32 KiB, and the
/// fewest, for a long K.
static constexpr int64_t kMostRows = 256, kLeastRows = 32;

namespace {

/// Indices and loops at one location.
struct Indices {
  OpBuilder &b;
  Location loc;

  Value constant(int64_t v) const {
    return arith::ConstantIndexOp::create(b, loc, v);
  }
  Value add(Value x, Value y) const {
    return arith::AddIOp::create(b, loc, x, y);
  }
  Value add(Value x, int64_t y) const { return y ? add(x, constant(y)) : x; }
  Value sub(Value x, Value y) const {
    return arith::SubIOp::create(b, loc, x, y);
  }
  Value mul(Value x, int64_t y) const {
    return arith::MulIOp::create(b, loc, x, constant(y));
  }
  Value min(Value x, Value y) const {
    return arith::MinUIOp::create(b, loc, x, y);
  }
  Value ceilDiv(Value x, Value y) const {
    return arith::CeilDivUIOp::create(b, loc, x, y);
  }
  void loop(Value begin, Value end, Value step,
            function_ref<void(OpBuilder &, Value)> body) const {
    scf::ForOp::create(b, loc, begin, end, step, ValueRange{},
                       [&](OpBuilder &b, Location loc, Value i, ValueRange) {
                         body(b, i);
                         scf::YieldOp::create(b, loc);
                       });
  }
  void loop(Value begin, Value end,
            function_ref<void(OpBuilder &, Value)> body) const {
    loop(begin, end, constant(1), body);
  }
};

} // namespace

/// On the stack: it is some tens of KiB at most.
static Value allocate(OpBuilder &b, Location loc, ArrayRef<int64_t> shape,
                      Type element) {
  constexpr int64_t lineBytes = 64;
  return memref::AllocaOp::create(b, loc, MemRefType::get(shape, element),
                                  b.getI64IntegerAttr(lineBytes));
}

ScaledBlocks::ScaledBlocks(OpBuilder &b, qtarget::PackedMatmulOp op,
                           int64_t height, int64_t l2)
    : loc(op.getLoc()), kernel(op, getVectorsOfTiles(op.getContext()), b),
      op(op), height(height) {
  m = cast<MemRefType>(op.getInit().getType()).getDimSize(0);
  groupK = kernel.steps * op.getStepSize();
  chunkGroups = std::clamp<int64_t>(kChunkK / groupK, 1, kernel.groups);
  int64_t rowBytes = cast<MemRefType>(op.getLhs().getType()).getDimSize(1);
  mostRows = std::clamp(l2 / 2 / rowBytes, kLeastRows, kMostRows);
  if (!ShapedType::isDynamic(m))
    mostRows = std::min(mostRows, m);
  SmallVector<ReassociationIndices> merge = {{0}, {1, 2}, {3, 4}};
  plain = memref::CollapseShapeOp::create(b, loc, op.getRhs(), merge);
  if (kernel.perByte > 1)
    unpacked =
        allocate(b, loc, {kTiles, chunkGroups * groupK / 4, 4 * kernel.lanes},
                 b.getI8Type());
  // Each tile has sums of its own, also for rows that it repeats.
  sums = allocate(b, loc, {mostRows + height - 1, kTiles * kernel.lanes},
                  b.getF32Type());
}

Value ScaledBlocks::getWeightPanel(OpBuilder &b, const ScaledBlock &at,
                                   int64_t j) const {
  Indices i{b, loc};
  return kernel.perByte > 1 ? i.constant(j) : i.add(at.panel, j);
}

Value ScaledBlocks::getWeightRow(OpBuilder &b, const ScaledBlock &at,
                                 Value group) const {
  Indices i{b, loc};
  return i.mul(kernel.perByte > 1 ? i.sub(group, at.begin) : group, groupK / 4);
}

void ScaledBlocks::emit(OpBuilder &b, Body body) {
  Indices i{b, loc};
  Value rows = memref::DimOp::create(b, loc, op.getInit(), 0);
  Value panels = memref::DimOp::create(b, loc, op.getRhs(), 0);
  int64_t known = cast<MemRefType>(op.getRhs().getType()).getDimSize(0);
  auto emitRows = [&](OpBuilder &b, RowBlock rows) {
    forGroups(b, loc, Indices{b, loc}.constant(0), panels, kTiles,
              getRemainder(known, kTiles),
              [&](OpBuilder &b, Location, Value panel, int64_t count) {
                emitPanels(b, rows, panel, count, body);
              });
  };
  if (m == mostRows)
    return emitRows(b, {i.constant(0), rows});
  // As equal as can be. Should the last one have fewer rows than a tile, its
  // tile repeats rows of the block before.
  Value count = i.ceilDiv(rows, i.constant(mostRows));
  Value each = i.ceilDiv(rows, count);
  i.loop(i.constant(0), rows, each, [&](OpBuilder &b, Value begin) {
    Indices i{b, loc};
    emitRows(b, {begin, i.min(i.add(begin, each), rows)});
  });
}

/// All of K for a block of rows and `panels` panels.
void ScaledBlocks::emitPanels(OpBuilder &b, RowBlock rows, Value panel,
                              int64_t panels, Body body) {
  Indices i{b, loc};
  ScaledBlock block;
  block.panels = panels;
  block.panel = panel;
  Value groups = i.constant(kernel.groups);
  clearSums(b, i.add(i.sub(rows.end, rows.begin), height - 1), panels);
  i.loop(i.constant(0), groups, i.constant(chunkGroups),
         [&](OpBuilder &b, Value begin) {
           Indices i{b, loc};
           ScaledBlock at = block;
           at.begin = begin;
           at.end = i.min(i.add(begin, chunkGroups), groups);
           if (kernel.perByte > 1)
             unpackChunk(b, at);
           forTiles(b, rows, at, body);
         });
  forTiles(b, rows, block,
           [&](OpBuilder &b, const ScaledBlock &at) { storeRows(b, at); });
}

void ScaledBlocks::forTiles(OpBuilder &b, RowBlock rows, ScaledBlock at,
                            Body body) {
  Indices i{b, loc};
  Value lastRow = i.sub(rows.end, i.constant(height));
  Value tiles = i.ceilDiv(i.sub(rows.end, rows.begin), i.constant(height));
  std::optional<int64_t> remainder;
  if (m == mostRows)
    remainder = llvm::divideCeil(m, height) % kTiles;
  forGroups(b, loc, i.constant(0), tiles, kTiles, remainder,
            [&](OpBuilder &b, Location, Value first, int64_t count) {
              Indices i{b, loc};
              ScaledBlock some = at;
              for (int64_t t = 0; t < count; ++t) {
                Value sumRow = i.mul(i.add(first, t), height);
                some.sumRows.push_back(sumRow);
                some.rows.push_back(i.min(i.add(rows.begin, sumRow), lastRow));
              }
              body(b, some);
            });
}

void ScaledBlocks::clearSums(OpBuilder &b, Value rows, int64_t panels) {
  Indices i{b, loc};
  Value zero = arith::ConstantOp::create(
      b, loc, b.getZeroAttr(kernel.typed(b.getF32Type())));
  i.loop(i.constant(0), rows, [&](OpBuilder &b, Value row) {
    for (int64_t j = 0; j < panels; ++j) {
      Value column = Indices{b, loc}.constant(j * kernel.lanes);
      vector::StoreOp::create(b, loc, zero, sums, ValueRange{row, column});
    }
  });
}

/// Also asks for the same groups of the next panels, which then wait in L2.
void ScaledBlocks::unpackChunk(OpBuilder &b, const ScaledBlock &at) {
  Indices i{b, loc};
  Value firstStep = i.mul(at.begin, kernel.steps);
  Value endStep = i.mul(at.end, kernel.steps);
  auto type = VectorType::get({4 * kernel.lanes}, b.getI8Type());
  for (int64_t j = 0; j < at.panels; ++j) {
    Value from = i.add(at.panel, j), next = i.add(from, at.panels);
    i.loop(firstStep, endStep, [&](OpBuilder &b, Value step) {
      Indices i{b, loc};
      Value zero = i.constant(0);
      memref::PrefetchOp::create(b, loc, plain, ValueRange{next, step, zero},
                                 /*isWrite=*/false, /*localityHint=*/2,
                                 /*isDataCache=*/true);
      Value stored = vector::LoadOp::create(b, loc, type, plain,
                                            ValueRange{from, step, zero});
      Value to = i.mul(i.sub(step, firstStep), kernel.perByte);
      for (auto [number, part] :
           llvm::enumerate(unpackElements(b, loc, kernel, stored)))
        vector::StoreOp::create(
            b, loc, part, unpacked,
            ValueRange{i.constant(j), i.add(to, number), zero});
    });
  }
}

void ScaledBlocks::storeRows(OpBuilder &b, const ScaledBlock &at) {
  Indices i{b, loc};
  auto type = kernel.typed(b.getF32Type());
  for (auto [block, sumBlock] : llvm::zip(at.rows, at.sumRows)) {
    Value row = block, sumRow = sumBlock;
    i.loop(i.constant(0), i.constant(height), [&](OpBuilder &b, Value r) {
      Indices i{b, loc};
      for (int64_t j = 0; j < at.panels; ++j) {
        Value sum = vector::LoadOp::create(
            b, loc, type, sums,
            ValueRange{i.add(sumRow, r), i.constant(j * kernel.lanes)});
        storeScaledResult(b, loc, kernel, sum, i.add(row, r),
                          i.add(at.panel, j));
      }
    });
  }
}
