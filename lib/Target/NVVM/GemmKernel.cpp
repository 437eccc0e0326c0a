//===- GemmKernel.cpp - tiles through shared memory -----------------------===//
//
// A block computes blockM x blockN of the result. Tiles of both operands, one
// block of KR along K at a time, go through a ring of `stages` buffers in
// shared memory, filled ahead by cp.async (or by loads, on chips without it).
//
// Rows of a tile are 64 bytes and follow each other; their four chunks of 16
// bytes are swizzled (StageRing::swizzle), so that ldmatrix meets no bank twice.
// It puts the registers of an instruction next to each other, as mma.sync takes
// them; loads of 16 bytes a lane, which need no swizzle, do not, and moving them
// took more than half of the main loop's instructions.
//
// Where a grid of tiles would leave multiprocessors without work, several
// blocks share out the K of a tile. Each adds its sums (integers: in any order)
// to the workspace and then counts itself; the last one to do so takes them out
// again, leaves zeros for the next launch, and goes on to the epilogue.
//
//===----------------------------------------------------------------------===//

#include "Kernel.h"
#include "StageRing.h"
#include "TileMultiply.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace quantmlir;
using namespace quantmlir::nvvm;

namespace {

constexpr int64_t kWordBytes = 4;

class GemmEmitter {
public:
  GemmEmitter(KernelBuilder &k, gpu::GPUFuncOp func, const Problem &problem,
              const Schedule &schedule, Value sharedMemory)
      : k(k), func(func), problem(problem), schedule(schedule),
        sharedMemory(sharedMemory), thread(k.threadId()),
        isSwizzled(problem.row.family == qtarget::IntrinsicFamily::MmaSync),
        ring(k, schedule, sharedMemory, thread) {}

  void emit();

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

void GemmEmitter::planCopies() {
  Value lastRow = k.add(func.getArgument(kM), -1);
  Value lhs = k.globalPointer(func.getArgument(kLhs));
  Value rhs = k.globalPointer(func.getArgument(kRhs));
  constexpr int64_t chunk = StageRing::chunkBytes;
  constexpr int64_t rowChunks = Problem::blockBytes / chunk;
  auto place = [&](Value number) {
    return isSwizzled ? StageRing::swizzle(k, number) : k.mul(number, chunk);
  };
  ring.plan(schedule.blockM * rowChunks, [&](Value number) {
    Value row = k.add(origin.row, k.div(number, rowChunks));
    Value source = k.offset(lhs, k.min(row, lastRow), problem.rowBytes());
    source = k.offset(source, k.rem(number, rowChunks), chunk);
    return StageRing::Chunk{source, k.less(row, func.getArgument(kM)),
                            place(number), Problem::blockBytes};
  });
  constexpr int64_t columns = Problem::panelColumns;
  constexpr int64_t panelChunks = columns * rowChunks;
  constexpr int64_t panelBytes = columns * Problem::blockBytes;
  Value firstPanel = k.div(origin.column, columns);
  ring.plan(schedule.blockN * rowChunks, [&](Value number) {
    Value panel = k.add(firstPanel, k.div(number, panelChunks));
    Value inside = k.less(panel, k.constant(problem.panels));
    Value clamped = k.min(panel, k.constant(problem.panels - 1));
    Value source = k.offset(rhs, clamped, problem.kBlocks * panelBytes);
    source = k.offset(source, k.rem(number, panelChunks), chunk);
    Value target =
        k.add(place(number), schedule.blockM * Problem::blockBytes);
    return StageRing::Chunk{source, inside, target, panelBytes};
  });
}

SmallVector<Value> GemmEmitter::mainLoop(TileMultiply &tile) {
  SmallVector<Value> carried = {ring.begin(firstBlock, endBlock)};
  llvm::append_range(carried, tile.zeros());
  SmallVector<Value> last = k.loop(
      firstBlock, endBlock, 1, carried, [&](Value block, ValueRange values) {
        Value cursor = values[0];
        Value stage = ring.advance(block, endBlock, cursor);
        SmallVector<Value> result = {cursor};
        llvm::append_range(result, tile.multiply(stage, values.drop_front()));
        return result;
      });
  return SmallVector<Value>(ArrayRef<Value>(last).drop_front());
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
  for (auto [c, column] : llvm::enumerate(tile.columns(origin.column))) {
    auto columnTerms =
        epilogue.loadColumns(k.min(column, lastColumn), together);
    // All of them first: a store would keep later loads from starting.
    SmallVector<Value> residuals;
    for (Value row : rows)
      residuals.push_back(
          epilogue.loadResidual(k.min(row, lastRow), column, together));
    for (auto [r, row] : llvm::enumerate(rows)) {
      Value values = epilogue.apply(tile.sum(sums, first + r, c), rowTerms[r],
                                    columnTerms, residuals[r]);
      k.ifThen(k.less(row, m), [&, row = row, column = column] {
        epilogue.store(row, column, values);
      });
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

void GemmEmitter::emit() {
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
  std::unique_ptr<TileMultiply> tile =
      TileMultiply::create(k, problem.row, schedule, thread);
  SmallVector<Value> sums = mainLoop(*tile);
  if (schedule.splits == 1)
    return epilogue(*tile, sums);
  combineSplits(sums, [&](ValueRange totals) { epilogue(*tile, totals); });
}

void nvvm::emitGemmKernel(KernelBuilder &k, gpu::GPUFuncOp func,
                          const Problem &problem, const Schedule &schedule,
                          Value sharedMemory) {
  GemmEmitter(k, func, problem, schedule, sharedMemory).emit();
}
