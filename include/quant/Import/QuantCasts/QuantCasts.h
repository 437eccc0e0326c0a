//===- QuantCasts.h - from upstream's casts to our ops ----------*- C++ -*-===//
//
// Upstream writes quantization as types: `quant.qcast`, `quant.dcast` and
// `quant.scast` to and from `!quant.uniform`, which canonicalization folds
// away. Here they become `quant.quantize` and `quant.dequantize` on stored
// integers, whose parameters are constants.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_IMPORT_QUANTCASTS_QUANTCASTS_H
#define QUANT_IMPORT_QUANTCASTS_QUANTCASTS_H

#include "mlir/IR/Operation.h"

namespace quantmlir {

/// Rewrites the casts in `root`. None stays, since upstream would fold it away:
/// a `quant.qcast` or `quant.dcast` of another stored type than our ops have is
/// computed in float, with a remark, and one that has no formula is an error.
mlir::LogicalResult convertQuantCasts(mlir::Operation *root);

/// Lets ops that only move elements work on the integers that tensors of
/// quantized types store, with `quant.scast` around them.
void moveStoredIntegers(mlir::Operation *root);

/// Moves per-tensor `quant.dequantize` below the reshapes that follow it, so
/// that it stands next to the contraction.
void sinkDequantize(mlir::Operation *root);

} // namespace quantmlir

#endif // QUANT_IMPORT_QUANTCASTS_QUANTCASTS_H
