//===- QuantizeBlocks.h - blocks of rows quantized --------------*- C++ -*-===//
//
// `quant.quantize_blocks` is asked for by few, so that its class is apart from
// those that every pass includes.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_DIALECT_QUANT_IR_QUANTIZEBLOCKS_H
#define QUANT_DIALECT_QUANT_IR_QUANTIZEBLOCKS_H

#include "quant/Dialect/Quant/IR/QuantOps.h"

#define GET_OP_CLASSES
#include "quant/Dialect/Quant/IR/QuantizeBlocksOp.h.inc"

#endif // QUANT_DIALECT_QUANT_IR_QUANTIZEBLOCKS_H
