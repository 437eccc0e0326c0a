//===- ScaleConstants.h - multiply into a program's constants ---*- C++ -*-===//
//
// Where a vector over one dimension of a tensor can be multiplied into the
// constants that the tensor is computed from, without any other value changing.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_EQUALIZE_SCALECONSTANTS_H
#define QUANT_EQUALIZE_SCALECONSTANTS_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/Value.h"
#include "llvm/ADT/SmallVector.h"

namespace quantmlir {

/// A constant operand and the dimension that the vector goes along.
struct ScaledConstant {
  mlir::OpOperand *use;
  int64_t dim;
};

/// A constant with one use that is reached from `value` through data movement
/// of one use each: the operand that reads the constant, and which dimension
/// of it dimension `dim` of `value` is. Fails where the constant, or what moves
/// it, serves others too.
mlir::FailureOr<ScaledConstant> findConstant(mlir::OpOperand &use, int64_t dim);

/// The constants to multiply so that `value` is multiplied along `dim`, for a
/// value that only `numUses` uses read. Fails where there are none.
mlir::FailureOr<llvm::SmallVector<ScaledConstant>>
findScalableConstants(mlir::Value value, int64_t dim, unsigned numUses);

/// Replaces the constant by its product with `factors` along the dimension.
void multiplyConstant(const ScaledConstant &constant,
                      llvm::ArrayRef<float> factors);

} // namespace quantmlir

#endif // QUANT_EQUALIZE_SCALECONSTANTS_H
