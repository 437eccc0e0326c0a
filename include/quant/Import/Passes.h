//===- Passes.h - from float and QDQ programs to quant ----------*- C++ -*-===//

#ifndef QUANT_IMPORT_PASSES_H
#define QUANT_IMPORT_PASSES_H

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
#include "quant/Import/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "quant/Import/Passes.h.inc"

} // namespace quantmlir

#endif // QUANT_IMPORT_PASSES_H
