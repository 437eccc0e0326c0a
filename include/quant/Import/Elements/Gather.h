//===- Gather.h - elements of one dimension in another order ----*- C++ -*-===//

#ifndef QUANT_IMPORT_ELEMENTS_GATHER_H
#define QUANT_IMPORT_ELEMENTS_GATHER_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/Value.h"
#include "llvm/ADT/SmallVector.h"

#include <optional>

namespace quantmlir {

/// `result[.., i, ..] = source[.., indices[i], ..]` along dimension `dim`.
struct GatheredTensor {
  mlir::Value source;
  int64_t dim;
  llvm::SmallVector<int64_t> indices;
};

/// A `linalg.generic` that gathers so.
mlir::Value emitGather(mlir::OpBuilder &builder, mlir::Location loc,
                       const GatheredTensor &gather);

/// Reads `value` as such a gather, by constant indices.
std::optional<GatheredTensor> matchGather(mlir::Value value);

} // namespace quantmlir

#endif // QUANT_IMPORT_ELEMENTS_GATHER_H
