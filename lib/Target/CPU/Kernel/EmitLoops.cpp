//===- EmitLoops.cpp - blocks and tiles of a packed matmul ----------------===//
//
//   for rows in blocks of blockM          their left operand stays in L2
//     for panels of columns               read from memory once a block
//       for parts of K of blockK          the panel's part stays in L1
//         for tiles of rows
//           accumulators from the bias or the sums of the part before
//           loop over K
//           epilogue, or the sums to memory
//
// Rows are cut in tiles as equal as can be, so that no tile is computed on
// padding and none is much lower than the others: 128 rows in tiles of up to 6
// are 18 of 6 and 4 of 5. One microkernel is emitted for each height that can
// occur; that is all, where the number of rows is not known, from 1 on.
//
//===----------------------------------------------------------------------===//

#include "quant/Target/CPU/Kernel/EmitLoops.h"

#include "quant/Target/CPU/Kernel/StorePrefetch.h"
#include "quant/Target/CPU/Kernel/TileEpilogue.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace quantmlir;

/// The heights of tiles of up to `mr` rows that cover `rows` rows.
static void collectHeights(int64_t rows, int64_t mr,
                           llvm::SmallSetVector<int64_t, 8> &heights) {
  if (rows <= 0)
    return;
  int64_t tiles = llvm::divideCeil(rows, mr);
  heights.insert(rows / tiles);
  if (rows % tiles)
    heights.insert(rows / tiles + 1);
}

namespace {

/// Emission of all loops of one op.
class LoopEmitter {
public:
  LoopEmitter(OpBuilder &b, Location loc, const PackedKernel &kernel,
              qtarget::ScheduleAttr schedule)
      : b(b), loc(loc), kernel(kernel), mr(schedule.getRows()),
        blockM(schedule.getBlockM()),
        blockSteps(llvm::divideCeil(schedule.getBlockK(), kernel.stepSize())) {}

  void emit();

private:
  Value index(int64_t v) { return arith::ConstantIndexOp::create(b, loc, v); }
  Value add(Value x, Value y) { return arith::AddIOp::create(b, loc, x, y); }
  Value sub(Value x, Value y) { return arith::SubIOp::create(b, loc, x, y); }
  Value mul(Value x, Value y) { return arith::MulIOp::create(b, loc, x, y); }
  Value min(Value x, Value y) { return arith::MinUIOp::create(b, loc, x, y); }

  /// for i in [0, end) by step.
  void loop(Value end, int64_t step, function_ref<void(Value)> body) {
    auto loop = scf::ForOp::create(b, loc, index(0), end, index(step));
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    body(loop.getInductionVar());
  }

  void chooseHeights();
  void allocateSums();
  /// `count` tiles of `height` rows from row `first` on.
  void emitTiles(Value first, Value count, int64_t height,
                 function_ref<void(TilePosition)> body);
  /// The tiles of `count` rows from `first` on; `body` adds the panel.
  void forEachTile(Value first, Value count,
                   function_ref<void(TilePosition)> body);
  void emitPanel(Value first, Value count, Value nPanel);
  void prefetchResult(OpBuilder &b, TilePosition at);
  void emitWholeK(TilePosition at);
  void emitPartOfK(TilePosition at, Value rowInBlock, Value step);
  void finish(TilePosition at, ArrayRef<Value> accs);
  SmallVector<Value> loadSums(TilePosition at, Value rowInBlock);
  void storeSums(TilePosition at, Value rowInBlock, ArrayRef<Value> accs);

  OpBuilder &b;
  Location loc;
  const PackedKernel &kernel;
  int64_t mr, blockM, blockSteps;
  SmallVector<int64_t> heights;
  /// In how many shares tiles ask for the next part of a panel; 0 for one tile.
  int64_t shares = 0;
  /// Steps along K, and those that have all their elements.
  Value steps, wholeSteps;
  /// [blockM, NR] sums of the parts of K before; null if K is not cut.
  Value sums;
};

} // namespace

void LoopEmitter::chooseHeights() {
  int64_t m = kernel.getM();
  if (ShapedType::isDynamic(m)) {
    for (int64_t height = 1; height <= mr; ++height)
      heights.push_back(height);
    shares = kernel.linesPerStep();
    return;
  }
  shares = std::min<int64_t>(llvm::divideCeil(m, mr), kernel.linesPerStep());
  if (m <= mr)
    shares = 0;
  llvm::SmallSetVector<int64_t, 8> occurring;
  if (blockM == 0 || m <= blockM) {
    collectHeights(m, mr, occurring);
  } else {
    collectHeights(blockM, mr, occurring);
    collectHeights(m % blockM, mr, occurring);
  }
  heights = occurring.takeVector();
}

void LoopEmitter::allocateSums() {
  int64_t k = kernel.getK(), m = kernel.getM();
  if (!ShapedType::isDynamic(k) && k <= blockSteps * kernel.stepSize())
    blockSteps = 0;
  if (blockSteps == 0)
    return;
  int64_t rows = blockM ? blockM : m;
  SmallVector<Value> sizes;
  if (ShapedType::isDynamic(rows))
    sizes.push_back(memref::DimOp::create(b, loc, kernel.op.getInit(), 0));
  sums = memref::AllocOp::create(
      b, loc, MemRefType::get({rows, kernel.nr}, b.getI32Type()), sizes,
      b.getI64IntegerAttr(64));
}

void LoopEmitter::emitTiles(Value first, Value count, int64_t height,
                            function_ref<void(TilePosition)> body) {
  loop(count, 1, [&](Value tile) {
    TilePosition at = {add(first, mul(tile, index(height))), height,
                       /*nPanel=*/Value()};
    at.shares = shares;
    at.mayBeAlone = shares == 0 || ShapedType::isDynamic(kernel.getM());
    if (shares > 0)
      at.share = min(tile, index(shares - 1));
    body(at);
  });
}

void LoopEmitter::forEachTile(Value first, Value count,
                              function_ref<void(TilePosition)> body) {
  // `base` rows in each tile, one more in the first `extra`.
  int64_t m = kernel.getM();
  if (!ShapedType::isDynamic(m) && blockM == 0) {
    int64_t tiles = llvm::divideCeil(m, mr), base = m / tiles;
    int64_t extra = m % tiles;
    if (extra)
      emitTiles(first, index(extra), base + 1, body);
    return emitTiles(add(first, index(extra * (base + 1))),
                     index(tiles - extra), base, body);
  }
  Value tiles = arith::CeilDivUIOp::create(b, loc, count, index(mr));
  Value base = arith::DivUIOp::create(b, loc, count, tiles);
  Value extra = arith::RemUIOp::create(b, loc, count, tiles);
  Value higher = add(base, index(1));
  loop(index(2), 1, [&](Value group) {
    Value isSecond = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne,
                                           group, index(0));
    auto choose = [&](Value second, Value otherwise) -> Value {
      return arith::SelectOp::create(b, loc, isSecond, second, otherwise);
    };
    Value start = choose(add(first, mul(extra, higher)), first);
    Value number = choose(sub(tiles, extra), extra);
    Value height = choose(base, higher);
    auto dispatch = scf::IndexSwitchOp::create(b, loc, TypeRange{}, height,
                                               heights, heights.size());
    auto fill = [&](Region &region, std::optional<int64_t> value) {
      OpBuilder::InsertionGuard guard(b);
      b.createBlock(&region);
      if (value)
        emitTiles(start, number, *value, body);
      scf::YieldOp::create(b, loc);
    };
    // One more than the most rows of a tile: of no tile.
    fill(dispatch.getDefaultRegion(), std::nullopt);
    for (auto [i, value] : llvm::enumerate(heights))
      fill(dispatch.getCaseRegions()[i], value);
  });
}

SmallVector<Value> LoopEmitter::loadSums(TilePosition at, Value rowInBlock) {
  SmallVector<Value> accs;
  for (int64_t r = 0; r < at.height; ++r)
    for (int64_t j = 0; j < kernel.vectorsPerRow(); ++j)
      accs.push_back(vector::LoadOp::create(
          b, loc, kernel.accType(), sums,
          ValueRange{add(rowInBlock, index(r)), index(j * kernel.row.n)}));
  return accs;
}

void LoopEmitter::storeSums(TilePosition at, Value rowInBlock,
                            ArrayRef<Value> accs) {
  int64_t vectors = kernel.vectorsPerRow();
  for (auto [i, acc] : llvm::enumerate(accs))
    vector::StoreOp::create(b, loc, acc, sums,
                            ValueRange{add(rowInBlock, index(i / vectors)),
                                       index(i % vectors * kernel.row.n)});
}

void LoopEmitter::finish(TilePosition at, ArrayRef<Value> accs) {
  int64_t k = kernel.getK();
  SmallVector<Value> done(accs);
  if (ShapedType::isDynamic(k)) {
    Value isPartial = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult,
                                            wholeSteps, steps);
    auto branch = scf::IfOp::create(
        b, loc, isPartial,
        [&](OpBuilder &b, Location loc) {
          scf::YieldOp::create(
              b, loc, emitPartialStep(b, loc, kernel, at, wholeSteps, accs));
        },
        [&](OpBuilder &b, Location loc) {
          scf::YieldOp::create(b, loc, accs);
        });
    done.assign(branch.result_begin(), branch.result_end());
  } else if (k % kernel.stepSize()) {
    done = emitPartialStep(b, loc, kernel, at, wholeSteps, accs);
  }
  emitEpilogue(b, loc, kernel, at, emitUnscaledSums(b, loc, kernel, done));
}

/// Asks for the lines that the tile will store when its loop over K ends.
void LoopEmitter::prefetchResult(OpBuilder &b, TilePosition at) {
  Value column = arith::MulIOp::create(
      b, loc, at.nPanel, arith::ConstantIndexOp::create(b, loc, kernel.nr));
  Value once = arith::ConstantIndexOp::create(b, loc, 0);
  prefetchStores(b, loc, kernel.op.getInit(),
                 {at.row, column, at.height, kernel.nr}, once,
                 /*iterations=*/1);
}

void LoopEmitter::emitWholeK(TilePosition at) {
  prefetchResult(b, at);
  SmallVector<Value> accs = emitInitialAccumulators(b, loc, kernel, at);
  finish(at, emitMicrokernel(b, loc, kernel, at, index(0), wholeSteps, accs));
}

void LoopEmitter::emitPartOfK(TilePosition at, Value rowInBlock, Value step) {
  Value end = add(step, index(blockSteps));
  Value isFirst =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, step, index(0));
  Value isLast =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::uge, end, steps);
  auto start = scf::IfOp::create(
      b, loc, isFirst,
      [&](OpBuilder &b, Location loc) {
        scf::YieldOp::create(b, loc,
                             emitInitialAccumulators(b, loc, kernel, at));
      },
      [&](OpBuilder &b, Location loc) {
        SmallVector<Value> loaded = loadSums(at, rowInBlock);
        scf::YieldOp::create(b, loc, loaded);
      });
  scf::IfOp::create(b, loc, isLast, [&](OpBuilder &b, Location loc) {
    prefetchResult(b, at);
    scf::YieldOp::create(b, loc);
  });
  SmallVector<Value> accs(start.getResults());
  accs = emitMicrokernel(b, loc, kernel, at, step, min(end, wholeSteps), accs);
  scf::IfOp::create(
      b, loc, isLast,
      [&](OpBuilder &b, Location loc) {
        finish(at, accs);
        scf::YieldOp::create(b, loc);
      },
      [&](OpBuilder &b, Location loc) {
        storeSums(at, rowInBlock, accs);
        scf::YieldOp::create(b, loc);
      });
}

void LoopEmitter::emitPanel(Value first, Value count, Value nPanel) {
  if (!sums) {
    forEachTile(first, count, [&](TilePosition at) {
      at.nPanel = nPanel;
      emitWholeK(at);
    });
    return;
  }
  // Also without elements along K the bias is a result.
  Value end = arith::MaxUIOp::create(b, loc, steps, index(1));
  loop(end, blockSteps, [&](Value step) {
    forEachTile(first, count, [&](TilePosition at) {
      at.nPanel = nPanel;
      emitPartOfK(at, sub(at.row, first), step);
    });
  });
}

void LoopEmitter::emit() {
  chooseHeights();
  if (heights.empty())
    return;
  Value k = memref::DimOp::create(b, loc, kernel.lhs, 1);
  steps = memref::DimOp::create(b, loc, kernel.rhs, 1);
  wholeSteps = arith::DivUIOp::create(b, loc, k, index(kernel.stepSize()));
  allocateSums();
  Value m = memref::DimOp::create(b, loc, kernel.op.getInit(), 0);
  Value nPanels = memref::DimOp::create(b, loc, kernel.rhs, 0);
  auto emitPanels = [&](Value first, Value count) {
    loop(nPanels, 1, [&](Value panel) { emitPanel(first, count, panel); });
  };
  if (blockM == 0)
    emitPanels(index(0), m);
  else
    loop(m, blockM, [&](Value first) {
      emitPanels(first, min(index(blockM), sub(m, first)));
    });
  if (sums)
    memref::DeallocOp::create(b, loc, sums);
}

void quantmlir::emitBlockedLoops(OpBuilder &b, Location loc,
                                 const PackedKernel &kernel,
                                 qtarget::ScheduleAttr schedule) {
  LoopEmitter(b, loc, kernel, schedule).emit();
}
