//===- FloatAttention.h - attention over floats as vectors ------*- C++ -*-===//

#ifndef QUANT_LIB_TARGET_CPU_VECTORIZE_ATTENTION_FLOATATTENTION_H
#define QUANT_LIB_TARGET_CPU_VECTORIZE_ATTENTION_FLOATATTENTION_H

#include "mlir/IR/PatternMatch.h"
#include "quant/Dialect/Quant/IR/FloatAttention.h"

namespace quantmlir {

/// Emits loops over vectors for a bufferized quant.float_attention, in its
/// place.
mlir::LogicalResult expandFloatAttention(mlir::RewriterBase &b,
                                         FloatAttentionOp op);

} // namespace quantmlir

#endif // QUANT_LIB_TARGET_CPU_VECTORIZE_ATTENTION_FLOATATTENTION_H
