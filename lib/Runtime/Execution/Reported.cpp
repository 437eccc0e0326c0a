//===- Reported.cpp - errors that are on stderr already -------------------===//

#include "quant/Runtime/Execution/Reported.h"

#include "llvm/Support/raw_ostream.h"

using namespace quantmlir;

char Reported::ID = 0;

void Reported::log(llvm::raw_ostream &os) const { os << "reported"; }

std::error_code Reported::convertToErrorCode() const {
  return llvm::inconvertibleErrorCode();
}
