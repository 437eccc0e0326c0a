//===- Canonicalize.h - patterns that span two ops' files -------*- C++ -*-===//

#ifndef QUANT_LIB_DIALECT_QUANT_IR_CANONICALIZE_H
#define QUANT_LIB_DIALECT_QUANT_IR_CANONICALIZE_H

#include "mlir/IR/PatternMatch.h"

namespace quantmlir {

/// quantize(rescale(acc)) -> rescale(acc) to integers.
void populateFuseQuantizeIntoRescalePatterns(mlir::RewritePatternSet &patterns);

} // namespace quantmlir

#endif // QUANT_LIB_DIALECT_QUANT_IR_CANONICALIZE_H
