//===- Passes.h - AArch64 machines ----------------------------*- C++ -*-===//

#ifndef QUANT_TARGET_ARM_PASSES_H
#define QUANT_TARGET_ARM_PASSES_H

#include "mlir/Pass/Pass.h"

namespace quantmlir {

#define GEN_PASS_DECL
#include "quant/Target/Arm/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "quant/Target/Arm/Passes.h.inc"

} // namespace quantmlir

#endif // QUANT_TARGET_ARM_PASSES_H
