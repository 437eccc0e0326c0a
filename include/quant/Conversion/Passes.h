//===- Passes.h - conversions out of the quant dialect ----------*- C++ -*-===//

#ifndef QUANT_CONVERSION_PASSES_H
#define QUANT_CONVERSION_PASSES_H

#include "mlir/Pass/Pass.h"

namespace quantmlir {

#define GEN_PASS_DECL
#include "quant/Conversion/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "quant/Conversion/Passes.h.inc"

} // namespace quantmlir

#endif // QUANT_CONVERSION_PASSES_H
