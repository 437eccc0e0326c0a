//===- GemmKernel.cpp - tiles through shared memory -----------------------===//
//
// A block computes blockM x blockN of the result. Tiles of both operands, one
// block of KR along K at a time, go through a ring of `stages` buffers in
// shared memory, filled ahead by cp.async (or by loads, on chips without it).
//
// Rows of a tile are 64 bytes and follow each other; their four chunks of 16
// bytes are swizzled (StageRing::swizzle), so that ldmatrix meets no bank
// twice. It puts the registers of an instruction next to each other, as
// mma.sync takes them; loads of 16 bytes a lane, which need no swizzle, do not,
// and moving them took more than half of the main loop's instructions.
//
// Where a grid of tiles would leave multiprocessors without work, several
// blocks share out the K of a tile. Each adds its sums (integers: in any order)
// to the workspace and then counts itself; the last one to do so takes them out
// again, leaves zeros for the next launch, and goes on to the epilogue.
//
//===----------------------------------------------------------------------===//

#include "quant/Target/GPU/GemmKernel.h"
#include "quant/Target/GPU/KernelEpilogue.h"
#include "quant/Target/GPU/StageRing.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace quantmlir;
using namespace quantmlir::device;

namespace {

constexpr int64_t kWordBytes = 4;

class GemmEmitter {
public:
  GemmEmitter(KernelBuilder &k, gpu::GPUFuncOp func, const Problem &problem,
              const Schedule &schedule, Value sharedMemory)
      : k(k), func(func), problem(problem), schedule(schedule),
        sharedMemory(sharedMemory), thread(k.threadId()),
        isSwizzled(problem.row.m > 1), ring(k, schedule, sharedMemory, thread) {
  }

  void emit(CreateTile createTile);

private:
  void planCopies();
  SmallVector<Value> mainLoop(TileMultiply &tile);
  void combineSplits(ArrayRef<Value> sums,
                     function_ref<void(ValueRange)> finish);
  void epilogue(TileMultiply &tile, ValueRange sums);
  void finishRows(TileMultiply &tile, ValueRange sums, int64_t first,
                  ArrayRef<Value> rows);

  KernelBuilder &k;
  gpu::GPUFuncOp func;
  const Problem &problem;
  const Schedule &schedule;
  Value sharedMemory;
  Value thread;
  /// ldmatrix and wgmma read swizzled tiles, dp4a's lanes rows as they are.
  bool isSwizzled;
  StageRing ring;
  TileOrigin origin;
  /// This block's part of the blocks of KR along K.
  Value firstBlock, endBlock;
};

} // namespace

/// A thread's chunks are the same one of rows (columns) that a whole number of
/// swizzled groups lies between: all but the first are constants from it.
/// cp.async of no bytes reads nothing: only loads need addresses inside.
void GemmEmitter::planCopies() {
  constexpr int64_t chunk = StageRing::chunkBytes;
  constexpr int64_t rowChunks = Problem::blockBytes / chunk;
  auto place = [&](Value first) {
    return isSwizzled ? StageRing::swizzle(k, first) : k.mul(first, chunk);
  };
  /// Chunk `first` + `further` of rows (panels) of `bytes` bytes and `perRow`
  /// chunks each; row `origin` is the first, and there are `end`.
  auto describe = [&](Value base, Value origin, Value end, int64_t bytes,
                      int64_t perRow, Value first, int64_t further) {
    Value start = k.add(origin, k.div(first, perRow));
    Value row = k.add(start, further / perRow);
    int64_t moved = further / perRow * bytes;
    Value at = start;
    if (!schedule.asyncCopies) {
      at = k.min(row, k.add(end, -1));
      moved = 0;
    }
    Value source =
        k.offset(k.offset(base, at, bytes), k.rem(first, perRow), chunk);
    return StageRing::Chunk{source,       k.less(row, end),
                            place(first), perRow * chunk,
                            moved,        further * chunk};
  };
  ring.plan(schedule.blockM * rowChunks, [&](Value first, int64_t further) {
    return describe(k.globalPointer(func.getArgument(kLhs)), origin.row,
                    func.getArgument(kM), problem.rowBytes(), rowChunks, first,
                    further);
  });
  constexpr int64_t columns = Problem::panelColumns;
  constexpr int64_t panelBytes = columns * Problem::blockBytes;
  ring.plan(schedule.blockN * rowChunks, [&](Value first, int64_t further) {
    StageRing::Chunk panel = describe(
        k.globalPointer(func.getArgument(kRhs)), k.div(origin.column, columns),
        k.constant(problem.panels), problem.kBlocks * panelBytes,
        columns * rowChunks, first, further);
    panel.targetFurther += schedule.lhsStageBytes();
    return panel;
  });
}

SmallVector<Value> GemmEmitter::mainLoop(TileMultiply &tile) {
  SmallVector<Value> carried = {ring.begin(firstBlock, endBlock)};
  llvm::append_range(carried, tile.zeros());
  SmallVector<Value> last = k.loop(
      firstBlock, endBlock, schedule.blocksTogether, carried,
      [&](Value block, ValueRange values) {
        Value cursor = values[0];
        Value stage = ring.await(cursor);
        // wgmma works meanwhile, other instructions go on with the registers.
        if (!schedule.warpgroups)
          ring.refill(block, endBlock, cursor);
        SmallVector<Value> result = {cursor};
        llvm::append_range(result, tile.multiply(stage, values.drop_front()));
        if (schedule.warpgroups) {
          ring.refill(block, endBlock, cursor);
          tile.leaveOneStage();
        }
        return result;
      });
  return tile.finish(ArrayRef<Value>(last).drop_front());
}

/// Calls `finish` on the sums of all blocks of this tile in the last of them.
void GemmEmitter::combineSplits(ArrayRef<Value> sums,
                                function_ref<void(ValueRange)> finish) {
  int64_t tilesN =
      llvm::divideCeil(problem.panels * Problem::panelColumns, schedule.blockN);
  Value tile = k.add(k.mul(k.blockId(1), tilesN), k.blockId(0));
  Value counter = k.offset(k.globalPointer(func.getArgument(kWorkspace)), tile,
                           schedule.workspaceBytes());
  // Neighbouring threads have neighbouring words.
  auto slot = [&](int64_t i) {
    Value word = k.add(thread, i * schedule.threads() +
                                   Schedule::kCounterBytes / kWordBytes);
    return k.offset(counter, word, kWordBytes);
  };
  for (auto [i, sum] : llvm::enumerate(sums))
    k.atomicAdd(slot(i), sum);
  k.fence();
  k.barrier();
  Value isFirstThread = k.equal(thread, k.constant(0));
  k.ifThen(isFirstThread, [&] {
    Value earlier = k.atomicAdd(counter, k.constant(1));
    k.store(sharedMemory, earlier, kWordBytes);
  });
  k.barrier();
  Value earlier = k.load(sharedMemory, k.i32(), kWordBytes);
  k.ifThen(k.equal(earlier, k.constant(schedule.splits - 1)), [&] {
    k.fence();
    SmallVector<Value> totals;
    for (int64_t i = 0, e = sums.size(); i < e; ++i)
      totals.push_back(k.loadShared(slot(i)));
    for (int64_t i = 0, e = sums.size(); i < e; ++i)
      k.store(slot(i), k.constant(0), kWordBytes);
    k.ifThen(isFirstThread,
             [&] { k.store(counter, k.constant(0), kWordBytes); });
    finish(totals);
  });
}

/// Of rows `first`... of the thread's.
void GemmEmitter::finishRows(TileMultiply &tile, ValueRange sums, int64_t first,
                             ArrayRef<Value> rows) {
  KernelEpilogue epilogue(k, func, problem);
  Value m = func.getArgument(kM), lastRow = k.add(m, -1);
  int64_t together = tile.columnsTogether();
  Value lastColumn =
      k.constant(problem.panels * Problem::panelColumns - together);
  SmallVector<KernelEpilogue::RowTerms> rowTerms;
  for (Value row : rows)
    rowTerms.push_back(epilogue.loadRow(k.min(row, lastRow)));
  // Loads ahead of stores, which would keep them from starting: a large block
  // is alone on its multiprocessor, and nothing else hides how long they take.
  // dp4a's tiles are small, and leave no registers.
  SmallVector<Value> columns = tile.columns(origin.column);
  int64_t count = columns.size();
  int64_t ahead = isSwizzled ? epilogue.columnsAhead(together) : 1;
  int64_t window = isSwizzled ? 2 * ahead : 1;
  SmallVector<KernelEpilogue::ColumnTerms> columnTerms;
  for (int64_t c = 0; c < count; ++c) {
    Value column = columns[c];
    for (int64_t i = columnTerms.size(), e = std::min(c + window, count);
         c % ahead == 0 && i < e; ++i)
      columnTerms.push_back(
          epilogue.loadColumns(k.min(columns[i], lastColumn), together));
    // All of them first: a store would keep later loads from starting.
    SmallVector<Value> residuals;
    for (Value row : rows)
      residuals.push_back(
          epilogue.loadResidual(k.min(row, lastRow), column, together));
    for (auto [r, row] : llvm::enumerate(rows)) {
      Value values = epilogue.apply(tile.sum(sums, first + r, c), rowTerms[r],
                                    columnTerms[c], residuals[r]);
      k.ifThen(k.less(row, m),
               [&, row = row] { epilogue.store(row, column, values); });
    }
  }
}

void GemmEmitter::epilogue(TileMultiply &tile, ValueRange sums) {
  // A large tile's sums leave no registers for the residuals of all its rows.
  constexpr int64_t residualRows = 4;
  SmallVector<Value> rows = tile.rows(origin.row);
  int64_t count = rows.size();
  int64_t together = problem.op.getResidual() ? residualRows : count;
  for (int64_t first = 0; first < count; first += together)
    finishRows(
        tile, sums, first,
        ArrayRef<Value>(rows).slice(first, std::min(together, count - first)));
}

void GemmEmitter::emit(CreateTile createTile) {
  int64_t columns = problem.panels * Problem::panelColumns;
  origin = placeBlock(k, func, schedule,
                      memrefType(problem.op.getInit()).getDimSize(0), columns);
  firstBlock = k.constant(0);
  endBlock = k.constant(problem.kBlocks);
  if (schedule.splits > 1) {
    Value split = k.blockId(2);
    firstBlock = k.div(k.mul(split, problem.kBlocks), schedule.splits);
    endBlock = k.div(k.mul(k.add(split, 1), problem.kBlocks), schedule.splits);
  }
  planCopies();
  std::unique_ptr<TileMultiply> tile = createTile(thread);
  SmallVector<Value> sums = mainLoop(*tile);
  if (schedule.splits == 1)
    return epilogue(*tile, sums);
  combineSplits(sums, [&](ValueRange totals) { epilogue(*tile, totals); });
}

void device::emitGemmKernel(KernelBuilder &k, gpu::GPUFuncOp func,
                            const Problem &problem, const Schedule &schedule,
                            Value sharedMemory, CreateTile createTile) {
  GemmEmitter(k, func, problem, schedule, sharedMemory).emit(createTile);
}
