//===- MatmulEmitter.h - a contraction as quant.matmul ----------*- C++ -*-===//
//
// Brings the operands of a contraction to the matrices that `quant.matmul`
// takes, `[batch.., M, K]` and `[batch.., K, N]` or `[batch.., N, K]`, and its
// result back to the layout of the contraction. Layouts are chosen so that a
// weight never moves, and activations only where their own layout is not
// row-major already.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_IMPORT_CONTRACTION_MATMULEMITTER_H
#define QUANT_IMPORT_CONTRACTION_MATMULEMITTER_H

#include "quant/Import/Contraction/ContractionMatcher.h"

#include "mlir/IR/Builders.h"

namespace quantmlir {

struct ChosenWeight;

/// Emits the pieces of one contraction's rewriting, at the contraction.
class MatmulEmitter {
public:
  /// Contracted loops are merged in the order in which the right-hand side has
  /// them, but for `outer`, if it is one: that comes first.
  MatmulEmitter(mlir::OpBuilder &builder, const Contraction &contraction,
                int64_t outer = kUnitDim);

  /// Whether the right-hand matrix is `[.., N, K]`.
  bool isRhsTransposed() const { return rhsTransposed; }
  int64_t getNumBatchDims() const { return batch.size(); }

  /// `[batch.., M, K]` of `lhs` or of a tensor that stands for it.
  mlir::Value emitLhs(const LoopTensor &lhs);
  /// `[batch.., K, N]` or `[batch.., N, K]` of `rhs`.
  mlir::Value emitRhs(const LoopTensor &rhs);
  /// `[batch.., N, K]` of `rhs`, whatever its layout.
  mlir::Value emitRhsRows(const LoopTensor &rhs);
  /// The same of every weight that `rhs` is one of, `[E, K, N]` or `[E, N, K]`;
  /// there must be no batch.
  mlir::Value emitAllRhs(const ChosenWeight &rhs);
  /// `[batch.., M, N]` of the contraction's init.
  mlir::Value emitInit();
  /// A vector over (some of) the rows' loops, as rank 0 or `[batch.., M]`.
  mlir::Value emitRowVector(const LoopTensor &vector);
  /// The same over the columns' loops, as rank 0 or `[N]`; where the batch's
  /// loops walk it, too, as `[batch.., N]`.
  mlir::Value emitColumnVector(const LoopTensor &vector);

  /// The zero points of `rhs`, an emitted right-hand side: one, or `[batch..,
  /// N]`.
  mlir::Value emitRhsZeroPoint(const LoopTensor &vector, mlir::Value rhs);
  /// A matrix over the columns' loops and one contracted loop, as `[N, K/G]`;
  /// over none, as `[N, 1]`.
  mlir::Value emitGroupMatrix(const LoopTensor &matrix,
                              mlir::ArrayRef<int64_t> group);
  /// A matrix over the rows' loops and one contracted loop, as
  /// `[batch.., M, K/G]`.
  mlir::Value emitBlockMatrix(const LoopTensor &matrix,
                              mlir::ArrayRef<int64_t> group);
  /// A zero accumulator `[batch.., M, N]` for matrices made by emitLhs and
  /// emitRhs.
  mlir::Value emitZeroAccumulator(mlir::Value lhs, mlir::Value rhs);
  /// From `[batch.., M, N]` to the contraction's result type and layout.
  mlir::Value emitResult(mlir::Value matrix);

private:
  using Loops = llvm::SmallVector<int64_t>;

  /// `[batch.., product of first, product of second]`.
  mlir::Value emitMatrix(LoopTensor tensor, mlir::ArrayRef<int64_t> first,
                         mlir::ArrayRef<int64_t> second);
  /// `[batch.., product of loops]`; rank 0 where no loop walks it.
  mlir::Value emitBatchVector(const LoopTensor &vector,
                              mlir::ArrayRef<int64_t> loops);
  bool hasBatch(const LoopTensor &vector) const;
  mlir::Value emitWeight(const LoopTensor &rhs, mlir::ArrayRef<int64_t> first,
                         mlir::ArrayRef<int64_t> second);
  mlir::Value emitTransposed(LoopTensor &tensor, mlir::ArrayRef<int64_t> order);
  mlir::OpFoldResult getLoopSize(int64_t loop);

  mlir::OpBuilder &builder;
  const Contraction &contraction;
  mlir::Location loc;
  /// Loops by role, in the order in which they are merged to one dimension.
  Loops batch, m, n, k;
  bool rhsTransposed = false;
};

/// Whether `init` is known to be zero: a fill or a constant.
bool isZeroInit(mlir::Value init);

/// Removes the dimensions that no loop walks.
void dropUnitDims(mlir::OpBuilder &builder, mlir::Location loc,
                  LoopTensor &tensor);

/// Gives the contracted dimensions of the left-hand side the static sizes that
/// the right-hand side has; that they are so is checked when the program runs.
void castContracted(mlir::OpBuilder &builder, Contraction &contraction);

/// Erases `op`, if there is one, and the ops that feed it while nothing uses
/// them.
void eraseDeadChain(mlir::Operation *op);

} // namespace quantmlir

#endif // QUANT_IMPORT_CONTRACTION_MATMULEMITTER_H
