//===- ArmKernels.h - the kernels of AArch64 --------------------*- C++ -*-===//

#ifndef QUANT_TARGET_ARM_ARMKERNELS_H
#define QUANT_TARGET_ARM_ARMKERNELS_H

#include "quant/Target/IR/MatmulKernelInterface.h"

#include "quant/Target/Arm/ArmKernelEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "quant/Target/Arm/ArmKernels.h.inc"

namespace quantmlir::arm {

/// The row of `kernel`.
const qtarget::KernelRow &getRow(ArmKernel kernel);
/// Every feature name that a row asks for; sorted, without duplicates.
llvm::SmallVector<llvm::StringRef> getRelevantFeatures();

} // namespace quantmlir::arm

namespace quantmlir {

/// Adds the kernels of AArch64 to the dialect `qtarget`.
void registerArmKernels(mlir::DialectRegistry &registry);

} // namespace quantmlir

#endif // QUANT_TARGET_ARM_ARMKERNELS_H
