//===- WeightOnlyTile.h - floats by a weight of integers --------*- C++ -*-===//

#ifndef QUANT_TARGET_CPU_KERNEL_WEIGHTONLYTILE_H
#define QUANT_TARGET_CPU_KERNEL_WEIGHTONLYTILE_H

#include "quant/Target/CPU/Kernel/ScaledKernel.h"

namespace quantmlir {

/// emitScaledTile of a kernel whose activations are floats.
void emitWeightOnlyTile(mlir::OpBuilder &b, mlir::Location loc,
                        const ScaledKernel &kernel, mlir::Value panel,
                        mlir::Value firstRow, ScaledTile tile);

} // namespace quantmlir

#endif // QUANT_TARGET_CPU_KERNEL_WEIGHTONLYTILE_H
