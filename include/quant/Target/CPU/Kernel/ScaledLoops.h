//===- ScaledLoops.h - loops around the grouped kernel ----------*- C++ -*-===//

#ifndef QUANT_TARGET_CPU_KERNEL_SCALEDLOOPS_H
#define QUANT_TARGET_CPU_KERNEL_SCALEDLOOPS_H

#include "mlir/IR/Builders.h"
#include "quant/Target/IR/PackedMatmul.h"

namespace quantmlir {

/// Emits loops over tiles of `vectors` that do what the bufferized `op` does.
void emitScaledLoops(mlir::OpBuilder &b, qtarget::PackedMatmulOp op,
                     qtarget::MatmulKernelInterface vectors);

/// What the emission needs of the operands; fails with a diagnostic at the op.
llvm::LogicalResult verifyScaledBuffers(qtarget::PackedMatmulOp op);

} // namespace quantmlir

#endif // QUANT_TARGET_CPU_KERNEL_SCALEDLOOPS_H
