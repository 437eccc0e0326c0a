//===- Version.h - which QuantMLIR this is ----------------------*- C++ -*-===//

#ifndef QUANT_SUPPORT_VERSION_H
#define QUANT_SUPPORT_VERSION_H

#include <string>

namespace quantmlir {

/// `QuantMLIR 0.1.0 (LLVM 22.1.8)`
std::string getVersion();

/// What `--version` prints, instead of LLVM's own.
void registerVersionPrinter();

} // namespace quantmlir

#endif // QUANT_SUPPORT_VERSION_H
