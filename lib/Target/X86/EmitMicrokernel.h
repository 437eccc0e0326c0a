//===- EmitMicrokernel.h - the loop over K ----------------------*- C++ -*-===//

#ifndef QUANT_LIB_TARGET_X86_EMITMICROKERNEL_H
#define QUANT_LIB_TARGET_X86_EMITMICROKERNEL_H

#include "mlir/IR/Builders.h"
#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Target/IR/IntrinsicTable.h"

namespace quantmlir {

/// A bufferized quant.packed_matmul with what its emission keeps asking.
struct PackedKernel {
  mutable PackedMatmulOp op;
  const qtarget::IntrinsicRow &row;
  int64_t mr, nr;
  /// Operands with the two inner dimensions merged: [M/MR][K/KR][MR*KR].
  mlir::Value lhs, rhs;

  PackedKernel(PackedMatmulOp op, mlir::OpBuilder &b);

  int64_t vectorsPerRow() const { return nr / row.n; }
  mlir::VectorType accType() const;
};

/// Emits the loop over K of tile (`mPanel`, `nPanel`) and returns its
/// MR * NR/lanes accumulators, row by row. They are loop-carried vectors, so
/// that they live in registers; they start from `col_bias`.
llvm::SmallVector<mlir::Value> emitMicrokernel(mlir::OpBuilder &b,
                                               mlir::Location loc,
                                               const PackedKernel &kernel,
                                               mlir::Value mPanel,
                                               mlir::Value nPanel);

} // namespace quantmlir

#endif // QUANT_LIB_TARGET_X86_EMITMICROKERNEL_H
