//===- CachedAttention.h - attention over integers as vectors ---*- C++ -*-===//

#ifndef QUANT_LIB_TARGET_CPU_VECTORIZE_ATTENTION_CACHEDATTENTION_H
#define QUANT_LIB_TARGET_CPU_VECTORIZE_ATTENTION_CACHEDATTENTION_H

#include "mlir/IR/PatternMatch.h"
#include "quant/Dialect/Quant/IR/CachedAttention.h"

namespace quantmlir {

/// Emits loops over vectors for a bufferized quant.cached_attention, in its
/// place.
mlir::LogicalResult expandCachedAttention(mlir::RewriterBase &b,
                                          CachedAttentionOp op);

} // namespace quantmlir

#endif // QUANT_LIB_TARGET_CPU_VECTORIZE_ATTENTION_CACHEDATTENTION_H
