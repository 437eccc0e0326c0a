//===- Passes.h - vectors and threads for any CPU ---------------*- C++ -*-===//

#ifndef QUANT_TARGET_CPU_PASSES_H
#define QUANT_TARGET_CPU_PASSES_H

#include "mlir/Pass/Pass.h"

namespace quantmlir {

#define GEN_PASS_DECL
#include "quant/Target/CPU/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "quant/Target/CPU/Passes.h.inc"

} // namespace quantmlir

#endif // QUANT_TARGET_CPU_PASSES_H
