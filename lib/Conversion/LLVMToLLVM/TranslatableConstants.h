//===- TranslatableConstants.h - what translation can write -----*- C++ -*-===//

#ifndef QUANT_LIB_CONVERSION_LLVMTOLLVM_TRANSLATABLECONSTANTS_H
#define QUANT_LIB_CONVERSION_LLVMTOLLVM_TRANSLATABLECONSTANTS_H

#include "mlir/IR/Operation.h"

namespace quantmlir {

/// The value of an `llvm.mlir.global` or `llvm.mlir.constant`; null for others
/// and for globals without.
mlir::Attribute getConstantValue(mlir::Operation *op);

/// Refuses, at `op`, what `mlir-translate --mlir-to-llvmir` dies on or writes
/// as invalid IR or as other numbers, though it verifies: a constant whose
/// sizes, number or kind of elements are not those of its type, constants of
/// arrays that it lists of 2^32 elements or more, vectors of as many or of more
/// than 2^32 bytes.
mlir::LogicalResult verifyTranslatable(mlir::Operation *op);

} // namespace quantmlir

#endif // QUANT_LIB_CONVERSION_LLVMTOLLVM_TRANSLATABLECONSTANTS_H
