//===- Provenance.h - what made a report ------------------------*- C++ -*-===//

#ifndef QUANT_RUNTIME_EXECUTION_PROVENANCE_H
#define QUANT_RUNTIME_EXECUTION_PROVENANCE_H

#include "mlir/Support/LLVM.h"

#include <string>

namespace quantmlir {

/// The processor, and how many of it this process sees.
std::string getMachine();

/// A command as a shell would read it.
std::string quoteCommand(llvm::ArrayRef<const char *> arguments);

} // namespace quantmlir

#endif // QUANT_RUNTIME_EXECUTION_PROVENANCE_H
