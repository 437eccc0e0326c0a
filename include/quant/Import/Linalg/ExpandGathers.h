//===- ExpandGathers.h - tensor.gather as a lookup --------------*- C++ -*-===//

#ifndef QUANT_IMPORT_LINALG_EXPANDGATHERS_H
#define QUANT_IMPORT_LINALG_EXPANDGATHERS_H

#include "mlir/IR/Operation.h"

namespace quantmlir {

/// Writes each `tensor.gather` in `root` as a nest that reads its source by
/// index, as exporters write lookups; upstream has no bufferization of it
/// (22.1.8).
void expandGathers(mlir::Operation *root);

} // namespace quantmlir

#endif // QUANT_IMPORT_LINALG_EXPANDGATHERS_H
