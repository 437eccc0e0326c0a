//===- ScaledGemvKernel.h - few rows of a grouped matmul --------*- C++ -*-===//

#ifndef QUANT_TARGET_GPU_SCALEDGEMVKERNEL_H
#define QUANT_TARGET_GPU_SCALEDGEMVKERNEL_H

#include "quant/Target/GPU/KernelBuilder.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "quant/Target/IR/PackedMatmul.h"

namespace quantmlir::device {

/// A kernel body for few rows: a block owns 8 columns, its warps share out the
/// groups, and a thread for each result applies the groups' scales in order.
void emitScaledGemvKernel(KernelBuilder &k, mlir::gpu::GPUFuncOp func,
                          qtarget::PackedMatmulOp op, mlir::Value sharedMemory);

} // namespace quantmlir::device

#endif // QUANT_TARGET_GPU_SCALEDGEMVKERNEL_H
