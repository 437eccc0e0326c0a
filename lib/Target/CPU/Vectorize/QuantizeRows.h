//===- QuantizeRows.h - rows scaled and quantized as vectors ----*- C++ -*-===//

#ifndef QUANT_LIB_TARGET_CPU_VECTORIZE_QUANTIZEROWS_H
#define QUANT_LIB_TARGET_CPU_VECTORIZE_QUANTIZEROWS_H

#include "mlir/IR/PatternMatch.h"
#include "quant/Dialect/Quant/IR/QuantizeRows.h"

namespace quantmlir {

/// Emits loops over vectors for a bufferized quant.quantize_rows of plain rows,
/// in its place. Whatever its tiles, others fail with an error.
mlir::LogicalResult expandQuantizeRows(mlir::RewriterBase &b,
                                       QuantizeRowsOp op);

} // namespace quantmlir

#endif // QUANT_LIB_TARGET_CPU_VECTORIZE_QUANTIZEROWS_H
