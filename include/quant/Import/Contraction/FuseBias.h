//===- FuseBias.h - bias additions into quant.rescale -----------*- C++ -*-===//

#ifndef QUANT_IMPORT_CONTRACTION_FUSEBIAS_H
#define QUANT_IMPORT_CONTRACTION_FUSEBIAS_H

#include "mlir/IR/Operation.h"

namespace quantmlir {

/// Moves the addition of a vector over the columns, where it is all that
/// follows a float `quant.rescale`, into the op's bias. The arithmetic is the
/// same: one f32 product, one f32 sum.
void fuseBias(mlir::Operation *root);

} // namespace quantmlir

#endif // QUANT_IMPORT_CONTRACTION_FUSEBIAS_H
