//===- Passes.h - from qtarget.packed_matmul to GPU kernels -------*- C++
//-*-===//

#ifndef QUANT_TARGET_NVVM_PASSES_H
#define QUANT_TARGET_NVVM_PASSES_H

#include "mlir/Pass/Pass.h"

namespace quantmlir {

#define GEN_PASS_DECL
#include "quant/Target/NVVM/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "quant/Target/NVVM/Passes.h.inc"

} // namespace quantmlir

#endif // QUANT_TARGET_NVVM_PASSES_H
