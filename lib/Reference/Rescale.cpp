//===- Rescale.cpp - oracle of matmul and rescale -------------------------===//

#include "quant/Reference/Reference.h"

#include <cmath>

using namespace quantmlir;

/// Sum modulo 2^32, which signed arithmetic of C++ does not promise.
static int32_t wrappingAdd(int32_t a, int32_t b) {
  return static_cast<int32_t>(static_cast<uint32_t>(a) +
                              static_cast<uint32_t>(b));
}

int32_t reference::dotProduct(int32_t acc, llvm::ArrayRef<int32_t> lhs,
                              const int32_t *rhs, int64_t rhsStride,
                              int32_t lhsZeroPoint, int32_t rhsZeroPoint) {
  for (size_t k = 0; k < lhs.size(); ++k) {
    auto x = static_cast<uint32_t>(wrappingAdd(lhs[k], -lhsZeroPoint));
    auto w =
        static_cast<uint32_t>(wrappingAdd(rhs[k * rhsStride], -rhsZeroPoint));
    acc = wrappingAdd(acc, static_cast<int32_t>(x * w));
  }
  return acc;
}

/// Order of IEEE maximum and minimum: -0 is less than +0, NaN is never less (so
/// that it passes a clamp).
static bool isLess(float a, float b) {
  return a < b || (a == b && std::signbit(a) && !std::signbit(b));
}

float reference::rescaleToFloat(int32_t acc, const RescaleParams &params) {
  int32_t sum = wrappingAdd(acc, params.intBias);
  float scale = params.rowScale ? *params.rowScale : *params.channelScale;
  if (params.rowScale && params.channelScale)
    scale = *params.rowScale * *params.channelScale;
  float y = static_cast<float>(sum) * scale;
  if (params.floatBias)
    y = y + *params.floatBias;
  if (params.residual)
    y = y + *params.residual;
  if (params.clampMin && isLess(y, *params.clampMin))
    y = *params.clampMin;
  if (params.clampMax && isLess(*params.clampMax, y))
    y = *params.clampMax;
  return y;
}

int64_t reference::rescaleToInteger(int32_t acc, const RescaleParams &params,
                                    int64_t zeroPoint, int64_t qmin,
                                    int64_t qmax) {
  // Dividing by 1 is exact, so that this is quantize's rounding and clamping.
  return quantizeValue(rescaleToFloat(acc, params), /*scale=*/1.0f, zeroPoint,
                       qmin, qmax);
}

int64_t reference::applyScale32(int32_t value, int32_t multiplier,
                                int32_t shift, bool doubleRound) {
  int64_t result = static_cast<int64_t>(value) * multiplier;
  result += int64_t(1) << (shift - 1);
  if (doubleRound && shift > 31)
    result += value >= 0 ? int64_t(1) << 30 : -(int64_t(1) << 30);
  return result >> shift;
}

std::optional<reference::FixedPointMultiplier>
reference::quantizeMultiplier(double m) {
  if (!std::isfinite(m) || m < 0.0)
    return std::nullopt;
  if (m == 0.0)
    return FixedPointMultiplier{0, 31};
  int exponent = 0;
  double fraction = std::frexp(m, &exponent);
  // Half away from zero, as TFLite rounds here.
  int64_t multiplier =
      static_cast<int64_t>(std::round(fraction * (int64_t(1) << 31)));
  if (multiplier == int64_t(1) << 31) {
    multiplier /= 2;
    ++exponent;
  }
  int32_t shift = 31 - exponent;
  if (shift > 62)
    return FixedPointMultiplier{0, 31};
  if (shift < 2)
    return std::nullopt;
  return FixedPointMultiplier{static_cast<int32_t>(multiplier), shift};
}
