//===- PackedScaledMatmul.h - the packed grouped matmul ---------*- C++ -*-===//
//
// `quant.packed_scaled_matmul` stands in the packed stage only, so that its
// class is apart from those that every pass includes.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_DIALECT_QUANT_IR_PACKEDSCALEDMATMUL_H
#define QUANT_DIALECT_QUANT_IR_PACKEDSCALEDMATMUL_H

#include "quant/Dialect/Quant/IR/QuantOps.h"

namespace quantmlir {

/// The greatest magnitude of a product of activations of 8 bits and a weight of
/// `bits`, as a GPU's kernel sums it: nibbles are 16 times themselves, and what
/// has a zero point may be as far from it as its whole range is wide.
int64_t getLargestScaledProduct(int64_t bits, bool lhsZeroPoint,
                                bool rhsZeroPoint);

} // namespace quantmlir

#define GET_OP_CLASSES
#include "quant/Dialect/Quant/IR/PackedScaledMatmulOp.h.inc"

#endif // QUANT_DIALECT_QUANT_IR_PACKEDSCALEDMATMUL_H
