//===- Passes.h - looking at a program while it runs ------------*- C++ -*-===//

#ifndef QUANT_INSTRUMENT_PASSES_H
#define QUANT_INSTRUMENT_PASSES_H

#include "mlir/Pass/Pass.h"

namespace quantmlir {

/// Which tensors of a matmul are shown.
enum class Observed { Inputs, Results, Both };

#define GEN_PASS_DECL
#include "quant/Instrument/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "quant/Instrument/Passes.h.inc"

} // namespace quantmlir

#endif // QUANT_INSTRUMENT_PASSES_H
