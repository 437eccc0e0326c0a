//===- Passes.h - from the quant to the packed stage ------------*- C++ -*-===//

#ifndef QUANT_PACKING_PASSES_H
#define QUANT_PACKING_PASSES_H

#include "mlir/Pass/Pass.h"

namespace quantmlir {

#define GEN_PASS_DECL
#include "quant/Packing/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "quant/Packing/Passes.h.inc"

} // namespace quantmlir

#endif // QUANT_PACKING_PASSES_H
