//===- ZeroPoints.h - zero points as additive corrections -------*- C++ -*-===//
//
//   sum_k (l - lz)(r - rz)
//     = sum_k l r  -  lz[m] * sum_k r[n]  +  (K lz[m] - sum_k l[m]) * rz[n]
//
// Every term but the first is a vector over columns or an outer product of a
// vector over rows and one over columns; all of it is modulo 2^32
// (SEMANTICS, "Integer matmul"). What is constant becomes one vector.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_LIB_PACKING_ZEROPOINTS_H
#define QUANT_LIB_PACKING_ZEROPOINTS_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/Value.h"

namespace quantmlir {

/// One operand of an integer matmul, in the form that an instruction reads:
/// `value` is [rows, K] or [K, rows], and stands for `value - zero point`.
struct ZeroPointedOperand {
  mlir::Value value;
  /// The constant part of the zero point.
  int32_t constantZeroPoint = 0;
  /// The run-time part, `tensor<i32>` or one for each row, or null.
  mlir::Value zeroPoint;
  /// How the instruction reads 8-bit elements.
  bool isUnsigned = false;
  /// The dimension of `value` that is summed over.
  int64_t kDim = 1;

  bool hasZeroPoint() const { return constantZeroPoint != 0 || zeroPoint; }
};

/// acc[m, n] += colBias[n] + sum_i rows[i][m] * cols[i][n].
struct Corrections {
  /// `tensor<Nxi32>`, or null.
  mlir::Value colBias;
  /// `tensor<Mxi32>` and `tensor<Nxi32>`, pairwise.
  llvm::SmallVector<mlir::Value> rows, cols;
};

/// The corrections for `lhs` times `rhs`, computed at compile time where the
/// values are constants.
Corrections computeCorrections(mlir::OpBuilder &b, mlir::Location loc,
                               const ZeroPointedOperand &lhs,
                               const ZeroPointedOperand &rhs);

/// a + b of two `tensor<Nxi32>` (either may be null), folded if constant.
mlir::Value addVectors(mlir::OpBuilder &b, mlir::Location loc, mlir::Value x,
                       mlir::Value y);

} // namespace quantmlir

#endif // QUANT_LIB_PACKING_ZEROPOINTS_H
