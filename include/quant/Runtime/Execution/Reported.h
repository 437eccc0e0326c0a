//===- Reported.h - errors that are on stderr already -----------*- C++ -*-===//

#ifndef QUANT_RUNTIME_EXECUTION_REPORTED_H
#define QUANT_RUNTIME_EXECUTION_REPORTED_H

#include "llvm/Support/Error.h"

namespace quantmlir {

/// An error whose message is already on stderr as a diagnostic.
class Reported : public llvm::ErrorInfo<Reported> {
public:
  static char ID;
  void log(llvm::raw_ostream &os) const override;
  std::error_code convertToErrorCode() const override;
};

inline llvm::Error reported() { return llvm::make_error<Reported>(); }

} // namespace quantmlir

#endif // QUANT_RUNTIME_EXECUTION_REPORTED_H
