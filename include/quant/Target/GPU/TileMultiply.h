//===- TileMultiply.h - a warp's tile, by one instruction -------*- C++ -*-===//

#ifndef QUANT_TARGET_GPU_TILEMULTIPLY_H
#define QUANT_TARGET_GPU_TILEMULTIPLY_H

#include "quant/Target/GPU/Schedule.h"

namespace quantmlir::device {

/// What a thread computes of its warp's tile: sums of some rows times some
/// columns, of which `columnsTogether` neighbours are stored at once.
class TileMultiply {
public:
  virtual ~TileMultiply() = default;

  /// Sums + one block along K, whose two tiles are at `stage`.
  virtual llvm::SmallVector<mlir::Value> multiply(mlir::Value stage,
                                                  mlir::ValueRange sums) = 0;
  /// Waits until no stage but the one multiplied last is read any more.
  virtual void leaveOneStage() {}
  /// Sums after the last block, none of them on its way any more.
  virtual llvm::SmallVector<mlir::Value> finish(mlir::ValueRange sums) {
    return llvm::SmallVector<mlir::Value>(sums);
  }
  /// This thread's rows, its (groups of) columns, given the block's first.
  virtual llvm::SmallVector<mlir::Value> rows(mlir::Value firstRow) = 0;
  virtual llvm::SmallVector<mlir::Value> columns(mlir::Value firstColumn) = 0;
  virtual int64_t columnsTogether() const = 0;
  /// The sum of row `row` and column group `column`, numbers into the above.
  virtual mlir::Value sum(mlir::ValueRange sums, int64_t row,
                          int64_t column) = 0;

  llvm::SmallVector<mlir::Value> zeros();

protected:
  TileMultiply(KernelBuilder &k, const Schedule &schedule, mlir::Value thread);

  virtual int64_t numSums() const = 0;
  /// The four registers at byte `byte` of row `row` of a tile.
  llvm::SmallVector<mlir::Value, 4> loadChunk(mlir::Value tile, mlir::Value row,
                                              mlir::Value byte);

  KernelBuilder &k;
  const Schedule &schedule;
  mlir::Value lane;
  /// First row and column of the warp's tile in the block's.
  mlir::Value warpRow, warpColumn;
};

} // namespace quantmlir::device

#endif // QUANT_TARGET_GPU_TILEMULTIPLY_H
