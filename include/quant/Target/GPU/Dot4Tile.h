//===- Dot4Tile.h - a warp's tile, by each thread's own dots ----*- C++ -*-===//

#ifndef QUANT_TARGET_GPU_DOT4TILE_H
#define QUANT_TARGET_GPU_DOT4TILE_H

#include "quant/Target/GPU/TileMultiply.h"

#include "mlir/IR/Value.h"

namespace quantmlir::device {

/// Lanes are 4 x 8; a lane has every fourth row and every eighth column of the
/// warp's tile. Eight lanes read chunks of eight columns at once: each pair of
/// them starts at another chunk along K, so that no two meet in a bank.
class Dot4Tile : public TileMultiply {
public:
  Dot4Tile(KernelBuilder &k, const Schedule &schedule, mlir::Value thread)
      : TileMultiply(k, schedule, thread), y(k.div(lane, 8)),
        x(k.rem(lane, 8)) {}

  llvm::SmallVector<mlir::Value> multiply(mlir::Value stage,
                                          mlir::ValueRange sums) override;

  llvm::SmallVector<mlir::Value> rows(mlir::Value firstRow) override {
    llvm::SmallVector<mlir::Value> result;
    mlir::Value first = k.add(k.add(firstRow, warpRow), y);
    for (int64_t i = 0; i < numRows(); ++i)
      result.push_back(k.add(first, 4 * i));
    return result;
  }
  llvm::SmallVector<mlir::Value> columns(mlir::Value firstColumn) override {
    llvm::SmallVector<mlir::Value> result;
    mlir::Value first = k.add(k.add(firstColumn, warpColumn), x);
    for (int64_t i = 0; i < numColumns(); ++i)
      result.push_back(k.add(first, 8 * i));
    return result;
  }
  int64_t columnsTogether() const override { return 1; }
  mlir::Value sum(mlir::ValueRange sums, int64_t r, int64_t c) override {
    return sums[r * numColumns() + c];
  }

private:
  int64_t numRows() const { return schedule.warpM() / 4; }
  int64_t numColumns() const { return schedule.warpN() / 8; }
  int64_t numSums() const override { return numRows() * numColumns(); }

  mlir::Value y, x;
};

} // namespace quantmlir::device

#endif // QUANT_TARGET_GPU_DOT4TILE_H
