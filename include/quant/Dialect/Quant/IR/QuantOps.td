//===- QuantOps.td - integer matmul ops of the quant dialect -*- tablegen -*-===//
//
// Operations that this project adds to upstream's `quant` dialect. They are
// declared against upstream's `Quant_Dialect` and registered by a dialect
// extension (see QuantOps.h, `registerQuantExtension`).
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_DIALECT_QUANT_IR_QUANTOPS_TD
#define QUANT_DIALECT_QUANT_IR_QUANTOPS_TD

include "quant/Dialect/Quant/IR/QuantizeOps.td"
include "quant/Dialect/Quant/IR/MatmulOps.td"
include "quant/Dialect/Quant/IR/RescaleOps.td"
include "quant/Dialect/Quant/IR/RotateOps.td"
include "quant/Dialect/Quant/IR/ScaledMatmulOps.td"
include "quant/Dialect/Quant/IR/Int4Ops.td"

#endif // QUANT_DIALECT_QUANT_IR_QUANTOPS_TD
