//===- Passes.h - passes of the quant stage ---------------------*- C++ -*-===//

#ifndef QUANT_DIALECT_QUANT_TRANSFORMS_PASSES_H
#define QUANT_DIALECT_QUANT_TRANSFORMS_PASSES_H

#include "mlir/Pass/Pass.h"

namespace quantmlir {

/// The named stages of the pipelines, in order.
enum class Stage { Quant, Packed, Target, LLVM };

#define GEN_PASS_DECL
#include "quant/Dialect/Quant/Transforms/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "quant/Dialect/Quant/Transforms/Passes.h.inc"

} // namespace quantmlir

#endif // QUANT_DIALECT_QUANT_TRANSFORMS_PASSES_H
