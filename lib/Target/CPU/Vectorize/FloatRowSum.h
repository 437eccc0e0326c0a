//===- FloatRowSum.h - sums of floats along rows ----------------*- C++ -*-===//

#ifndef QUANT_LIB_TARGET_CPU_VECTORIZE_FLOATROWSUM_H
#define QUANT_LIB_TARGET_CPU_VECTORIZE_FLOATROWSUM_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace quantmlir {

/// Whether `op` adds floats along its innermost loop and has rows around it.
bool isFloatRowSum(mlir::linalg::LinalgOp op);

/// Emits loops for `op` in which several rows take their steps side by side,
/// each in the order of the scalar loop.
void emitFloatRowSum(mlir::OpBuilder &b, mlir::linalg::LinalgOp op);

} // namespace quantmlir

#endif // QUANT_LIB_TARGET_CPU_VECTORIZE_FLOATROWSUM_H
