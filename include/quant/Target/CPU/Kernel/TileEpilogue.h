//===- TileEpilogue.h - corrections and rescale in registers ----*- C++ -*-===//

#ifndef QUANT_TARGET_CPU_KERNEL_TILEEPILOGUE_H
#define QUANT_TARGET_CPU_KERNEL_TILEEPILOGUE_H

#include "quant/Target/CPU/Kernel/EmitMicrokernel.h"

#include "quant/Dialect/Quant/Utils/RescaleFormula.h"

namespace quantmlir {

/// The rank of the memref `value`: 0 for one number for all columns.
inline int64_t getMemRefRank(mlir::Value value) {
  return llvm::cast<mlir::MemRefType>(value.getType()).getRank();
}

/// Emits, for the accumulators of a tile, the rank-R correction, the rescale of
/// quant.rescale in its order of operations, and the stores: columns past N
/// are masked off.
void emitEpilogue(mlir::OpBuilder &b, mlir::Location loc,
                  const PackedKernel &kernel, TilePosition at,
                  mlir::ValueRange accumulators);

/// The constants of the rescale of `op`, and its terms over columns as `load`
/// gives them. What depends on the row is left to the caller.
RescaleTerms loadColumnTerms(qtarget::PackedMatmulOp op,
                             llvm::function_ref<mlir::Value(mlir::Value)> load);

/// The number that scales row `row`, or null.
mlir::Value loadRowScale(mlir::OpBuilder &b, mlir::Location loc,
                         qtarget::PackedMatmulOp op, mlir::Value row);

/// Vector of `type` of the residual at `at`; lanes that `mask` (null: none)
/// leaves out are 0. Null without a residual.
mlir::Value loadResidual(mlir::OpBuilder &b, mlir::Location loc,
                         qtarget::PackedMatmulOp op, mlir::VectorType type,
                         mlir::ValueRange at, mlir::Value mask);

} // namespace quantmlir

#endif // QUANT_TARGET_CPU_KERNEL_TILEEPILOGUE_H
