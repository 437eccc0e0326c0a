//===- PackedScaledMatmul.h - the packed grouped matmul ---------*- C++ -*-===//
//
// `quant.packed_scaled_matmul` stands in the packed stage only, so that its
// class is apart from those that every pass includes.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_DIALECT_QUANT_IR_PACKEDSCALEDMATMUL_H
#define QUANT_DIALECT_QUANT_IR_PACKEDSCALEDMATMUL_H

#include "quant/Dialect/Quant/IR/QuantOps.h"

#define GET_OP_CLASSES
#include "quant/Dialect/Quant/IR/PackedScaledMatmulOp.h.inc"

#endif // QUANT_DIALECT_QUANT_IR_PACKEDSCALEDMATMUL_H
