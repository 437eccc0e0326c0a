//===- WeightRuns.cpp - quantize values that share a scale ----------------===//

#include "WeightRuns.h"

#include <algorithm>
#include <cstring>
#include <limits>

using namespace llvm;
using namespace quantmlir;

void quantmlir::observeRun(ArrayRef<float> run, reference::Observer &range) {
  // Independent lanes: a single maximum would be one long chain of dependent
  // comparisons, which no compiler may reorder.
  constexpr size_t kLanes = 16;
  float low[kLanes], high[kLanes];
  std::fill_n(low, kLanes, range.min);
  std::fill_n(high, kLanes, range.max);
  const float *x = run.data();
  size_t whole = run.size() / kLanes * kLanes;
  constexpr float kMax = std::numeric_limits<float>::max();
  for (size_t i = 0; i < whole; i += kLanes)
    for (size_t j = 0; j < kLanes; ++j) {
      // NaN compares false, infinities are past the largest: both count as 0.
      float v = x[i + j] >= -kMax ? x[i + j] : 0.0f;
      v = v <= kMax ? v : 0.0f;
      low[j] = v < low[j] ? v : low[j];
      high[j] = v > high[j] ? v : high[j];
    }
  for (size_t j = 0; j < kLanes; ++j) {
    range.min = std::min(range.min, low[j]);
    range.max = std::max(range.max, high[j]);
  }
  for (size_t i = whole; i < run.size(); ++i)
    range.observe(x[i]);
}

void quantmlir::quantizeRun(ArrayRef<float> run, reference::QParams params,
                            int64_t qmin, int64_t qmax,
                            MutableArrayRef<int8_t> ints) {
  // Clamping to integers first and rounding then is the same as the reverse,
  // and keeps values small enough for the addition below to round them: the
  // last bit of 1.5 * 2^23 is worth 1.
  constexpr float kRound = 12582912.0f;
  int32_t zeroPoint = static_cast<int32_t>(params.zeroPoint);
  float low = static_cast<float>(qmin - zeroPoint);
  float high = static_cast<float>(qmax - zeroPoint);
  float scale = params.scale;
  const float *x = run.data();
  int8_t *out = ints.data();
  for (size_t i = 0, e = run.size(); i < e; ++i) {
    float v = x[i] / scale;
    v = v == v ? v : 0.0f;
    v = v > low ? v : low;
    v = v < high ? v : high;
    v += kRound;
    int32_t bits;
    std::memcpy(&bits, &v, sizeof(bits));
    // The low byte of the significand is the integer.
    out[i] = static_cast<int8_t>(bits + zeroPoint);
  }
}

double quantmlir::getSquaredError(ArrayRef<float> values,
                                  ArrayRef<float> importance,
                                  reference::QParams params, int64_t qmin,
                                  int64_t qmax) {
  constexpr size_t kLanes = 8;
  float low = static_cast<float>(qmin - params.zeroPoint);
  float high = static_cast<float>(qmax - params.zeroPoint);
  float scale = params.scale;
  auto error = [=](float x) {
    float v = roundClamped(x / scale, low, high);
    float difference = v * scale - x;
    return difference * difference;
  };
  const float *w = importance.data();
  size_t period = importance.empty() ? values.size() : importance.size();
  double total = 0;
  for (size_t begin = 0; begin < values.size(); begin += period) {
    const float *x = values.data() + begin;
    float sums[kLanes] = {};
    size_t whole = period / kLanes * kLanes;
    if (w)
      for (size_t i = 0; i < whole; i += kLanes)
        for (size_t j = 0; j < kLanes; ++j)
          sums[j] += w[i + j] * error(x[i + j]);
    else
      for (size_t i = 0; i < whole; i += kLanes)
        for (size_t j = 0; j < kLanes; ++j)
          sums[j] += error(x[i + j]);
    for (size_t i = whole; i < period; ++i)
      sums[0] += (w ? w[i] : 1.0f) * error(x[i]);
    for (float sum : sums)
      total += sum;
  }
  return total;
}

reference::QParams quantmlir::chooseQParams(const reference::Observer &range,
                                            const WeightScheme &scheme) {
  return scheme.symmetric ? reference::chooseSymmetric(range, scheme.getMax())
                          : reference::chooseAsymmetric(range, scheme.getMin(),
                                                        scheme.getMax());
}
