//===- Passes.h - rotate the operands of matmuls ----------------*- C++ -*-===//

#ifndef QUANT_ROTATE_PASSES_H
#define QUANT_ROTATE_PASSES_H

#include "mlir/Pass/Pass.h"

namespace quantmlir {

#define GEN_PASS_DECL
#include "quant/Rotate/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "quant/Rotate/Passes.h.inc"

} // namespace quantmlir

#endif // QUANT_ROTATE_PASSES_H
