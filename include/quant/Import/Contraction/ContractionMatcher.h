//===- ContractionMatcher.h - one view of every matmul form -----*- C++ -*-===//
//
// A matmul reaches us as a named linalg op (plain, transposed, batched,
// matrix-vector, with indexing maps of its own), as `linalg.contract` or as a
// `linalg.generic` with any maps. All of them are described here by the loops
// that walk each dimension of their operands, so that no other code looks at
// the op's name.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_IMPORT_CONTRACTION_CONTRACTIONMATCHER_H
#define QUANT_IMPORT_CONTRACTION_CONTRACTIONMATCHER_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/Value.h"
#include "llvm/ADT/SmallVector.h"

#include <string>

namespace quantmlir {

/// Stands in `LoopTensor::loops` for a dimension of size 1 that no loop walks.
constexpr int64_t kUnitDim = -1;

/// A tensor and the loop of the contraction that walks each of its dimensions.
struct LoopTensor {
  mlir::Value value;
  llvm::SmallVector<int64_t> loops;

  mlir::RankedTensorType getType() const {
    return llvm::cast<mlir::RankedTensorType>(value.getType());
  }
  /// Number of dimensions that a loop walks.
  int64_t getLoopRank() const;
  bool isConstant() const;
};

/// How the body of a contraction widens its operands.
enum class ElementKind { Float, SignedInt, UnsignedInt };

/// `result[batch, m, n] = init + sum over k of lhs[batch, m, k] * rhs[batch,
/// k, n]`, where each of batch, m, n, k is any number of loops.
struct Contraction {
  mlir::linalg::LinalgOp op;
  LoopTensor lhs, rhs, init;
  ElementKind lhsKind = ElementKind::Float;
  ElementKind rhsKind = ElementKind::Float;
  /// Loops by their role, in loop order.
  llvm::SmallVector<int64_t> batch, m, n, k;

  bool isFloat() const { return lhsKind == ElementKind::Float; }
  mlir::RankedTensorType getResultType() const { return init.getType(); }
  mlir::Type getResultElementType() const {
    return getResultType().getElementType();
  }

  /// Derives the loops' roles from the operands; fails when a loop walks one
  /// tensor only.
  mlir::LogicalResult classify();
  /// Exchanges the operands' roles: the transposed product.
  void swapOperands();
};

/// Whether the body adds products of the first two inputs up, each widened or
/// not, and less a scalar zero point each where there are four inputs.
mlir::LogicalResult matchProductBody(mlir::linalg::LinalgOp op,
                                     ElementKind &lhs, ElementKind &rhs);

/// Recognises `op` as a contraction of tensors. On failure `reason` is empty
/// when `op` is no contraction at all, and else says what is unusual about it.
mlir::FailureOr<Contraction> matchContraction(mlir::Operation *op,
                                              std::string &reason);

/// Replaces `tensor` by the operand of the op that defines it, when that op
/// only moves data: a transpose, a broadcast, an identity copy (also one that
/// widens floats), a cast of the shape, the insertion or removal of unit
/// dimensions. Returns false when nothing was looked through.
bool lookThroughMovement(LoopTensor &tensor);

/// Looks through as many such ops as there are.
LoopTensor traceMovement(LoopTensor tensor);

} // namespace quantmlir

#endif // QUANT_IMPORT_CONTRACTION_CONTRACTIONMATCHER_H
