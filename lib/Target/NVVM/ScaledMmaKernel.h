//===- ScaledMmaKernel.h - group scales on tensor cores ---------*- C++ -*-===//

#ifndef QUANT_LIB_TARGET_NVVM_SCALEDMMAKERNEL_H
#define QUANT_LIB_TARGET_NVVM_SCALEDMMAKERNEL_H

#include "quant/Target/GPU/ScaledShape.h"
#include "quant/Target/GPU/Schedule.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"

namespace quantmlir::nvvm {

using namespace device;

/// The tiled kernel's instruction on `target`, or null where there is none.
const qtarget::KernelRow *getScaledMmaRow(qtarget::TargetAttr target);

/// A kernel body: tiles in shared memory, mma.sync, scales in registers.
void emitScaledMmaKernel(KernelBuilder &k, mlir::gpu::GPUFuncOp func,
                         qtarget::PackedMatmulOp op,
                         const qtarget::KernelRow &row,
                         const Schedule &schedule, mlir::Value sharedMemory);

} // namespace quantmlir::nvvm

#endif // QUANT_LIB_TARGET_NVVM_SCALEDMMAKERNEL_H
