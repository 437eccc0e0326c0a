//===- VectorRotation.h - vectors of a row, loaded and rotated --*- C++ -*-===//

#ifndef QUANT_LIB_TARGET_CPU_VECTORIZE_VECTORROTATION_H
#define QUANT_LIB_TARGET_CPU_VECTORIZE_VECTORROTATION_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "quant/Reference/Rotation.h"

namespace quantmlir {

/// `lanes` elements (f32, f16, bf16) of `memory` from `indices` on, as f32.
mlir::Value loadFloats(mlir::OpBuilder &b, mlir::Location loc,
                       mlir::Value memory, mlir::ValueRange indices,
                       int64_t lanes);

/// `x`, a vector of whole blocks, rotated. `isFused`: whether there are fused
/// multiply-adds.
mlir::Value emitVectorRotation(mlir::OpBuilder &b, mlir::Location loc,
                               mlir::Value x, const Rotation &rotation,
                               bool isFused);

/// Columns of a row that are taken alike, `lanes` at a time but for a rest.
struct RowColumns {
  int64_t begin, end, lanes;
  bool isRotated;
};

/// All columns of a row of `k`: whole blocks, then the others.
llvm::SmallVector<RowColumns> splitColumns(int64_t k, const Rotation &rotation,
                                           int64_t lanes);

} // namespace quantmlir

#endif // QUANT_LIB_TARGET_CPU_VECTORIZE_VECTORROTATION_H
