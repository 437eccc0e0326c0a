//===- NarrowConstant.h - constants of 4 and 2 bits -------------*- C++ -*-===//

#ifndef QUANT_DIALECT_QUANT_IR_NARROWCONSTANT_H
#define QUANT_DIALECT_QUANT_IR_NARROWCONSTANT_H

#include "mlir/IR/PatternMatch.h"

namespace quantmlir {

/// The bytes that `value` is unpacked from (quant.unpack_int4, unpack_int2);
/// null where it is not. How many bits an element has its type says.
mlir::Value getPackedBytes(mlir::Value value);

/// `bytes` unpacked to `type`, of i4 or i2.
mlir::Value unpackBytes(mlir::OpBuilder &builder, mlir::Location loc,
                        mlir::RankedTensorType type, mlir::Value bytes);

/// Elements of `type`, of i4 or i2 and of rank >= 1, from a byte for each, as
/// bytes that hold several.
mlir::ElementsAttr makePackedAttr(mlir::RankedTensorType type,
                                  llvm::ArrayRef<int8_t> values);

/// A constant of `type`, of i4 or i2, from a byte for each element: plain while
/// it is small, else several elements in a byte, unpacked where it is used.
mlir::Value createNarrowConstant(mlir::OpBuilder &builder, mlir::Location loc,
                                 mlir::RankedTensorType type,
                                 llvm::ArrayRef<int8_t> values);

/// `value` as such a constant; null where it is no plain constant of i4 or i2,
/// or one that may stay plain.
mlir::Value packNarrowConstant(mlir::OpBuilder &builder, mlir::Value value);

/// A weight that a program holds as a plain constant of i4 or i2, which takes a
/// byte for each element, is packed.
template <typename OpTy>
struct PackNarrowWeight final : mlir::OpRewritePattern<OpTy> {
  using mlir::OpRewritePattern<OpTy>::OpRewritePattern;

  mlir::LogicalResult
  matchAndRewrite(OpTy op, mlir::PatternRewriter &rewriter) const override {
    mlir::Value packed = packNarrowConstant(rewriter, op.getRhs());
    if (!packed)
      return rewriter.notifyMatchFailure(
          op, "the weight is no plain constant of few bits that takes much "
              "room");
    rewriter.modifyOpInPlace(op, [&] { op.getRhsMutable().assign(packed); });
    return mlir::success();
  }
};

} // namespace quantmlir

#endif // QUANT_DIALECT_QUANT_IR_NARROWCONSTANT_H
