//===- BlockScale.h - scales of blocks of activations -----------*- C++ -*-===//
//
// The formulas of quant.quantize_blocks, for the reference lowering and for
// vectors alike, so that every target computes the same bits.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_DIALECT_QUANT_UTILS_BLOCKSCALE_H
#define QUANT_DIALECT_QUANT_UTILS_BLOCKSCALE_H

#include "quant/Dialect/Quant/IR/QuantOps.h"

namespace quantmlir {

/// The scale of a block whose largest finite magnitude is `largest`, an f32.
mlir::Value emitBlockScale(mlir::OpBuilder &b, mlir::Location loc,
                           mlir::Value largest, int64_t qmax,
                           BlockScale scales);

/// Whether a block's data is multiplied by a factor, not divided by the scale.
inline bool hasBlockFactor(BlockScale scales) {
  return scales == BlockScale::Q8_0 || scales == BlockScale::MLAS;
}

/// That factor.
mlir::Value emitBlockFactor(mlir::OpBuilder &b, mlir::Location loc,
                            mlir::Value largest, int64_t qmax,
                            BlockScale scales);

/// `x`, a scalar or a vector, by its factor, rounded as integers are.
mlir::Value emitRoundedProduct(mlir::OpBuilder &b, mlir::Location loc,
                               mlir::Value x, mlir::Value factor,
                               BlockScale scales);

} // namespace quantmlir

#endif // QUANT_DIALECT_QUANT_UTILS_BLOCKSCALE_H
