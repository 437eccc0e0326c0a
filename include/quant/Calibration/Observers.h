//===- Observers.h - from a distribution to a range -------------*- C++ -*-===//
//
// How much of an activation's range is worth representing. Each observer reads
// the statistics of one matmul and gives the range that a static scale covers;
// values outside are clipped.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_CALIBRATION_OBSERVERS_H
#define QUANT_CALIBRATION_OBSERVERS_H

#include "quant/Calibration/Statistics.h"

namespace quantmlir {

enum class RangeObserver {
  /// Everything that was seen.
  MinMax,
  /// Exponential average of each input's extremes.
  MovingAverage,
  /// All but a share of the values.
  Percentile,
  /// The range with the least mean squared error, rounding and clipping
  /// together.
  Mse,
  /// The range whose quantized distribution is nearest to the true one
  /// (Kullback-Leibler divergence of histograms).
  KL
};

struct RangeOptions {
  RangeObserver observer = RangeObserver::MinMax;
  /// Stored bits, 4 or 8.
  unsigned bits = 8;
  /// Zero point 0, signed integers over the full range [-2^(b-1), 2^(b-1)-1]
  /// with scale T / (2^(b-1) - 1).
  bool symmetric = true;
  /// Percentile: the share of values that stays, in percent.
  double percentile = 99.99;
};

struct ObservedRange {
  double min = 0, max = 0;
};

/// The range that static parameters should cover. Symmetric: [-T, T]. Holds 0
/// always. [0, 0] when nothing but zeros was seen.
ObservedRange chooseRange(const MatmulStatistics &matmul,
                          const RangeOptions &options);

/// Scale and zero point for a range that holds 0.
struct StaticQParams {
  float scale = 1;
  int32_t zeroPoint = 0;
};

/// Symmetric: T / qmax and 0. Asymmetric: (max - min) / (qmax - qmin) and the
/// zero point that represents 0 exactly. An empty range gives scale 1.
StaticQParams chooseStaticQParams(ObservedRange range, int64_t qmin,
                                  int64_t qmax, bool symmetric);

} // namespace quantmlir

#endif // QUANT_CALIBRATION_OBSERVERS_H
