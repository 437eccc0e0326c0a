//===- ChosenConstant.h - one of several constants --------------*- C++ -*-===//

#ifndef QUANT_LIB_PACKING_CHOSENCONSTANT_H
#define QUANT_LIB_PACKING_CHOSENCONSTANT_H

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Builders.h"

namespace quantmlir {

/// The slice that gives `value` one index of the first dimension, which it does
/// not have; null where it is none.
mlir::tensor::ExtractSliceOp getChoice(mlir::Value value);

/// One of `count` constants of a shape, which lie one after the other in `all`;
/// the run chooses it, where there is an index.
struct ChosenConstant {
  mlir::Value all, index;
  int64_t count = 1;

  /// The constant that `value` is, or is one of; nothing where it is computed.
  static std::optional<ChosenConstant> get(mlir::Value value);

  /// The chosen one of `packed`, which has `count` parts in its first dimension
  /// or, where that is `isOwnDim`, is one of them.
  mlir::Value choose(mlir::OpBuilder &b, mlir::Location loc, mlir::Value packed,
                     bool isOwnDim = false) const;
};

/// Part `index` of those of `size` that follow each other in `dim`.
mlir::Value slicePart(mlir::OpBuilder &b, mlir::Location loc, mlir::Value all,
                      int64_t dim, int64_t size, mlir::Value index);

} // namespace quantmlir

#endif // QUANT_LIB_PACKING_CHOSENCONSTANT_H
