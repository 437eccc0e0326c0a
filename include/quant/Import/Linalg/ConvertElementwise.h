//===- ConvertElementwise.h - arith and math on tensors ---------*- C++ -*-===//

#ifndef QUANT_IMPORT_LINALG_CONVERTELEMENTWISE_H
#define QUANT_IMPORT_LINALG_CONVERTELEMENTWISE_H

#include "mlir/IR/Operation.h"

namespace quantmlir {

/// Makes `linalg` of elementwise ops on whole tensors in `root`. Upstream's
/// pass folds what it converts, and other conversions what they meet: stored
/// constants would be floats before they are recognised.
void convertElementwise(mlir::Operation *root);

} // namespace quantmlir

#endif // QUANT_IMPORT_LINALG_CONVERTELEMENTWISE_H
