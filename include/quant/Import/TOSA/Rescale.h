//===- Rescale.h - quantized TOSA ops -> quant ops --------------*- C++ -*-===//

#ifndef QUANT_IMPORT_TOSA_RESCALE_H
#define QUANT_IMPORT_TOSA_RESCALE_H

#include "mlir/IR/Operation.h"

namespace quantmlir {

/// Replaces every `tosa.rescale` of a 32-bit multiplier by a
/// `quant.rescale_fixed_point`, which computes the same integers. What it
/// cannot say (16-bit multipliers, 48-bit inputs, parameters that are no
/// constants) stays for upstream's conversion. Returns how many were replaced.
int64_t convertTosaRescales(mlir::Operation *root);

/// Replaces `tosa.mul(tosa.cast(stored [- zero point]), scale)` by
/// `quant.dequantize`. Returns how many were replaced.
int64_t convertTosaDequantizes(mlir::Operation *root);

} // namespace quantmlir

#endif // QUANT_IMPORT_TOSA_RESCALE_H
