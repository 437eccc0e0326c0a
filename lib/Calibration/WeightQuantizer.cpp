//===- WeightQuantizer.cpp - a constant weight's integers -----------------===//
//
// Checks of a scheme against its arguments, and the plain quantizer: for each
// run of elements that share a scale its range, its parameters, its integers.
//
//===----------------------------------------------------------------------===//

#include "quant/Calibration/WeightQuantizer.h"

#include "ErrorCompensation.h"
#include "WeightGrid.h"

#include "llvm/ADT/Twine.h"
#include "llvm/Support/MathExtras.h"

using namespace llvm;
using namespace quantmlir;

std::vector<int64_t> WeightScheme::getScaleShape(int64_t n, int64_t k) const {
  switch (granularity) {
  case Granularity::Tensor:
    return {};
  case Granularity::Channel:
    return {n};
  case Granularity::Group:
    return {n, static_cast<int64_t>(divideCeil(k, groupSize))};
  }
  return {};
}

void WeightScheme::setBits(unsigned wanted) {
  bits = wanted;
  if (getFormatRow(format).bits == wanted)
    return;
  format = WeightFormat::Int;
  // What only ternary weights have gives way to the search that is nearest.
  if (scaleSearch == ScaleSearch::AbsMean)
    scaleSearch = ScaleSearch::MSE;
}

void WeightScheme::adoptFormat() {
  const WeightFormatRow &row = getFormatRow(format);
  if (scaleSearch == ScaleSearch::AbsMean)
    scaleSearch = ScaleSearch::AbsMax;
  if (format == WeightFormat::Int)
    return;
  bits = row.bits;
  if (format == WeightFormat::Ternary) {
    granularity = Granularity::Tensor;
    scaleSearch = ScaleSearch::AbsMean;
    return;
  }
  granularity = Granularity::Group;
  groupSize = row.groupSize;
}

int64_t WeightScheme::getMaxMagnitude() const {
  ArrayRef<int8_t> codes = getFormatRow(format).codes;
  if (codes.empty())
    return symmetric ? -getMin() : getMax() - getMin();
  int64_t largest = 0;
  for (int8_t code : codes)
    largest = std::max<int64_t>(largest, std::abs(code));
  return largest;
}

static Error verifyFormat(const WeightScheme &scheme) {
  const WeightFormatRow &row = getFormatRow(scheme.format);
  bool isTernary = scheme.format == WeightFormat::Ternary;
  if (!isTernary && scheme.scaleSearch == WeightScheme::ScaleSearch::AbsMean)
    return createStringError(
        "expected ternary weights for scales by the mean magnitude");
  if (isTernary && scheme.scaleSearch == WeightScheme::ScaleSearch::AbsMax)
    return createStringError("expected scales by the mean magnitude, or by the "
                             "least squared error, for ternary weights");
  if (scheme.format == WeightFormat::Int)
    return Error::success();
  if (isTernary && scheme.bits != row.bits)
    return createStringError("expected " + Twine(row.bits) +
                             " bits for ternary weights, found " +
                             Twine(scheme.bits));
  if (!isTernary && (scheme.bits != row.bits ||
                     scheme.granularity != WeightScheme::Granularity::Group ||
                     (row.hasFixedGroups && scheme.groupSize != row.groupSize)))
    return createStringError(
        "expected " + Twine(row.bits) + " bits in groups of " +
        Twine(row.groupSize) + ", as the format has them, found " +
        Twine(scheme.bits) + " and " + Twine(scheme.groupSize));
  if (scheme.hasZeroPoints())
    return createStringError("expected a symmetric scheme without full-range "
                             "scales for a format that is not of integers");
  return Error::success();
}

static Error verify(int64_t n, int64_t k, size_t numWeights,
                    const WeightScheme &scheme, size_t numMoments) {
  auto error = [](const Twine &text) { return createStringError(text); };
  if (Error wrong = verifyFormat(scheme))
    return wrong;
  if (!is_contained({8u, 6u, 4u, 3u, 2u}, scheme.bits))
    return error("expected weights of 8, 6, 4, 3 or 2 bits, found " +
                 Twine(scheme.bits));
  if (n < 0 || k < 0 || numWeights != static_cast<size_t>(n * k))
    return error("expected a weight of " + Twine(n) + " x " + Twine(k) +
                 " elements, found " + Twine(numWeights));
  if (scheme.granularity == WeightScheme::Granularity::Group &&
      scheme.groupSize <= 0)
    return error("expected a group size above 0, found " +
                 Twine(scheme.groupSize));
  if (scheme.symmetric && scheme.isUnsigned)
    return error("expected a zero point for unsigned integers: the scheme is "
                 "symmetric");
  if (!scheme.symmetric && scheme.isFullRange())
    return error("expected a symmetric scheme for full-range scales: they "
                 "choose the zero points themselves");
  if (numMoments != 0 && numMoments != static_cast<size_t>(k * k))
    return error("expected second moments of " + Twine(k) + " x " + Twine(k) +
                 " elements, found " + Twine(numMoments));
  if (scheme.rounding == WeightScheme::Rounding::ErrorCompensated &&
      numMoments == 0)
    return error("error-compensated rounding needs the second moments of the "
                 "calibration inputs");
  return Error::success();
}

/// Parameters and integers of one run after the other.
static void quantizePlain(ArrayRef<float> weight, int64_t n, int64_t k,
                          const WeightScheme &scheme,
                          ArrayRef<float> importance, QuantizedWeight &result,
                          MutableArrayRef<int8_t> ints) {
  bool perTensor = scheme.granularity == WeightScheme::Granularity::Tensor;
  // One run for the whole tensor, else runs within each row.
  int64_t rows = perTensor ? 1 : n, row = perTensor ? n * k : k;
  int64_t group = perTensor ? row : scheme.getGroupSize(k);
  WeightGrid grid(scheme, weight);
  auto add = [&](ArrayRef<float> run, ArrayRef<float> weights,
                 MutableArrayRef<int8_t> out) {
    reference::QParams params = grid.chooseQParams(run, weights);
    grid.quantize(run, params, out);
    result.scales.push_back(params.scale);
    if (scheme.hasZeroPoints())
      result.zeroPoints.push_back(static_cast<int32_t>(params.zeroPoint));
  };
  for (int64_t r = 0; r < rows; ++r) {
    if (row == 0 && scheme.granularity != WeightScheme::Granularity::Group)
      add({}, {}, {});
    for (int64_t begin = 0; begin < row; begin += group) {
      int64_t size = std::min(group, row - begin);
      ArrayRef<float> weights = importance;
      if (!perTensor && !importance.empty())
        weights = importance.slice(begin, size);
      add(weight.slice(r * row + begin, size), weights,
          ints.slice(r * row + begin, size));
    }
  }
}

Expected<QuantizedWeight> quantmlir::quantizeWeightInto(
    ArrayRef<float> weight, int64_t n, int64_t k, const WeightScheme &scheme,
    ArrayRef<float> secondMoments, MutableArrayRef<int8_t> ints) {
  if (Error error = verify(n, k, weight.size(), scheme, secondMoments.size()))
    return std::move(error);
  if (ints.size() != weight.size())
    return createStringError("expected room for " + Twine(weight.size()) +
                             " integers, found " + Twine(ints.size()));
  QuantizedWeight result;
  if (scheme.rounding == WeightScheme::Rounding::ErrorCompensated && n && k) {
    if (Error error = quantizeCompensated(weight, n, k, scheme, secondMoments,
                                          result, ints))
      return std::move(error);
    return result;
  }
  std::vector<float> importance;
  if (!secondMoments.empty())
    for (int64_t j = 0; j < k; ++j)
      importance.push_back(secondMoments[j * k + j]);
  quantizePlain(weight, n, k, scheme, importance, result, ints);
  return result;
}

Expected<QuantizedWeight>
quantmlir::quantizeWeight(ArrayRef<float> weight, int64_t n, int64_t k,
                          const WeightScheme &scheme,
                          ArrayRef<float> secondMoments) {
  std::vector<int8_t> ints(weight.size());
  Expected<QuantizedWeight> result =
      quantizeWeightInto(weight, n, k, scheme, secondMoments, ints);
  if (result)
    result->ints = std::move(ints);
  return result;
}
