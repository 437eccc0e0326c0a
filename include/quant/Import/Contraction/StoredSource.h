//===- StoredSource.h - the integers that floats are made from --*- C++ -*-===//

#ifndef QUANT_IMPORT_CONTRACTION_STOREDSOURCE_H
#define QUANT_IMPORT_CONTRACTION_STOREDSOURCE_H

#include "mlir/IR/Value.h"

namespace quantmlir {

/// The element type of the stored integers (of 2 to 16 bits) that `value` is
/// made from, in whatever form; null where there are none.
mlir::Type findStoredType(mlir::Value value);

/// Whether the program quantizes `value` itself, and moves it.
bool isQuantizedHere(mlir::Value value);

} // namespace quantmlir

#endif // QUANT_IMPORT_CONTRACTION_STOREDSOURCE_H
