//===- Passes.h - packed matmuls to x86 instructions ------------*- C++ -*-===//

#ifndef QUANT_TARGET_X86_PASSES_H
#define QUANT_TARGET_X86_PASSES_H

#include "mlir/Pass/Pass.h"

namespace quantmlir {

#define GEN_PASS_DECL
#include "quant/Target/X86/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "quant/Target/X86/Passes.h.inc"

} // namespace quantmlir

#endif // QUANT_TARGET_X86_PASSES_H
