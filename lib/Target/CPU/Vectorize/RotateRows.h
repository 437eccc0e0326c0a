//===- RotateRows.h - rows rotated as vectors -------------------*- C++ -*-===//

#ifndef QUANT_LIB_TARGET_CPU_VECTORIZE_ROTATEROWS_H
#define QUANT_LIB_TARGET_CPU_VECTORIZE_ROTATEROWS_H

#include "mlir/IR/PatternMatch.h"
#include "quant/Dialect/Quant/IR/QuantizeRows.h"

namespace quantmlir {

/// Emits loops over vectors for a bufferized quant.rotate_rows, in its place.
mlir::LogicalResult expandRotateRows(mlir::RewriterBase &b, RotateRowsOp op);

} // namespace quantmlir

#endif // QUANT_LIB_TARGET_CPU_VECTORIZE_ROTATEROWS_H
