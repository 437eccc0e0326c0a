//===- PackedMatmul.h - the op of the packed stage --------------*- C++ -*-===//

#ifndef QUANT_TARGET_IR_PACKEDMATMUL_H
#define QUANT_TARGET_IR_PACKEDMATMUL_H

#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Target/IR/MatmulKernelInterface.h"

#define GET_OP_CLASSES
#include "quant/Target/IR/PackedMatmulOp.h.inc"

namespace quantmlir::qtarget {

/// C5, C9 to C11 of the op: what follows the sums of an op without groups.
llvm::LogicalResult verifyEpilogue(PackedMatmulOp op);

/// C6 to C8: what an op with groups has, and what only it has.
llvm::LogicalResult verifyGroups(PackedMatmulOp op);

/// The elements of `value` are of `element`; null passes.
llvm::LogicalResult verifyElements(PackedMatmulOp op, llvm::StringRef name,
                                   mlir::Value value, mlir::Type element);

/// Makes the dialect known, and loaded wherever upstream's `quant` is.
void registerQTarget(mlir::DialectRegistry &registry);

} // namespace quantmlir::qtarget

#endif // QUANT_TARGET_IR_PACKEDMATMUL_H
