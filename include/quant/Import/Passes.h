//===- Passes.h - from float and QDQ programs to quant ----------*- C++ -*-===//

#ifndef QUANT_IMPORT_PASSES_H
#define QUANT_IMPORT_PASSES_H

#include "mlir/Pass/Pass.h"

namespace quantmlir {

#define GEN_PASS_DECL
#include "quant/Import/Passes.h.inc"

struct ProductAccount;
/// Gives the account to `result` too, which outlives the pass.
std::unique_ptr<mlir::Pass>
createQuantAccountProductsPass(QuantAccountProductsPassOptions options,
                               ProductAccount *result);

#define GEN_PASS_REGISTRATION
#include "quant/Import/Passes.h.inc"

} // namespace quantmlir

#endif // QUANT_IMPORT_PASSES_H
