//===- BlockScaled.h - TOSA's block-scaled tensors --------------*- C++ -*-===//

#ifndef QUANT_IMPORT_TOSA_BLOCKSCALED_H
#define QUANT_IMPORT_TOSA_BLOCKSCALED_H

#include "mlir/IR/Operation.h"

namespace quantmlir {

/// Replaces `tosa.cast_from_block_scaled`, `tosa.matmul_t_block_scaled` and
/// `tosa.cast_to_block_scaled` (to E2M1) by `linalg` ops, which the importers
/// read like any other dequantized tensors; upstream has no lowering of them.
/// An error where one has no such form.
mlir::LogicalResult convertTosaBlockScaled(mlir::Operation *root);

} // namespace quantmlir

#endif // QUANT_IMPORT_TOSA_BLOCKSCALED_H
