//===- SplitReduction.h - groups that are merged before use -----*- C++ -*-===//

#ifndef QUANT_IMPORT_GROUPS_SPLITREDUCTION_H
#define QUANT_IMPORT_GROUPS_SPLITREDUCTION_H

#include "mlir/IR/Operation.h"

namespace quantmlir {

/// Rewrites float contractions with a weight that is dequantized as
/// `[N, K / G, G]` and then merged to `[N, K]` into contractions over the
/// groups and what is in them: the form of GroupedContraction.h. A weight whose
/// last group is shorter becomes `quant.scaled_matmul` at once, as
/// importGroupedContraction would make it; with `weightOnly` also where the
/// activations are floats.
void splitGroupedReductions(mlir::Operation *root, bool weightOnly);

} // namespace quantmlir

#endif // QUANT_IMPORT_GROUPS_SPLITREDUCTION_H
