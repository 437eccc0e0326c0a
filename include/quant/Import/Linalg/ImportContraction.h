//===- ImportContraction.h - quantized contractions of linalg ---*- C++ -*-===//

#ifndef QUANT_IMPORT_LINALG_IMPORTCONTRACTION_H
#define QUANT_IMPORT_LINALG_IMPORTCONTRACTION_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

#include <string>

namespace quantmlir {

/// Rewrites `op` into `quant.matmul` when it multiplies stored integers: a
/// float contraction of dequantized tensors, `linalg.quantized_matmul` or
/// `quantized_batch_matmul`, or a contraction of 8-bit or 4-bit integers with
/// i32 sums. With `weightOnly`, a float contraction of which only the weight is
/// dequantized becomes `quant.scaled_matmul`. On failure `reason` is empty when
/// `op` is none of these.
mlir::LogicalResult importContraction(mlir::linalg::LinalgOp op,
                                      bool weightOnly, std::string &reason);

} // namespace quantmlir

#endif // QUANT_IMPORT_LINALG_IMPORTCONTRACTION_H
