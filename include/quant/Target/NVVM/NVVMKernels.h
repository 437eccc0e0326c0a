//===- NVVMKernels.h - the kernels of NVIDIA's GPUs -------------*- C++ -*-===//

#ifndef QUANT_TARGET_NVVM_NVVMKERNELS_H
#define QUANT_TARGET_NVVM_NVVMKERNELS_H

#include "quant/Target/IR/MatmulKernelInterface.h"

#include "quant/Target/NVVM/NVVMKernelEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "quant/Target/NVVM/NVVMKernels.h.inc"

namespace quantmlir::nvvm {

/// All rows in the order of NVVMKernel.
llvm::ArrayRef<qtarget::KernelRow> getRows();
const qtarget::KernelRow &getRow(NVVMKernel kernel);

} // namespace quantmlir::nvvm

namespace quantmlir {

/// Adds the kernels of NVIDIA's GPUs to the dialect `qtarget`.
void registerNVVMKernels(mlir::DialectRegistry &registry);

} // namespace quantmlir

#endif // QUANT_TARGET_NVVM_NVVMKERNELS_H
