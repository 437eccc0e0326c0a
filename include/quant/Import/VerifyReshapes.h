//===- VerifyReshapes.h - what upstream's verifier lets pass ----*- C++ -*-===//

#ifndef QUANT_IMPORT_VERIFYRESHAPES_H
#define QUANT_IMPORT_VERIFYRESHAPES_H

#include "mlir/IR/Operation.h"

namespace quantmlir {

/// Fails, with an error at each, where a `tensor.collapse_shape` or
/// `tensor.expand_shape` below `root` names other dimensions than 0, 1, 2, ...
/// Upstream's verifier reads their numbers as 32 bits.
mlir::LogicalResult verifyReshapes(mlir::Operation *root);

} // namespace quantmlir

#endif // QUANT_IMPORT_VERIFYRESHAPES_H
