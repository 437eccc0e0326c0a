//===- KernelEpilogue.h - corrections and rescale in registers --*- C++ -*-===//

#ifndef QUANT_TARGET_GPU_KERNELEPILOGUE_H
#define QUANT_TARGET_GPU_KERNELEPILOGUE_H

#include "quant/Target/GPU/Problem.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"

namespace quantmlir::device {

/// Corrections and rescale of sums (i32, or vectors of neighbouring columns).
class KernelEpilogue {
public:
  KernelEpilogue(KernelBuilder &k, mlir::gpu::GPUFuncOp func,
                 const Problem &problem);

  /// What depends on the row `m` (below M) alone.
  struct RowTerms {
    mlir::Value scale;
    llvm::SmallVector<mlir::Value> factors;
  };
  /// What depends on the columns `n`... (below 8 * panels) alone.
  struct ColumnTerms {
    mlir::Value bias, scale, floatBias, multiplier, shift;
    llvm::SmallVector<mlir::Value> factors;
  };
  RowTerms loadRow(mlir::Value m);
  ColumnTerms loadColumns(mlir::Value n, int64_t count);
  /// How many times `count` columns to load before they are used: as many as 16
  /// registers hold the terms of.
  int64_t columnsAhead(int64_t count);
  /// What is added to the result at (m, n...), of row `m` (below M) and
  /// `count` columns `n`...; null where nothing is. Columns past N have
  /// anything.
  mlir::Value loadResidual(mlir::Value m, mlir::Value n, int64_t count);
  /// The values to store for `acc`.
  mlir::Value apply(mlir::Value acc, const RowTerms &row,
                    const ColumnTerms &columns, mlir::Value residual);
  /// Stores `values` at (m, n...): columns past N are left out.
  void store(mlir::Value m, mlir::Value n, mlir::Value values);

private:
  mlir::Value columnVector(unsigned argument, mlir::Value operand,
                           mlir::Value n, int64_t count);

  KernelBuilder &k;
  mlir::gpu::GPUFuncOp func;
  const Problem &problem;
};

/// Stores `values` at row m, columns n... of the [M, `columns`] that `pointer`
/// points to: columns past the last are left out.
void storeColumns(KernelBuilder &k, mlir::Value pointer, int64_t columns,
                  mlir::Value m, mlir::Value n, mlir::Value values);

} // namespace quantmlir::device

#endif // QUANT_TARGET_GPU_KERNELEPILOGUE_H
