//===- Canonicalize.h - what canonicalization files share -------*- C++ -*-===//

#ifndef QUANT_LIB_DIALECT_QUANT_IR_CANONICALIZE_H
#define QUANT_LIB_DIALECT_QUANT_IR_CANONICALIZE_H

#include "quant/Dialect/Quant/Utils/Constants.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/PatternMatch.h"

#include <cmath>

namespace quantmlir {

inline mlir::Value createConstant(mlir::OpBuilder &builder, mlir::Location loc,
                                  mlir::ElementsAttr attr) {
  return mlir::arith::ConstantOp::create(builder, loc,
                                         llvm::cast<mlir::TypedAttr>(attr));
}

inline mlir::Value createF32Constant(mlir::PatternRewriter &rewriter,
                                     mlir::Location loc,
                                     llvm::ArrayRef<int64_t> shape,
                                     llvm::ArrayRef<float> values) {
  auto type = mlir::RankedTensorType::get(shape, rewriter.getF32Type());
  return createConstant(rewriter, loc, makeFloatTensorAttr(type, values));
}

/// What an op's verifier takes as a constant scale.
inline bool isUsableScale(float scale) {
  return std::isfinite(scale) && scale > 0.0f;
}

/// Rescales of small constants.
void populateFoldRescalePatterns(mlir::RewritePatternSet &patterns);

/// quantize(rescale(acc)) -> rescale(acc) to integers.
void populateFuseQuantizeIntoRescalePatterns(mlir::RewritePatternSet &patterns);

} // namespace quantmlir

#endif // QUANT_LIB_DIALECT_QUANT_IR_CANONICALIZE_H
