//===- ConstantParts.h - constants cut and padded ---------------*- C++ -*-===//

#ifndef LIB_SHARD_CONSTANTPARTS_H
#define LIB_SHARD_CONSTANTPARTS_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"

namespace quantmlir {

/// The stored bytes of a constant (one value of a splat); empty where it has
/// none.
llvm::ArrayRef<char> getStoredBytes(mlir::ElementsAttr attr);

/// The elements of `attr` from `offset` on along `axis`, as many as `part` has;
/// null for a constant without data.
mlir::ElementsAttr cutConstant(mlir::ElementsAttr attr,
                               mlir::RankedTensorType part, int64_t axis,
                               int64_t offset);

/// `attr` with elements `padding` (0, or 1 of f32) behind its own along `axis`.
mlir::ElementsAttr padConstant(mlir::ElementsAttr attr,
                               mlir::RankedTensorType padded, int64_t axis,
                               double padding);

} // namespace quantmlir

#endif // LIB_SHARD_CONSTANTPARTS_H
