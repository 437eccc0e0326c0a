//===- QuantizeRows.h - rows quantized and packed at once -------*- C++ -*-===//
//
// `quant.quantize_rows` and `quant.rotate_rows` stand in the packed stage only,
// so that their classes are apart from those that every pass includes.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_DIALECT_QUANT_IR_QUANTIZEROWS_H
#define QUANT_DIALECT_QUANT_IR_QUANTIZEROWS_H

#include "quant/Dialect/Quant/IR/QuantOps.h"

#define GET_OP_CLASSES
#include "quant/Dialect/Quant/IR/QuantizeRowsOp.h.inc"

#endif // QUANT_DIALECT_QUANT_IR_QUANTIZEROWS_H
