//===- MmaTile.h - a warp's tile, by mma.sync -------------------*- C++ -*-===//

#ifndef QUANT_LIB_TARGET_NVVM_MMATILE_H
#define QUANT_LIB_TARGET_NVVM_MMATILE_H

#include "quant/Target/GPU/TileMultiply.h"
#include "quant/Target/NVVM/FragmentLayout.h"

namespace quantmlir::nvvm {

using namespace device;

/// A grid of instruction tiles: (warpM / m) x (warpN / n) of them. Lane
/// 4 g + j has rows g, g + 8, ... and columns 2 j, 2 j + 1 of each eight.
class MmaTile : public TileMultiply {
public:
  MmaTile(KernelBuilder &k, const qtarget::KernelRow &row,
          const Schedule &schedule, mlir::Value thread);

  llvm::SmallVector<mlir::Value> multiply(mlir::Value stage,
                                          mlir::ValueRange sums) override;
  llvm::SmallVector<mlir::Value> rows(mlir::Value firstRow) override;
  llvm::SmallVector<mlir::Value> columns(mlir::Value firstColumn) override;
  int64_t columnsTogether() const override { return 2; }
  mlir::Value sum(mlir::ValueRange sums, int64_t r, int64_t c) override;
  int64_t numSums() const override { return tilesM() * tilesN() * perTile(); }
  /// Which of the columns, and of the two at once, sum number `i` belongs to.
  int64_t columnOf(int64_t i) const { return i / perTile() % tilesN(); }
  static int64_t partOf(int64_t i) { return i % 2; }
  /// Which of the rows.
  int64_t rowOf(int64_t i) const {
    int64_t halves = row.m / 8;
    return i / (perTile() * tilesN()) * halves + i % perTile() / 2;
  }

protected:
  using Registers = llvm::SmallVector<mlir::Value, 4>;
  /// Sums + one instruction for each tile. For each eight rows (columns) of
  /// `lhs` (`rhs`) the lane's registers along K, of which instruction `step`
  /// takes its share.
  llvm::SmallVector<mlir::Value> multiplyStep(llvm::ArrayRef<Registers> lhs,
                                              llvm::ArrayRef<Registers> rhs,
                                              int64_t step,
                                              mlir::ValueRange sums);

  int64_t tilesM() const { return schedule.warpM() / row.m; }
  int64_t tilesN() const { return schedule.warpN() / row.n; }
  int64_t perTile() const { return row.m * row.n / kLanes; }

  const qtarget::KernelRow &row;
  /// g and j.
  mlir::Value group, part;

private:
  /// ldmatrix.x4 of eight rows' chunks: the lane's four registers.
  Registers loadMatrices(mlir::Value address);
  /// Of `count` times eight rows of a swizzled tile, `first` on: each lane's
  /// registers along K. Pairs of eight rows that share an instruction's
  /// registers are loaded together.
  llvm::SmallVector<Registers> loadRows(mlir::Value tile, mlir::Value first,
                                        int64_t count, int64_t halves);
  llvm::SmallVector<mlir::Value> mma(mlir::ValueRange a, mlir::ValueRange b,
                                     mlir::ValueRange c);
};

} // namespace quantmlir::nvvm

#endif // QUANT_LIB_TARGET_NVVM_MMATILE_H
