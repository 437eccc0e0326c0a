//===- AMXKernel.h - matmuls on tile registers ------------------*- C++ -*-===//
//
// Intel SDM volume 1, chapter "Programming with Intel AMX": eight registers of
// up to 16 rows of 64 bytes whose shapes are set together (LDTILECFG), loads
// and stores of rows at any stride, and TDPB{SS,SU,US,UU}D.
//
// LLVM places one configuration in a function if all shapes are constants and
// no call lies between, and gives every register one shape. So each matmul is
// a function of its own.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_TARGET_X86_AMX_AMXKERNEL_H
#define QUANT_TARGET_X86_AMX_AMXKERNEL_H

#include "quant/Target/IR/MatmulKernelInterface.h"

namespace quantmlir {

/// Replaces a bufferized packed matmul by a call of a function for tile
/// registers; matmuls of the same types and attributes share one of
/// `functions`.
llvm::LogicalResult emitAMXKernel(mlir::RewriterBase &b, mlir::Operation *op,
                                  qtarget::KernelFunctions &functions);

} // namespace quantmlir

#endif // QUANT_TARGET_X86_AMX_AMXKERNEL_H
