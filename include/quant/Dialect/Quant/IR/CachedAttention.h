//===- CachedAttention.h - attention over integers --------------*- C++ -*-===//
//
// `quant.cached_attention` is asked for by few, so that its class is apart from
// those that every pass includes.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_DIALECT_QUANT_IR_CACHEDATTENTION_H
#define QUANT_DIALECT_QUANT_IR_CACHEDATTENTION_H

#include "quant/Dialect/Quant/IR/QuantOps.h"

#define GET_OP_CLASSES
#include "quant/Dialect/Quant/IR/CachedAttentionOp.h.inc"

#endif // QUANT_DIALECT_QUANT_IR_CACHEDATTENTION_H
