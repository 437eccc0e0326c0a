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

namespace quantmlir {

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

} // namespace quantmlir

#endif // QUANT_LIB_CALIBRATION_WEIGHTRUNS_H
