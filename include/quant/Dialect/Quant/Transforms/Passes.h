//===- Passes.h - passes of the quant stage ---------------------*- C++ -*-===//

#ifndef QUANT_DIALECT_QUANT_TRANSFORMS_PASSES_H
#define QUANT_DIALECT_QUANT_TRANSFORMS_PASSES_H

#include "quant/Support/ValueParser.h"

#include "mlir/Pass/Pass.h"

namespace quantmlir {

/// The named stages of the pipelines, in order; each is the form that a program
/// has at its end. Import is that of a program as it was exported.
enum class Stage { Import, Quant, Packed, Target, LLVM };

} // namespace quantmlir

QUANT_LIST_VALUES(quantmlir::Stage)

namespace quantmlir {

#define GEN_PASS_DECL
#include "quant/Dialect/Quant/Transforms/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "quant/Dialect/Quant/Transforms/Passes.h.inc"

} // namespace quantmlir

#endif // QUANT_DIALECT_QUANT_TRANSFORMS_PASSES_H
