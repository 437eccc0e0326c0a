//===- WeightQuantizer.h - a constant weight's integers ---------*- C++ -*-===//
//
// From the floats of a constant weight to integers, scales and zero points,
// under a scheme: bits, granularity, symmetry, how the scales are searched and
// how the values are rounded. Plain choices (abs-max scales, nearest rounding)
// give what `quant.choose_qparams` and `quant.quantize` fold to, bit for bit.
// Knows nothing of IR: rows are output features, a row's elements contracted.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_CALIBRATION_WEIGHTQUANTIZER_H
#define QUANT_CALIBRATION_WEIGHTQUANTIZER_H

#include "quant/Calibration/WeightFormat.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <vector>

namespace quantmlir {

/// How a weight is quantized.
struct WeightScheme {
  enum class Granularity { Tensor, Channel, Group };
  enum class ScaleSearch {
    AbsMax,       // the largest magnitude is the last integer
    MSE,          // the scale of the least squared error
    FullRange,    // the largest magnitude takes the integer farthest from 0
    FullRangeMSE, // the least squared error of both ends' ranges
    AbsMean       // the mean of the magnitudes is 1: BitNet b1.58, ternary only
  };
  enum class Rounding {
    Nearest,         // each value on its own, ties to even
    ErrorCompensated // GPTQ: an error is made good by the values after it
  };

  /// Of a format that is not Int the bits are its own, and so is the group size
  /// if it is fixed; it has groups (but Ternary, which may have them), no zero
  /// points and no full-range scales.
  WeightFormat format = WeightFormat::Int;
  /// 8, 6, 4, 3 or 2.
  unsigned bits = 8;
  Granularity granularity = Granularity::Channel;
  /// Elements of a row that share a scale; with Granularity::Group only. The
  /// last group of a row may be shorter.
  int64_t groupSize = 0;
  /// Zero points are 0; or 0 and -1, which the full-range searches choose so
  /// that 2^(bits - 1) steps lie on the side that needs them. (Elsewhere this
  /// is a scale of either sign: MatMulNBits, GGUF's Q4_0.)
  bool symmetric = true;
  /// Integers from 0 on instead of two's complement.
  bool isUnsigned = false;
  ScaleSearch scaleSearch = ScaleSearch::AbsMax;
  /// F32, F16 or BF16: what scales of groups are rounded to, once they are
  /// chosen. Integers only; other formats say which scales they have.
  WeightScales scaleType = WeightScales::F32;
  Rounding rounding = Rounding::Nearest;
  /// Error compensation: the share of the second moments' mean diagonal that
  /// is added to the diagonal.
  double damping = 0.05;
  /// Error compensation: columns of the largest activations are rounded first.
  bool activationOrder = false;

  /// Whether zero points are chosen between 0 and -1.
  bool isFullRange() const {
    return scaleSearch == ScaleSearch::FullRange ||
           scaleSearch == ScaleSearch::FullRangeMSE;
  }
  bool hasZeroPoints() const { return !symmetric || isFullRange(); }

  /// Bits that an integer is stored in: 6 take 8, and 3 take 4.
  unsigned getStoredBits() const { return bits > 4 ? 8 : bits > 2 ? 4 : 2; }
  int64_t getMin() const {
    if (format == WeightFormat::Ternary)
      return -1;
    return isUnsigned ? 0 : -(int64_t(1) << (bits - 1));
  }
  int64_t getMax() const {
    return (int64_t(1) << (bits - (isUnsigned ? 0 : 1))) - 1;
  }
  /// Sets the bits; a format of others gives way to integers.
  void setBits(unsigned wanted);
  /// Takes what the format says.
  void adoptFormat();
  /// The largest magnitude of what is multiplied by the scale.
  int64_t getMaxMagnitude() const;
  /// Elements of a row that share a scale.
  int64_t getGroupSize(int64_t k) const {
    return granularity == Granularity::Group ? groupSize : k;
  }
  /// Sizes of scales and zero points: [], [N] or [N, ceil(K / G)].
  std::vector<int64_t> getScaleShape(int64_t n, int64_t k) const;
};

/// A weight's stored form.
struct QuantizedWeight {
  /// [N, K], a byte for each element, or for its number in the format's code
  /// book; narrower ones are sign-extended (unsigned: zero-extended).
  std::vector<int8_t> ints;
  /// WeightScheme::getScaleShape, row-major.
  std::vector<float> scales;
  /// The same sizes; empty unless WeightScheme::hasZeroPoints.
  std::vector<int32_t> zeroPoints;
};

/// Quantizes `weight`, row-major [n, k]. `secondMoments` is empty or the mean
/// of x x^T over the calibration inputs x, row-major [k, k]: MSE search then
/// weighs each element's error with its diagonal, and error compensation needs
/// it. Fails, saying why, where the scheme and the arguments do not fit
/// together; NaN and infinite weights are no error here (they quantize as
/// `quant.quantize` does).
llvm::Expected<QuantizedWeight>
quantizeWeight(llvm::ArrayRef<float> weight, int64_t n, int64_t k,
               const WeightScheme &scheme,
               llvm::ArrayRef<float> secondMoments = {});

/// The same into memory of the caller (n * k bytes), for large weights; the
/// result's `ints` stay empty.
llvm::Expected<QuantizedWeight>
quantizeWeightInto(llvm::ArrayRef<float> weight, int64_t n, int64_t k,
                   const WeightScheme &scheme,
                   llvm::ArrayRef<float> secondMoments,
                   llvm::MutableArrayRef<int8_t> ints);

} // namespace quantmlir

#endif // QUANT_CALIBRATION_WEIGHTQUANTIZER_H
