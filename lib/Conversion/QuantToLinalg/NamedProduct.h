//===- NamedProduct.h - products by linalg's names --------------*- C++ -*-===//

#ifndef QUANT_LIB_CONVERSION_QUANTTOLINALG_NAMEDPRODUCT_H
#define QUANT_LIB_CONVERSION_QUANTTOLINALG_NAMEDPRODUCT_H

#include "mlir/IR/Builders.h"
#include "quant/Dialect/Quant/IR/QuantOps.h"

namespace quantmlir {

/// The product of `inputs`, shaped as the operands of `op`, onto `init`, as
/// linalg.matmul, linalg.batch_matmul or linalg.contract.
mlir::Value emitNamedProduct(mlir::OpBuilder &b, MatmulOp op,
                             mlir::ValueRange inputs, mlir::Value init);

} // namespace quantmlir

#endif // QUANT_LIB_CONVERSION_QUANTTOLINALG_NAMEDPRODUCT_H
