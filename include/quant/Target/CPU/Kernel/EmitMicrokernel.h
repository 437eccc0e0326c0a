//===- EmitMicrokernel.h - the loop over K ----------------------*- C++ -*-===//

#ifndef QUANT_TARGET_CPU_KERNEL_EMITMICROKERNEL_H
#define QUANT_TARGET_CPU_KERNEL_EMITMICROKERNEL_H

#include "mlir/IR/Builders.h"
#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Target/IR/MatmulKernelInterface.h"
#include "quant/Target/IR/PackedMatmul.h"

namespace quantmlir {

/// A bufferized qtarget.packed_matmul with what its emission keeps asking.
struct PackedKernel {
  mutable qtarget::PackedMatmulOp op;
  qtarget::MatmulKernelInterface kernel;
  const qtarget::KernelRow &row;
  int64_t nr;
  /// [M, K], and [N/NR][K/KR][NR*KR] with the inner two dimensions merged.
  mlir::Value lhs, rhs;

  PackedKernel(qtarget::PackedMatmulOp op, mlir::OpBuilder &b);

  /// Elements along K of a step, and dot products of a vector in it.
  int64_t stepSize() const { return op.getStepSize(); }
  int64_t dotsPerStep() const { return op.hasNibbles() ? 2 : 1; }
  int64_t vectorsPerRow() const { return nr / row.n; }
  mlir::VectorType accType() const;
  /// What one step along K reads of the right operand.
  int64_t bytesPerStep() const { return nr * row.k * row.rhs.storedBits / 8; }
  int64_t linesPerStep() const { return (bytesPerStep() + 63) / 64; }
  /// Static sizes, or dynamic.
  int64_t getM() const;
  int64_t getK() const;
};

/// One register tile: `height` rows from `row` on, and a panel of columns.
struct TilePosition {
  mlir::Value row;
  int64_t height;
  mlir::Value nPanel;
  /// Of the `shares` in which tiles ask for what follows, this tile's; null
  /// where there is one tile.
  mlir::Value share;
  int64_t shares = 0;
  /// Whether this may be the only tile that uses its panel.
  bool mayBeAlone = true;
};

/// The accumulators' start, row by row: the column bias, or 0. Accumulators are
/// 16 times as large while 4-bit elements are summed, see emitUnscaledSums.
llvm::SmallVector<mlir::Value> emitInitialAccumulators(mlir::OpBuilder &b,
                                                       mlir::Location loc,
                                                       const PackedKernel &,
                                                       TilePosition at);

/// Emits the loop over the whole steps [`begin`, `end`) along K and returns the
/// accumulators. They are loop-carried vectors, so that they live in registers.
llvm::SmallVector<mlir::Value>
emitMicrokernel(mlir::OpBuilder &b, mlir::Location loc,
                const PackedKernel &kernel, TilePosition at, mlir::Value begin,
                mlir::Value end, llvm::ArrayRef<mlir::Value> accumulators);

/// The sums themselves of accumulators that all steps were added to.
llvm::SmallVector<mlir::Value>
emitUnscaledSums(mlir::OpBuilder &b, mlir::Location loc,
                 const PackedKernel &kernel,
                 llvm::ArrayRef<mlir::Value> accumulators);

/// Emits the last step, at `step`, which has fewer elements than others: those
/// of the left operand are masked.
llvm::SmallVector<mlir::Value>
emitPartialStep(mlir::OpBuilder &b, mlir::Location loc,
                const PackedKernel &kernel, TilePosition at, mlir::Value step,
                llvm::ArrayRef<mlir::Value> accumulators);

} // namespace quantmlir

#endif // QUANT_TARGET_CPU_KERNEL_EMITMICROKERNEL_H
