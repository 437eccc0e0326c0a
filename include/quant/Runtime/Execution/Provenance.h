//===- Provenance.h - what made a report ------------------------*- C++ -*-===//

#ifndef QUANT_RUNTIME_EXECUTION_PROVENANCE_H
#define QUANT_RUNTIME_EXECUTION_PROVENANCE_H

#include "mlir/Support/LLVM.h"

#include <string>

namespace quantmlir {

/// The processor, and how many of it this process sees.
std::string getMachine();

/// What the options `text` of quant-quantize-matmul mean: every option with its
/// value, defaults included. `text` is known to be valid.
std::string getFullScheme(llvm::StringRef text);

/// A command as a shell would read it.
std::string quoteCommand(llvm::ArrayRef<const char *> arguments);

} // namespace quantmlir

#endif // QUANT_RUNTIME_EXECUTION_PROVENANCE_H
