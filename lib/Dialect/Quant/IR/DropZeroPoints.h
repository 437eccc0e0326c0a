//===- DropZeroPoints.h - zero points of 0 ----------------------*- C++ -*-===//

#ifndef QUANT_LIB_DIALECT_QUANT_IR_DROPZEROPOINTS_H
#define QUANT_LIB_DIALECT_QUANT_IR_DROPZEROPOINTS_H

#include "quant/Dialect/Quant/Utils/Constants.h"

#include "mlir/IR/PatternMatch.h"

namespace quantmlir {

/// A zero point of a matmul that is constant 0 everywhere is none.
template <typename OpTy>
struct DropZeroPoints final : mlir::OpRewritePattern<OpTy> {
  using mlir::OpRewritePattern<OpTy>::OpRewritePattern;

  mlir::LogicalResult
  matchAndRewrite(OpTy op, mlir::PatternRewriter &rewriter) const override {
    bool dropLhs = isZeroConstant(op.getLhsZeroPoint());
    bool dropRhs = isZeroConstant(op.getRhsZeroPoint());
    if (!dropLhs && !dropRhs)
      return rewriter.notifyMatchFailure(op, "no zero point is constant 0");
    rewriter.modifyOpInPlace(op, [&] {
      if (dropLhs)
        op.getLhsZeroPointMutable().clear();
      if (dropRhs)
        op.getRhsZeroPointMutable().clear();
    });
    return mlir::success();
  }
};

} // namespace quantmlir

#endif // QUANT_LIB_DIALECT_QUANT_IR_DROPZEROPOINTS_H
