//===- ScaledTile.h - a warp's tile of a grouped matmul ---------*- C++ -*-===//
//
// 32 elements along K are a unit. Lane 4 g + j takes elements 8 j .. 8 j + 7 of
// it for row or column g, two registers. For int4 these are one word,
// `word << 4` and `word`, masked by 0xf0f0f0f0: bytes of 16 times the weight.
// The k that the instruction sees is a permutation of memory's, the same for
// both operands, and stays inside of the unit, so that it stays inside of the
// group:
//
//   registers (r = 0, 1) of lane 4 g + j:  elements 8 j + 4 r .. 8 j + 4 r + 3
//
// In shared memory the chunks of 16 bytes are arranged so that no two lanes of
// a phase meet in a bank: where 8 bytes of each row are read at once, rows 2
// and 3 of each four have their two units exchanged; of int8, the words of
// r = 1 follow those of r = 0, their first half after their second.
//
// Where groups have zero points, activations are multiplied by minus ones as
// well: a column more, whose results are the sums of rows, negative, as large
// as the others (of int4, times 16), in the registers of the threads that need
// them.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_LIB_TARGET_NVVM_SCALEDTILE_H
#define QUANT_LIB_TARGET_NVVM_SCALEDTILE_H

#include "MmaTile.h"
#include "quant/Target/GPU/ScaledShape.h"

namespace quantmlir::nvvm {

using namespace device;

/// A nibble in the upper half of a byte is so many times itself.
inline constexpr int64_t kNibbleFactor = 16;

/// Where a byte of a row of activations is in its 64 bytes of a stage.
mlir::Value swizzleRow(KernelBuilder &k, mlir::Value row, mlir::Value byte);
/// Where chunk `number` of a panel's block of a weight is among its chunks.
mlir::Value swizzleWeight(KernelBuilder &k, const ScaledShape &shape,
                          mlir::Value number);

/// A warp's tile of activations and of a weight as it is packed. Its sums of a
/// group are those of the result's elements, then those of rows.
class ScaledTile : public MmaTile {
public:
  ScaledTile(KernelBuilder &k, const qtarget::KernelRow &row,
             const Schedule &schedule, const ScaledShape &shape,
             mlir::Value thread)
      : MmaTile(k, row, schedule, thread), shape(shape) {}

  /// Of a group that begins; those of the result from `start`.
  llvm::SmallVector<mlir::Value> startSums(mlir::Value start);
  /// Sums + one block along K.
  llvm::SmallVector<mlir::Value> multiply(mlir::Value stage,
                                          mlir::ValueRange sums) override;
  /// Sums + one unit of 32 elements.
  llvm::SmallVector<mlir::Value> multiplyUnit(mlir::Value stage, int64_t unit,
                                              mlir::ValueRange sums);
  /// The negative sum of the row that element `i` of the result is in.
  mlir::Value negativeRowSum(mlir::ValueRange sums, int64_t i);
  /// Vector `number` of the group's numbers, of `element`, for this thread's
  /// columns in group `group` of a stage: two for each of columns().
  llvm::SmallVector<mlir::Value> loadNumbers(mlir::Value stage, int64_t number,
                                             int64_t group, mlir::Type element);

  /// Where the weight and vector `number` of a stage begin.
  int64_t weightBytes() const { return schedule.lhsStageBytes(); }
  int64_t numbersBytes(int64_t number) const;

private:
  int64_t numRowSums() const { return tilesM() * perTile(); }
  Registers loadRow(mlir::Value stage, int64_t eighth, int64_t unit);
  Registers loadColumn(mlir::Value stage, int64_t panel, int64_t unit);

  const ScaledShape &shape;
};

} // namespace quantmlir::nvvm

#endif // QUANT_LIB_TARGET_NVVM_SCALEDTILE_H
