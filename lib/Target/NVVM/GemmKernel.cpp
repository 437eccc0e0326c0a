//===- GemmKernel.cpp - tiles through shared memory -----------------------===//
//
// A block computes blockM x blockN of the result. Tiles of both operands, one
// block of KR along K at a time, go through a ring of `stages` buffers in
// shared memory, filled ahead by cp.async (or by loads, on chips without it).
//
// Rows of a tile are 64 bytes and follow each other. A lane (g, j) of a warp
// reads 16 bytes at row g, byte 16 j: 512 neighbouring bytes a warp, no two
// lanes of a phase in one bank, with neither ldmatrix nor a swizzle. The k that
// the instruction sees is then a permutation of memory's k, the same one for
// both operands (FragmentLayout.h: getByteInRow).
//
// Where a grid of tiles would leave multiprocessors without work, several
// blocks share out the K of a tile. Each adds its sums (integers: in any order)
// to the workspace and then counts itself; the last one to do so takes them out
// again, leaves zeros for the next launch, and goes on to the epilogue.
//
//===----------------------------------------------------------------------===//

#include "Kernel.h"
#include "TileMultiply.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace quantmlir;
using namespace quantmlir::nvvm;

namespace {

constexpr int64_t kChunk = 16;
constexpr int64_t kWordBytes = 4;
constexpr int64_t kBandTiles = 8;
constexpr int64_t kChunksPerRow = Problem::blockBytes / kChunk;

/// A thread's 16 bytes of every tile: where they come from, for block 0 along
/// K, how far it is to the next block, and whether they are in the operand.
struct ChunkCopy {
  Value source, inside, target;
  int64_t bytesPerBlock;
};

class GemmEmitter {
public:
  GemmEmitter(KernelBuilder &k, gpu::GPUFuncOp func, const Problem &problem,
              const Schedule &schedule, Value sharedMemory)
      : k(k), func(func), problem(problem), schedule(schedule),
        sharedMemory(sharedMemory) {}

  void emit();

private:
  void placeBlock();
  void planCopies();
  void copyBlock(Value block, Value stage);
  void emitChunk(const ChunkCopy &copy, Value block, Value stageOffset);
  SmallVector<Value> mainLoop(TileMultiply &tile);
  void combineSplits(ArrayRef<Value> sums,
                     function_ref<void(ValueRange)> finish);
  void epilogue(TileMultiply &tile, ValueRange sums);

  KernelBuilder &k;
  gpu::GPUFuncOp func;
  const Problem &problem;
  const Schedule &schedule;
  Value sharedMemory;
  Value thread, firstRow, firstColumn;
  /// This block's part of the blocks of KR along K.
  Value firstBlock, endBlock;
  SmallVector<ChunkCopy> copies;
};

} // namespace

/// Which tile this block computes. Blocks that follow each other, and so run
/// together, take the rows of a band of kBandTiles tiles, column by column: a
/// square of the result needs the fewest rows and columns of the operands in
/// L2.
void GemmEmitter::placeBlock() {
  int64_t tilesN =
      llvm::divideCeil(problem.panels * Problem::panelColumns, schedule.blockN);
  Value x = k.blockId(0), y = k.blockId(1);
  int64_t rows = memrefType(problem.op.getInit()).getDimSize(0);
  bool isOneBand = !ShapedType::isDynamic(rows) && rows <= schedule.blockM;
  if (!isOneBand && tilesN > 1) {
    Value m = func.getArgument(kM);
    Value tilesM = k.div(k.add(m, schedule.blockM - 1), schedule.blockM);
    Value tile = k.add(k.mul(y, tilesN), x);
    Value inBand = k.rem(tile, kBandTiles * tilesN);
    Value bandRow = k.mul(k.div(tile, kBandTiles * tilesN), kBandTiles);
    // The last band may have fewer rows.
    Value bandRows = k.min(k.sub(tilesM, bandRow), k.constant(kBandTiles));
    x = k.div(inBand, bandRows);
    y = k.add(bandRow, k.rem(inBand, bandRows));
  }
  firstColumn = k.mul(x, schedule.blockN);
  firstRow = k.mul(y, schedule.blockM);
}

void GemmEmitter::planCopies() {
  Value lastRow = k.add(func.getArgument(kM), -1);
  Value lhs = k.globalPointer(func.getArgument(kLhs));
  Value rhs = k.globalPointer(func.getArgument(kRhs));
  int64_t threads = schedule.threads();
  auto forEachChunk = [&](int64_t rows, function_ref<void(Value)> plan) {
    for (int64_t i = 0; i < rows * kChunksPerRow; i += threads)
      plan(k.add(thread, i));
  };
  forEachChunk(schedule.blockM, [&](Value chunk) {
    Value row = k.add(firstRow, k.div(chunk, kChunksPerRow));
    Value source = k.offset(lhs, k.min(row, lastRow), problem.rowBytes());
    source = k.offset(source, k.rem(chunk, kChunksPerRow), kChunk);
    copies.push_back({source, k.less(row, func.getArgument(kM)),
                      k.mul(chunk, kChunk), Problem::blockBytes});
  });
  constexpr int64_t columns = Problem::panelColumns;
  constexpr int64_t panelChunks = columns * kChunksPerRow;
  constexpr int64_t panelBytes = columns * Problem::blockBytes;
  Value firstPanel = k.div(firstColumn, columns);
  forEachChunk(schedule.blockN, [&](Value chunk) {
    Value panel = k.add(firstPanel, k.div(chunk, panelChunks));
    Value inside = k.less(panel, k.constant(problem.panels));
    Value clamped = k.min(panel, k.constant(problem.panels - 1));
    Value source = k.offset(rhs, clamped, problem.kBlocks * panelBytes);
    source = k.offset(source, k.rem(chunk, panelChunks), kChunk);
    Value target =
        k.add(k.mul(chunk, kChunk), schedule.blockM * Problem::blockBytes);
    copies.push_back({source, inside, target, panelBytes});
  });
}

void GemmEmitter::emitChunk(const ChunkCopy &copy, Value block,
                            Value stageOffset) {
  Value source = k.offset(copy.source, block, copy.bytesPerBlock);
  Value target = k.offset(sharedMemory, k.add(stageOffset, copy.target), 1);
  if (schedule.asyncCopies) {
    // What is outside of the operand is filled with zeros.
    Value size = k.select(copy.inside, k.constant(kChunk), k.constant(0));
    NVVM::CpAsyncOp::create(k.b, k.loc, target, source,
                            static_cast<uint32_t>(kChunk),
                            NVVM::LoadCacheModifierKind::CG, size);
    return;
  }
  VectorType quad = k.vec(4, k.i32());
  Value zero = arith::ConstantOp::create(k.b, k.loc, k.b.getZeroAttr(quad));
  Value data = k.select(copy.inside, k.load(source, quad, kChunk), zero);
  k.store(target, data, kChunk);
}

void GemmEmitter::copyBlock(Value block, Value stage) {
  Value stageOffset = k.mul(stage, schedule.stageBytes());
  for (const ChunkCopy &copy : copies)
    emitChunk(copy, block, stageOffset);
}

SmallVector<Value> GemmEmitter::mainLoop(TileMultiply &tile) {
  auto commit = [&] {
    if (schedule.asyncCopies)
      NVVM::CpAsyncCommitGroupOp::create(k.b, k.loc);
  };
  int64_t ahead = schedule.stages - 1;
  for (int64_t i = 0; i < ahead; ++i) {
    Value block = k.add(firstBlock, i);
    if (schedule.splits > 1)
      k.ifThen(k.less(block, endBlock),
               [&] { copyBlock(block, k.constant(i)); });
    else if (i < problem.kBlocks)
      copyBlock(block, k.constant(i));
    commit();
  }
  // Carried: the stage to multiply, the stage to fill, the sums.
  SmallVector<Value> carried = {k.constant(0), k.constant(ahead)};
  llvm::append_range(carried, tile.zeros());
  Value stages = k.constant(schedule.stages);
  auto next = [&](Value stage) {
    Value plusOne = k.add(stage, 1);
    return k.select(k.less(plusOne, stages), plusOne, k.constant(0));
  };
  SmallVector<Value> last = k.loop(
      firstBlock, endBlock, 1, carried, [&](Value block, ValueRange values) {
        if (schedule.asyncCopies)
          NVVM::CpAsyncWaitGroupOp::create(k.b, k.loc, ahead - 1);
        // Everybody's copies are there, and everybody has left the stage that
        // is filled next.
        k.barrier();
        Value fill = k.add(block, ahead);
        k.ifThen(k.less(fill, endBlock), [&] { copyBlock(fill, values[1]); });
        commit();
        SmallVector<Value> result = {next(values[0]), next(values[1])};
        Value stage =
            k.offset(sharedMemory, k.mul(values[0], schedule.stageBytes()), 1);
        llvm::append_range(result, tile.multiply(stage, values.drop_front(2)));
        return result;
      });
  return SmallVector<Value>(ArrayRef<Value>(last).drop_front(2));
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

void GemmEmitter::epilogue(TileMultiply &tile, ValueRange sums) {
  KernelEpilogue epilogue(k, func, problem);
  Value m = func.getArgument(kM), lastRow = k.add(m, -1);
  Value lastColumn = k.constant(problem.panels * Problem::panelColumns -
                                tile.columnsTogether());
  SmallVector<Value> rows = tile.rows(firstRow);
  SmallVector<KernelEpilogue::RowTerms> rowTerms;
  for (Value row : rows)
    rowTerms.push_back(epilogue.loadRow(k.min(row, lastRow)));
  for (auto [c, column] : llvm::enumerate(tile.columns(firstColumn))) {
    auto columnTerms =
        epilogue.loadColumns(k.min(column, lastColumn), tile.columnsTogether());
    for (auto [r, row] : llvm::enumerate(rows)) {
      Value values =
          epilogue.apply(tile.sum(sums, r, c), rowTerms[r], columnTerms);
      k.ifThen(k.less(row, m), [&, row = row, column = column] {
        epilogue.store(row, column, values);
      });
    }
  }
}

void GemmEmitter::emit() {
  thread = k.threadId();
  placeBlock();
  firstBlock = k.constant(0);
  endBlock = k.constant(problem.kBlocks);
  if (schedule.splits > 1) {
    Value split = k.blockId(2);
    firstBlock = k.div(k.mul(split, problem.kBlocks), schedule.splits);
    endBlock = k.div(k.mul(k.add(split, 1), problem.kBlocks), schedule.splits);
  }
  planCopies();
  std::unique_ptr<TileMultiply> tile =
      TileMultiply::create(k, problem, schedule, thread);
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
