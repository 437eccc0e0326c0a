//===- GemvKernel.h - few rows: every weight is read once -------*- C++ -*-===//

#ifndef QUANT_TARGET_GPU_GEMVKERNEL_H
#define QUANT_TARGET_GPU_GEMVKERNEL_H

#include "quant/Target/GPU/Problem.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"

namespace quantmlir::device {

/// Up to this many rows take the kernel that is bound by memory.
inline constexpr int64_t kGemvRows = 4;
/// Rows that the kernel of `problem` computes, known or not.
int64_t getGemvRows(const Problem &problem);
inline constexpr int64_t kGemvWarps = 8;
inline constexpr int64_t kGemvBlocksPerMultiprocessor = 2;

/// A kernel body for up to kGemvRows rows: each block owns 8 columns, its
/// warps share out K, every weight is read once, from global memory.
void emitGemvKernel(KernelBuilder &k, mlir::gpu::GPUFuncOp func,
                    const Problem &problem, mlir::Value sharedMemory);

} // namespace quantmlir::device

#endif // QUANT_TARGET_GPU_GEMVKERNEL_H
