//===- Passes.h - move outliers from activations to weights -----*- C++ -*-===//

#ifndef QUANT_EQUALIZE_PASSES_H
#define QUANT_EQUALIZE_PASSES_H

#include "mlir/Pass/Pass.h"

namespace quantmlir {

/// What to do with scales that cannot go into a constant.
enum class UnfoldedScales { Multiply, Skip };

#define GEN_PASS_DECL
#include "quant/Equalize/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "quant/Equalize/Passes.h.inc"

} // namespace quantmlir

#endif // QUANT_EQUALIZE_PASSES_H
