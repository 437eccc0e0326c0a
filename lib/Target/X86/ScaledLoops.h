//===- ScaledLoops.h - loops around the grouped kernel ----------*- C++ -*-===//

#ifndef QUANT_LIB_TARGET_X86_SCALEDLOOPS_H
#define QUANT_LIB_TARGET_X86_SCALEDLOOPS_H

#include "AMXKernel.h"

#include "mlir/IR/PatternMatch.h"
#include "quant/Dialect/Quant/IR/PackedScaledMatmul.h"

namespace quantmlir {

/// Replaces a bufferized quant.packed_scaled_matmul by loops over tiles of
/// vectors, or by a call of one of `amxKernels`; by both, where only the run
/// knows how many rows there are.
llvm::LogicalResult expandPackedScaledMatmul(mlir::RewriterBase &b,
                                             PackedScaledMatmulOp op,
                                             AMXKernels &amxKernels);

} // namespace quantmlir

#endif // QUANT_LIB_TARGET_X86_SCALEDLOOPS_H
