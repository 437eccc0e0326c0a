//===- Quantize.cpp - oracle of quantize, dequantize, choose_qparams ------===//

#include "quant/Reference/Reference.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/SmallVectorExtras.h"

#include <algorithm>
#include <cmath>
#include <limits>

using namespace quantmlir;

int64_t reference::quantizeValue(float x, float scale, int64_t zeroPoint,
                                 int64_t qmin, int64_t qmax) {
  float rounded = std::nearbyintf(x / scale);
  if (std::isnan(rounded))
    rounded = 0.0f;
  // The sum is exact wherever it is not clamped: both are small integers then.
  float shifted = rounded + static_cast<float>(zeroPoint);
  // Clamped while it is a float: converting a large one is undefined.
  return static_cast<int64_t>(
      std::clamp(shifted, static_cast<float>(qmin), static_cast<float>(qmax)));
}

float reference::dequantizeValue(int64_t q, float scale, int64_t zeroPoint) {
  return scale * static_cast<float>(q - zeroPoint);
}

void reference::Observer::observe(float x) {
  if (!std::isfinite(x))
    return;
  min = std::min(min, x);
  max = std::max(max, x);
}

reference::QParams reference::chooseSymmetric(const Observer &range,
                                              int64_t qmax) {
  float scale = std::max(-range.min, range.max) / static_cast<float>(qmax);
  return {scale == 0.0f ? 1.0f : scale, 0};
}

reference::QParams reference::chooseAsymmetric(const Observer &range,
                                               int64_t qmin, int64_t qmax) {
  float width = range.max - range.min;
  if (std::isinf(width))
    width = std::numeric_limits<float>::max();
  float scale = width / static_cast<float>(qmax - qmin);
  if (scale == 0.0f)
    scale = 1.0f;
  float zeroPoint =
      static_cast<float>(qmin) - std::nearbyintf(range.min / scale);
  return {scale,
          static_cast<int64_t>(std::clamp(zeroPoint, static_cast<float>(qmin),
                                          static_cast<float>(qmax)))};
}

void reference::forEachRun(
    llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<int64_t> axes,
    llvm::function_ref<void(int64_t, int64_t, int64_t)> fn) {
  // The dimensions after the last axis make up one run.
  int64_t outerRank = axes.empty() ? 0 : axes.back() + 1;
  int64_t run = 1, numRuns = 1;
  for (int64_t size : shape.drop_front(outerRank))
    run *= size;
  for (int64_t size : shape.take_front(outerRank))
    numRuns *= size;
  // How far the parameter's index moves with each outer dimension.
  llvm::SmallVector<int64_t> strides(outerRank, 0);
  int64_t stride = 1;
  for (int64_t axis : llvm::reverse(axes)) {
    strides[axis] = stride;
    stride *= shape[axis];
  }
  llvm::SmallVector<int64_t> position(outerRank, 0);
  int64_t index = 0;
  for (int64_t r = 0; r < numRuns; ++r) {
    fn(r * run, (r + 1) * run, index);
    for (int64_t d = outerRank - 1; d >= 0; --d) {
      index += strides[d];
      if (++position[d] < shape[d])
        break;
      index -= strides[d] * shape[d];
      position[d] = 0;
    }
  }
}
