//===- X86Kernels.h - the kernels of x86 ------------------------*- C++ -*-===//

#ifndef QUANT_TARGET_X86_X86KERNELS_H
#define QUANT_TARGET_X86_X86KERNELS_H

#include "quant/Target/IR/MatmulKernelInterface.h"

#include "quant/Target/X86/X86KernelEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "quant/Target/X86/X86Kernels.h.inc"

namespace quantmlir::x86 {

/// All rows in the order of X86Kernel.
llvm::ArrayRef<qtarget::KernelRow> getRows();
/// The row of `kernel`.
const qtarget::KernelRow &getRow(X86Kernel kernel);

/// Every feature name that a row asks for, and those that other decisions
/// (sign extension, the kind of a core) ask for; sorted, without duplicates.
llvm::SmallVector<llvm::StringRef> getRelevantFeatures();

} // namespace quantmlir::x86

namespace quantmlir {

/// Adds the kernels of x86 to the dialect `qtarget`.
void registerX86Kernels(mlir::DialectRegistry &registry);

} // namespace quantmlir

#endif // QUANT_TARGET_X86_X86KERNELS_H
