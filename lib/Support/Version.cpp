//===- Version.cpp - which QuantMLIR this is ------------------------------===//

#include "quant/Support/Version.h"

#include "llvm/Config/llvm-config.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/raw_ostream.h"

std::string quantmlir::getVersion() {
  return "QuantMLIR " QUANT_VERSION " (LLVM " LLVM_VERSION_STRING ")";
}

void quantmlir::registerVersionPrinter() {
  llvm::cl::SetVersionPrinter(
      [](llvm::raw_ostream &os) { os << getVersion() << "\n"; });
}
