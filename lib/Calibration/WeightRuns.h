//===- WeightRuns.h - quantize values that share a scale --------*- C++ -*-===//
//
// The inner loops of the weight quantizer, over consecutive elements that
// share scale and zero point. They compute what the scalar oracle does
// (quant/Reference), written so that a compiler vectorizes them.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_LIB_CALIBRATION_WEIGHTRUNS_H
#define QUANT_LIB_CALIBRATION_WEIGHTRUNS_H

#include "quant/Calibration/WeightQuantizer.h"
#include "quant/Reference/Reference.h"

#include "llvm/ADT/SmallVector.h"

namespace quantmlir {

/// The integer nearest to `v`, which is not NaN, within [low, high]. Clamping
/// first and rounding then is the same as the reverse, and keeps values small
/// enough for an addition to round them: the last bit of 1.5 * 2^23 is worth 1.
inline float roundClamped(float v, float low, float high) {
  constexpr float kRound = 12582912.0f;
  v = v > low ? v : low;
  v = v < high ? v : high;
  return (v + kRound) - kRound;
}

/// Widens `range` by the finite elements of `run`.
void observeRun(llvm::ArrayRef<float> run, reference::Observer &range);

/// Quantizes `run` to one byte for each element.
void quantizeRun(llvm::ArrayRef<float> run, reference::QParams params,
                 int64_t qmin, int64_t qmax,
                 llvm::MutableArrayRef<int8_t> ints);

/// The sum of importance[i] * (x - scale * (q - z))^2 over `values`, in double.
/// `importance` is empty (all 1) or repeats: values.size() is a multiple of its
/// size.
double getSquaredError(llvm::ArrayRef<float> values,
                       llvm::ArrayRef<float> importance,
                       reference::QParams params, int64_t qmin, int64_t qmax);

/// Parameters of `range` under the scheme's symmetry and integers.
reference::QParams chooseQParams(const reference::Observer &range,
                                 const WeightScheme &scheme);

/// Parameters for elements that share a scale, by the scheme's search.
reference::QParams chooseQParams(llvm::ArrayRef<float> values,
                                 llvm::ArrayRef<float> importance,
                                 const WeightScheme &scheme);

/// What the search of the least squared error tries first; the range that clips
/// nothing comes first of all.
llvm::SmallVector<reference::QParams>
getCandidates(llvm::ArrayRef<float> values, const WeightScheme &scheme);

} // namespace quantmlir

#endif // QUANT_LIB_CALIBRATION_WEIGHTRUNS_H
