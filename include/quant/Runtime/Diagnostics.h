//===- Diagnostics.h - errors are shown, remarks counted --------*- C++ -*-===//

#ifndef QUANT_RUNTIME_DIAGNOSTICS_H
#define QUANT_RUNTIME_DIAGNOSTICS_H

#include "mlir/IR/Diagnostics.h"

#include <map>
#include <string>

namespace quantmlir {

/// While it lives: errors and warnings go to stderr with their location, and
/// remarks are counted by their text (and shown only if asked).
class DiagnosticCollector {
public:
  DiagnosticCollector(mlir::MLIRContext *context, bool showRemarks);

  /// Remarks since the last call.
  std::map<std::string, int64_t> takeRemarks();

private:
  std::map<std::string, int64_t> remarks;
  mlir::ScopedDiagnosticHandler handler;
};

} // namespace quantmlir

#endif // QUANT_RUNTIME_DIAGNOSTICS_H
