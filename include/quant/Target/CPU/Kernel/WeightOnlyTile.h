//===- WeightOnlyTile.h - floats by a weight of integers --------*- C++ -*-===//

#ifndef QUANT_TARGET_CPU_KERNEL_WEIGHTONLYTILE_H
#define QUANT_TARGET_CPU_KERNEL_WEIGHTONLYTILE_H

#include "quant/Target/CPU/Kernel/ScaledKernel.h"

namespace quantmlir {

/// emitScaledTile of a kernel whose activations are floats.
void emitWeightOnlyTile(mlir::OpBuilder &b, mlir::Location loc,
                        const ScaledKernel &kernel, mlir::Value panel,
                        mlir::Value firstRow, ScaledTile tile,
                        PreparedFloats prepared);

/// Of `panels` panels as floats: [k, panel, column].
mlir::MemRefType getWidenedType(const ScaledKernel &kernel, int64_t panels);

/// Writes the elements of panels [`panel`, + `panels`) less their zero points,
/// not scaled, to `memory`.
void emitWidenedPanels(mlir::OpBuilder &b, mlir::Location loc,
                       const ScaledKernel &kernel, mlir::Value panel,
                       int64_t panels, mlir::Value memory);

} // namespace quantmlir

#endif // QUANT_TARGET_CPU_KERNEL_WEIGHTONLYTILE_H
