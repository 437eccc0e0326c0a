//===- AttentionReshapes.h - reshapes between two products -----*- C++ -*-===//

#ifndef QUANT_LIB_CONVERSION_LINALGTOLINALG_ATTENTIONRESHAPES_H
#define QUANT_LIB_CONVERSION_LINALGTOLINALG_ATTENTIONRESHAPES_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/PatternMatch.h"
#include "llvm/ADT/SetVector.h"

namespace quantmlir {

/// The second product, and all that its left operand is computed by.
struct Attention {
  mlir::linalg::LinalgOp product;
  mlir::OpOperand *weights;
  /// From the second product's side on; the first product is among them.
  llvm::SetVector<mlir::Operation *> between;
};

/// Whether `op`, which may be null, expands or collapses a shape.
bool isReshape(mlir::Operation *op);

/// What computes `value`, reshapes left out; may be null.
mlir::Operation *getBehindReshapes(mlir::Value value);

/// Whether `op`, which may be null, multiplies two tensors of floats.
bool isProduct(mlir::Operation *op);

/// An operand of the attention that is a reshape of what comes from it.
mlir::OpOperand *findReshape(const Attention &attention);

/// An op with a result whose index is a constant somewhere (sums that keep a
/// dimension of size 1), which has no tiles.
mlir::linalg::GenericOp findKeptSize(const Attention &attention);

/// Computes each result without the sizes of 1 at constant indices.
bool dropKeptSizes(mlir::RewriterBase &b, mlir::linalg::GenericOp op);

/// What results begin with is filled where it is computed: a reshape in between
/// would have all of it filled before.
void fillTiles(mlir::RewriterBase &b, mlir::linalg::LinalgOp op);

/// Takes the reshape out: sizes of 1 are not read, merged heads become loops.
bool takeOut(mlir::RewriterBase &b, mlir::OpOperand &operand);

} // namespace quantmlir

#endif // QUANT_LIB_CONVERSION_LINALGTOLINALG_ATTENTIONRESHAPES_H
