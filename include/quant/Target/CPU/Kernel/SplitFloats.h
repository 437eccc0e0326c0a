//===- SplitFloats.h - floats as sums of two bf16 ---------------*- C++ -*-===//
//
// x = h + l + e: h is the bf16 nearest to x, l the one nearest to x - h, which
// is a float exactly. Each has 8 significant bits and a sign, so that |e| is at
// most 2^-17 of |x|, and 0 where x has 16 significant bits, as f16 and bf16
// have. Where h would be infinite, h and l are cut off instead, so that |e| is
// below 2^-16 of |x|; of infinity and NaN h is the whole. Instructions that
// multiply bf16 take subnormal numbers as 0: of h and l what is below 2^-126 is
// lost. A product within 2^-8 of the largest float may be infinite, as h may be
// more than x.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_TARGET_CPU_KERNEL_SPLITFLOATS_H
#define QUANT_TARGET_CPU_KERNEL_SPLITFLOATS_H

#include "quant/Target/CPU/Kernel/ScaledKernel.h"

namespace quantmlir {

/// h and l.
inline constexpr int64_t kSplitParts = 2;

/// Allocates memory and writes `rows` rows from `firstRow` on in parts to it:
/// [row, part, pair] of i32, each a pair of bf16 (FloatElements::elementsOf),
/// in the order of the layout.
mlir::Value emitSplitRows(mlir::OpBuilder &b, mlir::Location loc,
                          const ScaledKernel &kernel, mlir::Value firstRow,
                          mlir::Value rows);

/// Pair `pair` of `part` of `row` in all lanes, as bf16.
mlir::Value broadcastSplit(mlir::OpBuilder &b, mlir::Location loc,
                           const ScaledKernel &kernel, mlir::Value split,
                           mlir::Value row, int64_t part, mlir::Value pair);

} // namespace quantmlir

#endif // QUANT_TARGET_CPU_KERNEL_SPLITFLOATS_H
