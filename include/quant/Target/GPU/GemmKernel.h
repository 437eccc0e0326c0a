//===- GemmKernel.h - tiles through shared memory ---------------*- C++ -*-===//

#ifndef QUANT_TARGET_GPU_GEMMKERNEL_H
#define QUANT_TARGET_GPU_GEMMKERNEL_H

#include "quant/Target/GPU/Schedule.h"
#include "quant/Target/GPU/TileMultiply.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"

#include <memory>

namespace quantmlir::device {

/// Makes the tile of the warp that `thread` is in.
using CreateTile =
    llvm::function_ref<std::unique_ptr<TileMultiply>(mlir::Value thread)>;

/// A kernel body: tiles in shared memory, multiplied as `createTile` says.
void emitGemmKernel(KernelBuilder &k, mlir::gpu::GPUFuncOp func,
                    const Problem &problem, const Schedule &schedule,
                    mlir::Value sharedMemory, CreateTile createTile);

} // namespace quantmlir::device

#endif // QUANT_TARGET_GPU_GEMMKERNEL_H
