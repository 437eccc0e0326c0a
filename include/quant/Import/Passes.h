//===- Passes.h - from float and QDQ programs to quant ----------*- C++ -*-===//

#ifndef QUANT_IMPORT_PASSES_H
#define QUANT_IMPORT_PASSES_H

#include "mlir/Pass/Pass.h"

namespace quantmlir {

#define GEN_PASS_DECL
#include "quant/Import/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "quant/Import/Passes.h.inc"

} // namespace quantmlir

#endif // QUANT_IMPORT_PASSES_H
