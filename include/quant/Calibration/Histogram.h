//===- Histogram.h - counts of values of unknown range ----------*- C++ -*-===//
//
// The range of an activation is known only after the last calibration input,
// and the observers want its distribution. So the range grows by doubling, and
// neighbouring bins merge: no value is stored, none is counted twice.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_CALIBRATION_HISTOGRAM_H
#define QUANT_CALIBRATION_HISTOGRAM_H

#include "llvm/ADT/ArrayRef.h"

#include <cstdint>
#include <vector>

namespace quantmlir {

/// Counts over [-limit, limit) in `kNumBins` bins of one width. `limit` is a
/// power of two. At least a quarter of the bins lies within the largest
/// magnitude that was seen.
struct Histogram {
  static constexpr int64_t kNumBins = 4096;
  static constexpr int64_t kCenter = kNumBins / 2;

  /// 0 until a value other than 0 is seen.
  double limit = 0;
  /// Empty as long as `limit` is 0; else one for each bin.
  std::vector<int64_t> counts;
  /// Values that are exactly 0: any scale represents them, so they are in no
  /// bin.
  int64_t zeros = 0;

  /// Counts finite values whose magnitudes are at most `maxMagnitude`.
  void add(llvm::ArrayRef<float> values, float maxMagnitude);
  void merge(const Histogram &other);

  double getBinWidth() const { return limit / kCenter; }
  /// Lower edge of bin `i`; the upper edge of the last is that of kNumBins.
  double getEdge(int64_t i) const { return (i - kCenter) * getBinWidth(); }
  double getMiddle(int64_t i) const { return getEdge(i) + getBinWidth() / 2; }
  /// All values, zeros included.
  int64_t getTotal() const;
  /// The value below which the share `fraction` of all values lies,
  /// interpolated within its bin.
  double getQuantile(double fraction) const;
  /// The same of the magnitudes.
  double getMagnitudeQuantile(double fraction) const;
  /// Counts of the magnitudes, kCenter bins from 0 on; without zeros.
  std::vector<int64_t> foldMagnitudes() const;

private:
  /// Doubles the range until it holds `magnitude`.
  void grow(double magnitude);
};

} // namespace quantmlir

#endif // QUANT_CALIBRATION_HISTOGRAM_H
