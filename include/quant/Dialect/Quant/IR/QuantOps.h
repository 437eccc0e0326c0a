//===- QuantOps.h - ops that extend upstream's quant dialect ----*- C++ -*-===//
//
// Integer matmul, quantize and rescale operations in the namespace `quant`,
// which MLIR owns: they are added by a dialect extension, so that
// `!quant.uniform` types and `quant.qcast/dcast/scast` are used as they are.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_DIALECT_QUANT_IR_QUANTOPS_H
#define QUANT_DIALECT_QUANT_IR_QUANTOPS_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Interfaces/TilingInterface.h"

#include "quant/Dialect/Quant/Utils/StorageRange.h"
#include "quant/Reference/Rotation.h"

#include "quant/Dialect/Quant/IR/QuantEnums.h.inc"

#define GET_OP_CLASSES
#include "quant/Dialect/Quant/IR/QuantOps.h.inc"

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace quantmlir {

/// Adds the operations of this header to upstream's `quant` dialect.
void registerQuantExtension(mlir::DialectRegistry &registry);

/// The integers that `stored` may hold: the `range` of the op that quantized
/// it, else all of its type.
StorageRange getKnownRange(mlir::Value stored, bool isUnsigned);

} // namespace quantmlir

#endif // QUANT_DIALECT_QUANT_IR_QUANTOPS_H
