//===- Histogram.cpp - counts of values of unknown range ------------------===//

#include "quant/Calibration/Histogram.h"

#include "llvm/ADT/STLExtras.h"

#include <algorithm>
#include <cmath>
#include <numeric>

using namespace quantmlir;

void Histogram::grow(double magnitude) {
  if (limit == 0) {
    counts.assign(kNumBins, 0);
    // Strictly above: the range is half open.
    limit = std::exp2(std::ilogb(magnitude) + 1);
    return;
  }
  for (; limit <= magnitude; limit *= 2) {
    std::vector<int64_t> merged(kNumBins, 0);
    // kCenter and kNumBins are even, so pairs do not straddle zero.
    for (int64_t i = 0; i < kNumBins; ++i)
      merged[kCenter / 2 + i / 2] += counts[i];
    counts = std::move(merged);
  }
}

void Histogram::add(llvm::ArrayRef<float> values, float maxMagnitude) {
  if (maxMagnitude == 0) {
    zeros += values.size();
    return;
  }
  grow(maxMagnitude);
  // A power of two: the product is exact, unless it underflows.
  double binsPerUnit = kCenter / limit;
  for (float value : values) {
    if (value == 0) {
      ++zeros;
      continue;
    }
    auto bin = static_cast<int64_t>(value * binsPerUnit + kCenter);
    ++counts[std::clamp<int64_t>(bin, 0, kNumBins - 1)];
  }
}

void Histogram::merge(const Histogram &other) {
  zeros += other.zeros;
  if (other.limit == 0)
    return;
  Histogram same = other;
  if (limit == 0) {
    limit = other.limit;
    counts.assign(kNumBins, 0);
  }
  // `grow` doubles until the limit is above its argument.
  if (limit < same.limit)
    grow(same.limit / 2);
  if (same.limit < limit)
    same.grow(limit / 2);
  for (int64_t i = 0; i < kNumBins; ++i)
    counts[i] += same.counts[i];
}

int64_t Histogram::getTotal() const {
  return std::accumulate(counts.begin(), counts.end(), zeros);
}

std::vector<int64_t> Histogram::foldMagnitudes() const {
  std::vector<int64_t> folded(kCenter, 0);
  if (counts.empty())
    return folded;
  for (int64_t i = 0; i < kCenter; ++i)
    folded[i] = counts[kCenter + i] + counts[kCenter - 1 - i];
  return folded;
}

/// Walks bins from `begin` until `wanted` values are passed. `atZero` is the
/// bin before which the zeros come.
static double walk(llvm::ArrayRef<int64_t> counts, int64_t atZero,
                   int64_t zeros, double wanted, double firstEdge,
                   double width) {
  double passed = 0;
  for (auto [i, count] : llvm::enumerate(counts)) {
    double edge = firstEdge + i * width;
    if (static_cast<int64_t>(i) == atZero) {
      passed += zeros;
      if (zeros && passed >= wanted)
        return 0;
    }
    if (count && passed + count >= wanted)
      return edge + width * std::max(0.0, wanted - passed) / count;
    passed += count;
  }
  return firstEdge + counts.size() * width;
}

double Histogram::getQuantile(double fraction) const {
  if (limit == 0)
    return 0;
  return walk(counts, kCenter, zeros, fraction * getTotal(), -limit,
              getBinWidth());
}

double Histogram::getMagnitudeQuantile(double fraction) const {
  if (limit == 0)
    return 0;
  return walk(foldMagnitudes(), 0, zeros, fraction * getTotal(), 0,
              getBinWidth());
}
