//===- StageRing.h - operands through shared memory -------------*- C++ -*-===//
//
// A ring of stages in shared memory, each of which holds what a block of the
// result needs of one block along K. They are filled ahead, by cp.async or by
// loads, while one of them is multiplied.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_TARGET_GPU_STAGERING_H
#define QUANT_TARGET_GPU_STAGERING_H

#include "quant/Target/GPU/Schedule.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"

namespace quantmlir::device {

/// First row and column of the result that a block computes.
struct TileOrigin {
  mlir::Value row, column;
};

/// Which tile this block computes. Blocks that follow each other, and so run
/// together, take the rows of a band of tiles, column by column: a square of
/// the result needs the fewest rows and columns of the operands in L2. `rows`
/// of the result may be ShapedType::kDynamic.
TileOrigin placeBlock(KernelBuilder &k, mlir::gpu::GPUFuncOp func,
                      const Schedule &schedule, int64_t rows, int64_t columns);

class StageRing {
public:
  StageRing(KernelBuilder &k, const Schedule &schedule,
            mlir::Value sharedMemory, mlir::Value thread)
      : k(k), schedule(schedule), sharedMemory(sharedMemory), thread(thread) {}

  /// Bytes that a thread copies at once.
  static constexpr int64_t chunkBytes = 16;

  /// 16 bytes of every stage.
  struct Chunk {
    /// Where they come from, for block 0 along K.
    mlir::Value source;
    /// Whether they are in the operand; else they are zeros.
    mlir::Value inside;
    /// Their place in a stage.
    mlir::Value target;
    /// How far it is to the next block, or to the next `blocksTogether`.
    int64_t bytesPerBlock;
    /// Bytes from `source` and `target` on, which instructions hold.
    int64_t sourceFurther = 0, targetFurther = 0;
    int64_t blocksTogether = 1;
    /// If not 0, `source` has this many bytes and the chunk is `first` bytes
    /// from it, for block 0: what is further is zeros, too.
    int64_t end = 0;
    mlir::Value first;
  };
  /// Where in a tile of rows of 64 bytes chunk `number` goes, so that the same
  /// chunk of eight rows lies in all banks: chunk c of row r is at
  /// c ^ (r / 2 % 4) (PTX ISA, "64-Byte swizzling").
  static mlir::Value swizzle(KernelBuilder &k, mlir::Value number);

  /// The threads share out `count` chunks of a stage; `describe` says where
  /// chunk `first` (i32) + `further` is.
  void
  plan(int64_t count,
       llvm::function_ref<Chunk(mlir::Value first, int64_t further)> describe);

  /// Starts filling stages for the blocks from `first` on. What it returns is
  /// carried from one block to the next: the number of the stage read last.
  mlir::Value begin(mlir::Value first, mlir::Value end);
  /// Waits for the next stage, which becomes `cursor`, and says where it is. It
  /// stays as it is until the next call.
  mlir::Value await(mlir::Value &cursor);
  /// Starts filling one more while `block`, in stage `cursor`, is multiplied.
  void refill(mlir::Value block, mlir::Value end, mlir::Value cursor);
  /// Both.
  mlir::Value advance(mlir::Value block, mlir::Value end, mlir::Value &cursor);
  /// Where the stage `cursor` is.
  mlir::Value pointerTo(mlir::Value cursor);

private:
  void fill(mlir::Value block, mlir::Value end, mlir::Value stage);
  mlir::Value further(mlir::Value pointer, int64_t bytes);
  mlir::Value move(mlir::Value stage, int64_t count);
  void copy(const Chunk &chunk, mlir::Value block, mlir::Value stageOffset);
  void commit();

  KernelBuilder &k;
  const Schedule &schedule;
  mlir::Value sharedMemory, thread;
  struct Part {
    Chunk chunk;
    /// Null: every thread has one.
    mlir::Value isMine;
  };
  llvm::SmallVector<Part> parts;
  /// Whether no stage is known to end past the last block.
  bool hasWholeStages = false;
};

} // namespace quantmlir::device

#endif // QUANT_TARGET_GPU_STAGERING_H
