//===- FuseResidual.h - residual additions into quant.rescale ---*- C++ -*-===//

#ifndef QUANT_LIB_DIALECT_QUANT_TRANSFORMS_FUSERESIDUAL_H
#define QUANT_LIB_DIALECT_QUANT_TRANSFORMS_FUSERESIDUAL_H

#include "mlir/IR/PatternMatch.h"
#include "quant/Dialect/Quant/IR/QuantOps.h"

namespace quantmlir {

/// The rescale that makes `value`, through reshapes, of which nothing else is
/// used on the way. The reshapes are appended to `path`, last first.
RescaleOp findRescale(mlir::Value value,
                      llvm::SmallVectorImpl<mlir::Operation *> &path);

/// Additions (linalg.generic, linalg.add, arith.addf) of a tensor to a rescale.
void populateFuseResidualPatterns(mlir::RewritePatternSet &patterns,
                                  llvm::function_ref<void()> count);

} // namespace quantmlir

#endif // QUANT_LIB_DIALECT_QUANT_TRANSFORMS_FUSERESIDUAL_H
