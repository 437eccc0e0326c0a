//===- QuantizeBlocks.h - blocks of rows quantized as vectors ---*- C++ -*-===//

#ifndef QUANT_LIB_TARGET_CPU_VECTORIZE_QUANTIZEBLOCKS_H
#define QUANT_LIB_TARGET_CPU_VECTORIZE_QUANTIZEBLOCKS_H

#include "mlir/IR/PatternMatch.h"
#include "quant/Dialect/Quant/IR/QuantizeBlocks.h"

namespace quantmlir {

/// Emits loops over vectors for a bufferized quant.quantize_blocks, in its
/// place.
mlir::LogicalResult expandQuantizeBlocks(mlir::RewriterBase &b,
                                         QuantizeBlocksOp op);

} // namespace quantmlir

#endif // QUANT_LIB_TARGET_CPU_VECTORIZE_QUANTIZEBLOCKS_H
