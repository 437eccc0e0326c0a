//===- FloatAttention.h - attention over a cache of floats ------*- C++ -*-===//
//
// `quant.float_attention`, whose class is apart for the reason of
// CachedAttention.h.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_DIALECT_QUANT_IR_FLOATATTENTION_H
#define QUANT_DIALECT_QUANT_IR_FLOATATTENTION_H

#include "quant/Dialect/Quant/IR/QuantOps.h"

#define GET_OP_CLASSES
#include "quant/Dialect/Quant/IR/FloatAttentionOp.h.inc"

#endif // QUANT_DIALECT_QUANT_IR_FLOATATTENTION_H
