//===- AccumulatorRange.h - bound of an integer matmul's sum ----*- C++ -*-===//
//
// How large the true sum of a quant.matmul may get, from what is known where
// the op stands:
//
//   |sum| <= K * max|lhs - lhs_zp| * max|rhs - rhs_zp| + what init brings
//
// Stored integers lie in the range of the op that quantized them, else in their
// type's; a zero point is its constant's values, or within the range for which
// quant.choose_qparams chose it, else anything that its operand can hold. What
// `init` brings counts where it is a constant or another quant.matmul (a sum
// that was split along K); anything else is the program's own i32 sum.
//
// A quant.scaled_matmul has one sum for each group: K is the longest group.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_ANALYSIS_ACCUMULATORRANGE_H
#define QUANT_ANALYSIS_ACCUMULATORRANGE_H

#include "quant/Dialect/Quant/IR/QuantOps.h"

#include <limits>
#include <optional>

namespace quantmlir {

/// The largest magnitude that an accumulator may reach.
constexpr int64_t kMaxAccumulator = std::numeric_limits<int32_t>::max();

/// Bound of the sums of one matmul.
struct AccumulatorBound {
  /// Number of products, or an upper bound of it; empty when there is none.
  std::optional<int64_t> k;
  /// max|lhs - lhs_zp| * max|rhs - rhs_zp|, at least 1.
  int64_t maxProduct = 1;
  /// Largest magnitude in `init`, as far as it counts.
  int64_t init = 0;

  /// The largest |sum|, cut off at the largest int64; empty without K.
  std::optional<int64_t> getMaxSum() const;
  /// The largest K whose sum is known to fit.
  int64_t getLargestSafeK() const;
  /// Whether the sum is known to fit.
  bool fits() const;
};

AccumulatorBound computeAccumulatorBound(MatmulOp op);

/// The bound of the sum over one group, the longest; for an integer lhs.
AccumulatorBound computeAccumulatorBound(ScaledMatmulOp op);

} // namespace quantmlir

#endif // QUANT_ANALYSIS_ACCUMULATORRANGE_H
