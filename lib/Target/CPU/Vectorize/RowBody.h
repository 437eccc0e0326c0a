//===- RowBody.h - bodies of linalg ops as vectors --------------*- C++ -*-===//

#ifndef QUANT_LIB_TARGET_CPU_VECTORIZE_ROWBODY_H
#define QUANT_LIB_TARGET_CPU_VECTORIZE_ROWBODY_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace quantmlir {

/// Whether vectors of `type` lie in memory as its scalars do, and bodies may
/// compute with them.
bool isRowElement(mlir::Type type);

/// Whether every op of the body takes vectors of what it takes, and is one
/// instruction then, or some of `quant-approximate-math`.
bool hasElementwiseBody(mlir::linalg::LinalgOp op);

/// Whether loops index each operand at most once, and the innermost one nowhere
/// but in the last dimension. Says nothing about the layout in memory.
bool hasRowMaps(mlir::linalg::LinalgOp op);

/// The size of each loop, of operands that have it.
llvm::SmallVector<mlir::Value> getLoopSizes(mlir::OpBuilder &b,
                                            mlir::linalg::LinalgOp op);

} // namespace quantmlir

#endif // QUANT_LIB_TARGET_CPU_VECTORIZE_ROWBODY_H
