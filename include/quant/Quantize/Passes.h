//===- Passes.h - float matmuls into integer ones ---------------*- C++ -*-===//

#ifndef QUANT_QUANTIZE_PASSES_H
#define QUANT_QUANTIZE_PASSES_H

#include "quant/Calibration/Observers.h"
#include "quant/Calibration/WeightQuantizer.h"

#include "mlir/Pass/Pass.h"

namespace quantmlir {

/// Granularity of the weights' scales.
using WeightGranularity = WeightScheme::Granularity;

/// How the activations' quantization parameters come about.
enum class ActivationScheme { DynamicTensor, DynamicToken, Static, Float };

/// How the weights' scales are searched and their values rounded.
using WeightScaleSearch = WeightScheme::ScaleSearch;
using WeightRounding = WeightScheme::Rounding;

#define GEN_PASS_DECL
#include "quant/Quantize/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "quant/Quantize/Passes.h.inc"

} // namespace quantmlir

#endif // QUANT_QUANTIZE_PASSES_H
