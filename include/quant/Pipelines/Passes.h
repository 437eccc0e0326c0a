//===- Passes.h - steps of pipelines that change nothing --------*- C++ -*-===//

#ifndef QUANT_PIPELINES_PASSES_H
#define QUANT_PIPELINES_PASSES_H

#include "mlir/Pass/Pass.h"

namespace quantmlir {

#define GEN_PASS_DECL
#include "quant/Pipelines/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "quant/Pipelines/Passes.h.inc"

} // namespace quantmlir

#endif // QUANT_PIPELINES_PASSES_H
