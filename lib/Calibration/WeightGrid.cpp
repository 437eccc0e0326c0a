//===- WeightGrid.cpp - elements and scales of a scheme -------------------===//
//
// A value x is stored as the entry nearest to x / scale, rounded once; halfway
// between two it is the one with the even number, which for E2M1 is the even
// mantissa. Entries that are equal (0 and -0) are the first of them.
//
// Scales by `absmax`: the one with which nothing is clipped, rounded to the
// nearest that the format has; of powers of two the one that OCP MX takes,
// which may clip. `mse` tries others around it: larger ones, too, as a grid
// that is finer near 0 may gain by them.
//
// Ternary weights: Ma et al., "The Era of 1-bit LLMs: All Large Language Models
// are in 1.58 Bits" (2024), equations 1 to 3: the scale is the mean magnitude.
//
//===----------------------------------------------------------------------===//

#include "WeightGrid.h"

#include "llvm/Support/MathExtras.h"

#include <algorithm>
#include <cmath>
#include <limits>

using namespace llvm;
using namespace quantmlir;

/// Scales are tried at kLargestFraction, kLargestFraction - kGridStep, ... of
/// the one of `absmax`.
static constexpr double kLargestFraction = 1.6, kSmallestFraction = 0.5,
                        kGridStep = 0.04;
/// Halvings of the step around the best one, where scales are that fine.
static constexpr unsigned kGridRefinements = 3;
/// Powers of two are tried at these multiples of it.
static constexpr float kPowersOfTwo[] = {2.0f, 0.5f, 0.25f};

/// `x` >= 0 with `bits` of mantissa behind the leading one, to nearest even;
/// below 2^least it has fewer.
static float roundMantissa(float x, int bits, int least) {
  if (x == 0)
    return 0;
  int exponent = std::max(std::ilogb(x), least) - bits;
  return std::ldexp(std::nearbyintf(std::ldexp(x, -exponent)), exponent);
}

static float roundToF16(float x) {
  constexpr float largest = 65504;
  return std::min(roundMantissa(x, 10, -14), largest);
}

static float roundToBF16(float x) {
  constexpr float largest = 0x1.fep127f;
  return x > largest ? largest : roundMantissa(x, 7, -126);
}

/// A scale > 0 of integers as one > 0 that `type` has.
static float roundScaleTo(float scale, WeightScales type) {
  if (type == WeightScales::F16)
    return std::max(roundToF16(scale), 0x1p-24f);
  if (type == WeightScales::BF16)
    return std::max(roundToBF16(scale), 0x1p-133f);
  return scale;
}

/// OCP 8-bit floating point: E4M3 has no infinity, 448 is the largest.
static constexpr float kLargestE4M3 = 448, kSmallestE4M3 = 0x1p-9f;

static float roundToE4M3(float x) {
  return std::min(roundMantissa(x, 3, -6), kLargestE4M3);
}

/// The power of two that OCP MX takes for elements of up to `largestElement`:
/// the largest one not above `x`, over that not above the element.
static float choosePowerOfTwo(float x, float largestElement) {
  constexpr int least = -126;
  return std::ldexp(
      1.0f, std::max(std::ilogb(x) - std::ilogb(largestElement), least));
}

WeightGrid::WeightGrid(const WeightScheme &scheme, ArrayRef<float> weight)
    : scheme(scheme), row(getFormatRow(scheme.format)) {
  SmallVector<int8_t> order;
  for (size_t i = 0; i < row.codes.size(); ++i)
    if (!is_contained(row.codes.take_front(i), row.codes[i]))
      order.push_back(static_cast<int8_t>(i));
  llvm::sort(order,
             [&](int8_t a, int8_t b) { return row.codes[a] < row.codes[b]; });
  count = order.size();
  for (size_t i = 0; i < count; ++i) {
    numbers[i] = order[i];
    entries[i] = row.codes[order[i]];
  }
  for (size_t i = 0; i + 1 < count; ++i) {
    last[i] = (entries[i] + entries[i + 1]) / 2;
    if (numbers[i] % 2)
      last[i] = std::nextafter(last[i], -std::numeric_limits<float>::max());
  }
  if (row.scales != WeightScales::E4M3)
    return;
  reference::Observer range;
  observeRun(weight, range);
  float largest = std::max(range.max, -range.min);
  // Of the format's own elements, of which two are one here.
  float ownLargest = entries[count - 1] / 2;
  if (largest > 0)
    tensorScale = std::max(largest / (ownLargest * kLargestE4M3),
                           std::numeric_limits<float>::min());
}

//===----------------------------------------------------------------------===//
// Scales
//===----------------------------------------------------------------------===//

/// The smallest scale that clips nothing.
float WeightGrid::getTop(const reference::Observer &range) const {
  float low = hasCodes() ? entries[0] : static_cast<float>(-scheme.getMax());
  float high =
      hasCodes() ? entries[count - 1] : static_cast<float>(scheme.getMax());
  return std::max(range.min / low, range.max / high);
}

float WeightGrid::roundScale(float scale) const {
  switch (row.scales) {
  case WeightScales::F32:
    return scale;
  case WeightScales::F16:
    return roundToF16(scale);
  case WeightScales::BF16:
    return roundToBF16(scale);
  case WeightScales::E8M0:
    return choosePowerOfTwo(scale, 1);
  case WeightScales::E4M3: {
    float relative = roundToE4M3(scale / (0.5f * tensorScale));
    // The format's scale, rounded once; half of it, as elements are doubled.
    return std::max(relative, kSmallestE4M3) * tensorScale * 0.5f;
  }
  }
  llvm_unreachable("all scales are above");
}

/// The mean magnitude, of values that are not NaN; 1 where it is none.
static float getMeanMagnitude(ArrayRef<float> values) {
  double sum = 0;
  for (float x : values)
    if (!std::isnan(x))
      sum += std::fabs(x);
  auto mean = static_cast<float>(sum / static_cast<double>(values.size()));
  return mean > 0 && std::isfinite(mean) ? mean : 1;
}

/// Ternary: with the least squared error, scales around this multiple of the
/// mean magnitude are tried. Of a normal distribution the best one is 1.53.
static constexpr float kTernaryTop = 1.5f;

float WeightGrid::getAbsMaxScale(const reference::Observer &range) const {
  if (row.scales != WeightScales::E8M0)
    return roundScale(getTop(range));
  float high =
      hasCodes() ? entries[count - 1] : static_cast<float>(scheme.getMax());
  return choosePowerOfTwo(std::max(range.max, -range.min), high);
}

double WeightGrid::getError(ArrayRef<float> values, ArrayRef<float> importance,
                            float scale) const {
  if (!hasCodes())
    return getSquaredError(values, importance, {scale, 0}, scheme.getMin(),
                           scheme.getMax());
  constexpr size_t kLanes = 8;
  float steps[kMost];
  for (size_t i = 0; i + 1 < count; ++i)
    steps[i] = entries[i + 1] - entries[i];
  double total = 0;
  for (size_t begin = 0; begin < values.size(); begin += kLanes) {
    size_t lanes = std::min(kLanes, values.size() - begin);
    float x[kLanes] = {}, v[kLanes], nearest[kLanes], weight[kLanes];
    std::copy_n(values.data() + begin, lanes, x);
    std::fill_n(weight, kLanes, 1.0f);
    if (!importance.empty())
      std::copy_n(importance.data() + begin, lanes, weight);
    for (size_t j = 0; j < kLanes; ++j) {
      v[j] = x[j] / scale;
      nearest[j] = entries[0];
    }
    for (size_t i = 0; i + 1 < count; ++i)
      for (size_t j = 0; j < kLanes; ++j)
        nearest[j] += v[j] > last[i] ? steps[i] : 0.0f;
    float sum = 0;
    for (size_t j = 0; j < lanes; ++j) {
      float difference = nearest[j] * scale - x[j];
      sum += weight[j] * difference * difference;
    }
    total += sum;
  }
  return total;
}

/// The scale of the least error; `start` where nothing is better, or can be
/// compared.
float WeightGrid::search(ArrayRef<float> values, ArrayRef<float> importance,
                         float start, float top) const {
  float best = start;
  double bestError = getError(values, importance, start), center = 1;
  float previous = start;
  auto attempt = [&](double fraction) {
    auto wanted = static_cast<float>(top * fraction);
    float scale = roundScale(wanted);
    if (scale == previous || !(scale > 0) || !std::isfinite(scale))
      return;
    previous = scale;
    double error = getError(values, importance, scale);
    if (!(error < bestError))
      return;
    bestError = error;
    best = scale;
    center = fraction;
  };
  if (row.scales == WeightScales::E8M0) {
    top = start;
    for (float factor : kPowersOfTwo)
      attempt(factor);
    return best;
  }
  for (double fraction = kLargestFraction; fraction >= kSmallestFraction;
       fraction -= kGridStep)
    attempt(fraction);
  double step = kGridStep;
  for (unsigned i = 0; i < kGridRefinements; ++i) {
    step /= 2;
    double middle = center;
    attempt(middle - step);
    attempt(middle + step);
  }
  return best;
}

/// The scale of `absmax`; of ternary weights the mean magnitude.
reference::QParams WeightGrid::chooseAbsMax(ArrayRef<float> values) const {
  if (scheme.format == WeightFormat::Ternary)
    return {getMeanMagnitude(values), 0};
  reference::Observer range;
  observeRun(values, range);
  if (range.min == 0 && range.max == 0) {
    // Where no entry is 0, the scale is.
    bool hasZero = !hasCodes() || is_contained(row.codes, 0);
    return {hasZero ? roundScale(1) : 0.0f, 0};
  }
  return {getAbsMaxScale(range), 0};
}

reference::QParams WeightGrid::chooseQParams(ArrayRef<float> values,
                                             ArrayRef<float> importance) const {
  if (scheme.format == WeightFormat::Int) {
    reference::QParams params =
        ::quantmlir::chooseQParams(values, importance, scheme);
    params.scale = roundScaleTo(params.scale, scheme.scaleType);
    return params;
  }
  float scale = chooseAbsMax(values).scale;
  if (!seeksLeastError())
    return {scale, 0};
  reference::Observer range;
  observeRun(values, range);
  bool isTernary = scheme.format == WeightFormat::Ternary;
  if (!isTernary && range.min == 0 && range.max == 0)
    return {scale, 0};
  float top = isTernary ? kTernaryTop * scale : getTop(range);
  return {search(values, importance, scale, top), 0};
}

bool WeightGrid::seeksLeastError() const {
  return scheme.scaleSearch == WeightScheme::ScaleSearch::MSE ||
         scheme.scaleSearch == WeightScheme::ScaleSearch::FullRangeMSE;
}

SmallVector<reference::QParams>
WeightGrid::getCandidates(ArrayRef<float> values) const {
  SmallVector<reference::QParams> candidates;
  if (scheme.format == WeightFormat::Int) {
    candidates = ::quantmlir::getCandidates(values, scheme);
    for (reference::QParams &params : candidates)
      params.scale = roundScaleTo(params.scale, scheme.scaleType);
    return candidates;
  }
  candidates.push_back(chooseAbsMax(values));
  auto add = [&](float scale) {
    bool isScale = scale > 0 && std::isfinite(scale);
    candidates.push_back({isScale ? scale : candidates.front().scale, 0});
  };
  reference::Observer range;
  observeRun(values, range);
  if (row.scales == WeightScales::E8M0) {
    for (float factor : kPowersOfTwo)
      add(roundScale(candidates.front().scale * factor));
    return candidates;
  }
  float top = scheme.format == WeightFormat::Ternary
                  ? kTernaryTop * candidates.front().scale
                  : getTop(range);
  for (double fraction = kLargestFraction; fraction >= kSmallestFraction;
       fraction -= kGridStep)
    add(roundScale(static_cast<float>(top * fraction)));
  return candidates;
}

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

void WeightGrid::round(const float *x, const float *scale,
                       const float *zeroPoint, float *rounded) const {
  float v[kLanes];
  for (size_t j = 0; j < kLanes; ++j) {
    v[j] = x[j] / scale[j];
    v[j] = v[j] == v[j] ? v[j] : 0.0f;
  }
  if (!hasCodes()) {
    auto min = static_cast<float>(scheme.getMin());
    auto max = static_cast<float>(scheme.getMax());
    for (size_t j = 0; j < kLanes; ++j)
      rounded[j] =
          scale[j] * roundClamped(v[j], min - zeroPoint[j], max - zeroPoint[j]);
    return;
  }
  std::fill_n(rounded, kLanes, entries[0]);
  for (size_t i = 0; i + 1 < count; ++i)
    for (size_t j = 0; j < kLanes; ++j)
      rounded[j] += v[j] > last[i] ? entries[i + 1] - entries[i] : 0.0f;
  for (size_t j = 0; j < kLanes; ++j)
    rounded[j] *= scale[j];
}

void WeightGrid::quantize(ArrayRef<float> run, reference::QParams params,
                          MutableArrayRef<int8_t> out) const {
  if (!hasCodes())
    return quantizeRun(run, params, scheme.getMin(), scheme.getMax(), out);
  for (auto [x, stored] : zip_equal(run, out))
    stored = quantize(x, params);
}

int8_t WeightGrid::quantize(float x, reference::QParams params) const {
  if (!hasCodes())
    return static_cast<int8_t>(reference::quantizeValue(
        x, params.scale, params.zeroPoint, scheme.getMin(), scheme.getMax()));
  float v = x / params.scale;
  if (std::isnan(v))
    v = 0;
  size_t rank = 0;
  for (size_t i = 0; i + 1 < count; ++i)
    rank += v > last[i];
  return static_cast<int8_t>(SignExtend32<4>(numbers[rank]));
}

float WeightGrid::dequantize(int8_t stored, reference::QParams params) const {
  constexpr int8_t nibble = 15;
  if (hasCodes())
    return params.scale * static_cast<float>(row.codes[stored & nibble]);
  int64_t q = scheme.isUnsigned ? static_cast<uint8_t>(stored) : stored;
  return reference::dequantizeValue(q, params.scale, params.zeroPoint);
}
