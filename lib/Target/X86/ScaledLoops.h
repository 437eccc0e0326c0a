//===- ScaledLoops.h - loops around the grouped kernel ----------*- C++ -*-===//

#ifndef QUANT_LIB_TARGET_X86_SCALEDLOOPS_H
#define QUANT_LIB_TARGET_X86_SCALEDLOOPS_H

#include "mlir/IR/PatternMatch.h"
#include "quant/Dialect/Quant/IR/PackedScaledMatmul.h"

namespace quantmlir {

/// Replaces a bufferized quant.packed_scaled_matmul by loops over tiles.
llvm::LogicalResult expandPackedScaledMatmul(mlir::RewriterBase &b,
                                             PackedScaledMatmulOp op);

} // namespace quantmlir

#endif // QUANT_LIB_TARGET_X86_SCALEDLOOPS_H
