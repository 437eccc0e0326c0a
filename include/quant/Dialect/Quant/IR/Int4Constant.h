//===- Int4Constant.h - constants of 4 bits, as they are stored -*- C++ -*-===//

#ifndef QUANT_DIALECT_QUANT_IR_INT4CONSTANT_H
#define QUANT_DIALECT_QUANT_IR_INT4CONSTANT_H

#include "mlir/IR/PatternMatch.h"

namespace quantmlir {

/// A constant of i4 `type` from a byte for each element: plain while it is
/// small, else two elements in a byte, unpacked where it is used.
mlir::Value createInt4Constant(mlir::OpBuilder &builder, mlir::Location loc,
                               mlir::RankedTensorType type,
                               llvm::ArrayRef<int8_t> values);

/// `value` as such a constant; null where it is no plain constant of i4, or
/// one that may stay plain.
mlir::Value packInt4Constant(mlir::OpBuilder &builder, mlir::Value value);

/// A weight that a program holds as a plain constant of i4, which takes a byte
/// for each element, is packed.
template <typename OpTy>
struct PackInt4Weight final : mlir::OpRewritePattern<OpTy> {
  using mlir::OpRewritePattern<OpTy>::OpRewritePattern;

  mlir::LogicalResult
  matchAndRewrite(OpTy op, mlir::PatternRewriter &rewriter) const override {
    mlir::Value packed = packInt4Constant(rewriter, op.getRhs());
    if (!packed)
      return rewriter.notifyMatchFailure(
          op, "the weight is no plain constant of 4 bits that takes much room");
    rewriter.modifyOpInPlace(op, [&] { op.getRhsMutable().assign(packed); });
    return mlir::success();
  }
};

} // namespace quantmlir

#endif // QUANT_DIALECT_QUANT_IR_INT4CONSTANT_H
