//===- Passes.h - float matmuls into integer ones ---------------*- C++ -*-===//

#ifndef QUANT_QUANTIZE_PASSES_H
#define QUANT_QUANTIZE_PASSES_H

#include "quant/Quantize/MatmulOutcome.h"

#include "mlir/Pass/Pass.h"

namespace quantmlir {

/// Granularity of the weights' scales.
using WeightGranularity = WeightScheme::Granularity;

/// How the weights' scales are searched and their values rounded.
using WeightScaleSearch = WeightScheme::ScaleSearch;
using WeightRounding = WeightScheme::Rounding;

/// Float matmuls into integer ones, as `request` says. What became of each is
/// added to `outcomes`, which then outlives the pass; no names, no entries for
/// what the program gives in integers altogether.
std::unique_ptr<mlir::Pass>
createQuantQuantizeMatmulPass(const QuantizeRequest &request = {},
                              std::vector<MatmulOutcome> *outcomes = nullptr);

#define GEN_PASS_DECL
#include "quant/Quantize/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "quant/Quantize/Passes.h.inc"

} // namespace quantmlir

#endif // QUANT_QUANTIZE_PASSES_H
