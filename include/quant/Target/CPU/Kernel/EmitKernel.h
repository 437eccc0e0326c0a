//===- EmitKernel.h - a packed matmul as loops over vectors -----*- C++ -*-===//

#ifndef QUANT_TARGET_CPU_KERNEL_EMITKERNEL_H
#define QUANT_TARGET_CPU_KERNEL_EMITKERNEL_H

#include "mlir/IR/PatternMatch.h"
#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Target/IR/PackedMatmul.h"

namespace quantmlir {

/// Replaces a bufferized packed matmul by loops around its kernel's
/// multiply-accumulate: what a kernel of vectors is emitted as.
llvm::LogicalResult emitVectorKernel(mlir::RewriterBase &b,
                                     mlir::Operation *op);

/// Checks what the emission needs of the operands, and makes rows contiguous.
llvm::LogicalResult prepareBuffers(mlir::RewriterBase &b,
                                   qtarget::PackedMatmulOp op);

} // namespace quantmlir

#endif // QUANT_TARGET_CPU_KERNEL_EMITKERNEL_H
