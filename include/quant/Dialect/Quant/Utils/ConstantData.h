//===- ConstantData.h - constants have their bytes --------------*- C++ -*-===//

#ifndef QUANT_DIALECT_QUANT_UTILS_CONSTANTDATA_H
#define QUANT_DIALECT_QUANT_UTILS_CONSTANTDATA_H

#include "mlir/IR/BuiltinTypeInterfaces.h"
#include "mlir/IR/Operation.h"

#include <optional>

namespace quantmlir {

/// Bytes of all static sizes of `type` multiplied, an element of less than a
/// byte as one; none where they overflow, or one is negative (from bytecode).
std::optional<int64_t> countBytes(mlir::ShapedType type);

/// The resources that attributes of `op` hold are there and have the size that
/// their types say: upstream's parser does not compare them. Else an error at
/// `op`.
llvm::LogicalResult verifyConstantData(mlir::Operation *op);

/// The elements of tensors that `op` makes can be counted in bytes, and a size
/// that it asks for exists.
llvm::LogicalResult verifyTensorSizes(mlir::Operation *op);

} // namespace quantmlir

#endif // QUANT_DIALECT_QUANT_UTILS_CONSTANTDATA_H
