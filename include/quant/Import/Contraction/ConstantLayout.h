//===- ConstantLayout.h - constants in another shape ------------*- C++ -*-===//

#ifndef QUANT_IMPORT_CONTRACTION_CONSTANTLAYOUT_H
#define QUANT_IMPORT_CONTRACTION_CONSTANTLAYOUT_H

#include "mlir/IR/Builders.h"

namespace quantmlir {

/// The constant `value` with the same data in another shape; a resource's blob
/// is shared. Null when `value` is no constant.
mlir::Value reshapeConstant(mlir::OpBuilder &builder, mlir::Location loc,
                            mlir::Value value, mlir::RankedTensorType type);

/// The constant `value` with dimension i of the result being dimension
/// `permutation[i]` of the source. Null when `value` is no constant or its
/// data is missing.
mlir::Value transposeConstant(mlir::OpBuilder &builder, mlir::Location loc,
                              mlir::Value value,
                              mlir::ArrayRef<int64_t> permutation);

} // namespace quantmlir

#endif // QUANT_IMPORT_CONTRACTION_CONSTANTLAYOUT_H
