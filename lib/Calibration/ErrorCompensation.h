//===- ErrorCompensation.h - rounding that makes errors good ----*- C++ -*-===//
//
// GPTQ: Frantar, Ashkboos, Hoefler, Alistarh, "GPTQ: Accurate Post-Training
// Quantization for Generative Pre-trained Transformers" (ICLR 2023).
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_LIB_CALIBRATION_ERRORCOMPENSATION_H
#define QUANT_LIB_CALIBRATION_ERRORCOMPENSATION_H

#include "quant/Calibration/WeightQuantizer.h"

namespace quantmlir {

/// Rounds the columns of `weight` [n, k] one after the other and spreads each
/// column's error over the columns that are left, so that the outputs for
/// inputs of the given second moments [k, k] change least. Appends scales and
/// zero points to `result`, writes `ints`. A group's parameters are chosen when
/// its first column is reached, from values that hold the errors before it; all
/// others, and those under an activation order, from the original weight.
llvm::Error quantizeCompensated(llvm::ArrayRef<float> weight, int64_t n,
                                int64_t k, const WeightScheme &scheme,
                                llvm::ArrayRef<float> secondMoments,
                                QuantizedWeight &result,
                                llvm::MutableArrayRef<int8_t> ints);

} // namespace quantmlir

#endif // QUANT_LIB_CALIBRATION_ERRORCOMPENSATION_H
