//===- Observers.cpp - from a distribution to a range ---------------------===//

#include "quant/Calibration/Observers.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/ErrorHandling.h"

#include <algorithm>
#include <cmath>
#include <limits>

using namespace quantmlir;

//===----------------------------------------------------------------------===//
// Least mean squared error
//===----------------------------------------------------------------------===//

/// Sum of squared errors when [range.min, range.max] is quantized to `steps`
/// steps. Within a bin values are taken as uniform, so that a step that is
/// fine against the bins costs scale^2 / 12 a value.
static double getSquaredError(const Histogram &histogram, ObservedRange range,
                              int64_t steps) {
  double scale = (range.max - range.min) / steps, error = 0;
  double width = histogram.getBinWidth();
  for (int64_t i = 0; i < Histogram::kNumBins; ++i) {
    int64_t count = histogram.counts[i];
    if (!count)
      continue;
    double x = histogram.getMiddle(i);
    double clipped = std::clamp(x, range.min, range.max);
    double squared;
    if (clipped != x) {
      squared = (x - clipped) * (x - clipped);
    } else if (scale < 4 * width) {
      squared = scale * scale / 12;
    } else {
      double distance = x - std::nearbyint(x / scale) * scale;
      squared = distance * distance + width * width / 12;
    }
    error += squared * count;
  }
  return error;
}

/// Tries shares of the full range, in 1/128.
static constexpr int kShares = 128;

static ObservedRange chooseMseSymmetric(const Histogram &histogram,
                                        double magnitude, unsigned bits) {
  int64_t steps = (int64_t(1) << bits) - 2; // -qmax to qmax
  ObservedRange best{-magnitude, magnitude};
  double least = std::numeric_limits<double>::infinity();
  for (int share = kShares; share > 0; --share) {
    double limit = magnitude * share / kShares;
    double error = getSquaredError(histogram, {-limit, limit}, steps);
    if (error < least) {
      least = error;
      best = {-limit, limit};
    }
  }
  return best;
}

/// Moves both ends in turn; each move is the best along its own line.
static ObservedRange chooseMseAsymmetric(const Histogram &histogram,
                                         ObservedRange full, unsigned bits) {
  int64_t steps = (int64_t(1) << bits) - 1;
  ObservedRange best = full;
  double least = getSquaredError(histogram, full, steps);
  auto tryRange = [&](ObservedRange range) {
    if (range.max <= range.min)
      return false;
    double error = getSquaredError(histogram, range, steps);
    if (error >= least)
      return false;
    least = error;
    best = range;
    return true;
  };
  for (bool improves = true; improves;) {
    improves = false;
    for (int share = 0; share <= kShares; ++share) {
      improves |= tryRange({full.min * share / kShares, best.max});
      improves |= tryRange({best.min, full.max * share / kShares});
    }
  }
  return best;
}

//===----------------------------------------------------------------------===//
// Kullback-Leibler divergence
//===----------------------------------------------------------------------===//

/// Divergence of the magnitudes' distribution from itself after clipping at
/// bin `end` and quantizing to `levels` levels. The clipped mass counts in the
/// last bin of the true distribution only, so clipping costs.
static double getDivergence(llvm::ArrayRef<int64_t> counts, int64_t end,
                            int64_t levels) {
  double clipped = 0, total = 0, kept = 0;
  for (auto [i, count] : llvm::enumerate(counts)) {
    total += count;
    (static_cast<int64_t>(i) < end ? kept : clipped) += count;
  }
  if (kept == 0)
    return std::numeric_limits<double>::infinity();
  double divergence = 0;
  for (int64_t level = 0; level < levels; ++level) {
    int64_t first = level * end / levels, last = (level + 1) * end / levels;
    double sum = 0;
    int64_t filled = 0;
    for (int64_t i = first; i < last; ++i) {
      sum += counts[i];
      filled += counts[i] != 0;
    }
    // The level's mass is spread evenly over the bins that hold anything.
    for (int64_t i = first; i < last; ++i) {
      double p = (counts[i] + (i == end - 1 ? clipped : 0)) / total;
      if (p == 0)
        continue;
      double q = counts[i] ? sum / filled / kept : 0;
      // A mass where the quantized distribution has none: as small as one
      // value of it.
      divergence += p * std::log(p / std::max(q, 1 / (kept + total)));
    }
  }
  return divergence;
}

static double chooseKLThreshold(const Histogram &histogram, double magnitude,
                                unsigned bits) {
  std::vector<int64_t> counts = histogram.foldMagnitudes();
  int64_t levels = int64_t(1) << (bits - 1);
  auto used =
      static_cast<int64_t>(std::ceil(magnitude / histogram.getBinWidth()));
  used = std::clamp<int64_t>(used, levels, counts.size());
  int64_t best = used, step = std::max<int64_t>(1, used / 256);
  double least = std::numeric_limits<double>::infinity();
  for (int64_t end = used; end >= levels; end -= step) {
    double divergence = getDivergence(counts, end, levels);
    if (divergence < least) {
      least = divergence;
      best = end;
    }
  }
  return std::min(magnitude, best * histogram.getBinWidth());
}

//===----------------------------------------------------------------------===//
// Entry points
//===----------------------------------------------------------------------===//

static ObservedRange clampTo(ObservedRange range,
                             const MatmulStatistics &matmul) {
  return {std::min(0.0, std::max(range.min, matmul.min)),
          std::max(0.0, std::min(range.max, matmul.max))};
}

ObservedRange quantmlir::chooseRange(const MatmulStatistics &matmul,
                                     const RangeOptions &options) {
  const Histogram &histogram = matmul.histogram;
  double magnitude = std::max(std::fabs(matmul.min), std::fabs(matmul.max));
  ObservedRange full{std::min(matmul.min, 0.0), std::max(matmul.max, 0.0)};
  if (magnitude == 0)
    return {0, 0};
  auto mirror = [](double limit) { return ObservedRange{-limit, limit}; };
  switch (options.observer) {
  case RangeObserver::MinMax:
    return options.symmetric ? mirror(magnitude) : full;
  case RangeObserver::MovingAverage:
    if (options.symmetric)
      return mirror(
          std::max(std::fabs(matmul.movingMin), std::fabs(matmul.movingMax)));
    return clampTo({matmul.movingMin, matmul.movingMax}, matmul);
  case RangeObserver::Percentile: {
    double share = options.percentile / 100;
    if (options.symmetric)
      return mirror(std::min(magnitude, histogram.getMagnitudeQuantile(share)));
    // Each end gives up half of what is left out.
    double tail = (1 - share) / 2;
    return clampTo(
        {histogram.getQuantile(tail), histogram.getQuantile(1 - tail)}, matmul);
  }
  case RangeObserver::Mse:
    return options.symmetric
               ? chooseMseSymmetric(histogram, magnitude, options.bits)
               : chooseMseAsymmetric(histogram, full, options.bits);
  case RangeObserver::KL: {
    double limit = chooseKLThreshold(histogram, magnitude, options.bits);
    return options.symmetric ? mirror(limit) : clampTo({-limit, limit}, matmul);
  }
  }
  llvm_unreachable("unknown observer");
}

StaticQParams quantmlir::chooseStaticQParams(ObservedRange range, int64_t qmin,
                                             int64_t qmax, bool symmetric) {
  StaticQParams params;
  double magnitude = std::max(std::fabs(range.min), std::fabs(range.max));
  double extent = symmetric ? magnitude : range.max - range.min;
  auto steps = static_cast<double>(symmetric ? qmax : qmax - qmin);
  auto scale = static_cast<float>(extent / steps);
  // Too small to divide by: what is there rounds to zero with any scale.
  if (!std::isnormal(scale))
    return params;
  params.scale = scale;
  if (!symmetric)
    params.zeroPoint = static_cast<int32_t>(std::clamp<double>(
        std::nearbyint(qmin - range.min / scale), qmin, qmax));
  return params;
}
