//===- Passes.h - float matmuls into integer ones ---------------*- C++ -*-===//

#ifndef QUANT_QUANTIZE_PASSES_H
#define QUANT_QUANTIZE_PASSES_H

#include "quant/Quantize/QuantScheme.h"

#include "mlir/Pass/Pass.h"

namespace quantmlir {

/// Granularity of the weights' scales.
using WeightGranularity = WeightScheme::Granularity;

/// How the weights' scales are searched and their values rounded.
using WeightScaleSearch = WeightScheme::ScaleSearch;
using WeightRounding = WeightScheme::Rounding;

/// Float matmuls into integer ones, as `request` says.
std::unique_ptr<mlir::Pass>
createQuantQuantizeMatmulPass(const QuantizeRequest &request = {});

#define GEN_PASS_DECL
#include "quant/Quantize/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "quant/Quantize/Passes.h.inc"

} // namespace quantmlir

#endif // QUANT_QUANTIZE_PASSES_H
