//===- Diagnostics.h - what is shown of diagnostics -------------*- C++ -*-===//

#ifndef QUANT_RUNTIME_EXECUTION_DIAGNOSTICS_H
#define QUANT_RUNTIME_EXECUTION_DIAGNOSTICS_H

#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace quantmlir {

/// `file:line:column: error: text`
void printDiagnostic(const mlir::Diagnostic &diagnostic, llvm::raw_ostream &os);

/// Shows a diagnostic and those of its notes that say something: notes of an
/// error print the op they belong to, which may be long, and the location says
/// enough.
void visitDiagnostics(const mlir::Diagnostic &diagnostic,
                      llvm::function_ref<void(const mlir::Diagnostic &)> visit);

/// While it lives: errors and warnings go to stderr with their location, and
/// remarks if asked. What they say is data elsewhere (ProductSummary.h).
class DiagnosticCollector {
public:
  DiagnosticCollector(mlir::MLIRContext *context, bool showRemarks);

  /// Remarks about what concerns nobody are not shown, until `false` is passed.
  void setQuiet(bool isQuiet) { quiet = isQuiet; }

private:
  bool quiet = false;
  mlir::ScopedDiagnosticHandler handler;
};

} // namespace quantmlir

#endif // QUANT_RUNTIME_EXECUTION_DIAGNOSTICS_H
