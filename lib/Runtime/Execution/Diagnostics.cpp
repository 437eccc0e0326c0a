//===- Diagnostics.cpp - what is shown of diagnostics ---------------------===//

#include "quant/Runtime/Execution/Diagnostics.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace quantmlir;

static StringRef getName(DiagnosticSeverity severity) {
  switch (severity) {
  case DiagnosticSeverity::Error:
    return "error";
  case DiagnosticSeverity::Warning:
    return "warning";
  case DiagnosticSeverity::Remark:
    return "remark";
  case DiagnosticSeverity::Note:
    return "note";
  }
  llvm_unreachable("unknown severity");
}

/// `file:line:column: `, as editors understand it.
static void printLocation(Location location, llvm::raw_ostream &os) {
  auto file = location->findInstanceOf<FileLineColLoc>();
  if (!file) {
    if (!isa<UnknownLoc>(location))
      os << location << ": ";
    return;
  }
  os << file.getFilename().getValue() << ":";
  // The module has no line of its own.
  if (file.getLine())
    os << file.getLine() << ":" << file.getColumn() << ":";
  os << " ";
}

void quantmlir::printDiagnostic(const Diagnostic &diagnostic,
                                llvm::raw_ostream &os) {
  printLocation(diagnostic.getLocation(), os);
  os << getName(diagnostic.getSeverity()) << ": " << diagnostic;
}

void quantmlir::visitDiagnostics(
    const Diagnostic &diagnostic,
    llvm::function_ref<void(const Diagnostic &)> visit) {
  visit(diagnostic);
  // A whole op, and the names of forty dialects, are no help.
  for (const Diagnostic &note : diagnostic.getNotes())
    if (std::string text = note.str();
        !StringRef(text).starts_with("see current operation") &&
        !StringRef(text).starts_with("Available dialects"))
      visit(note);
}

DiagnosticCollector::DiagnosticCollector(MLIRContext *context, bool showRemarks)
    : handler(context, [this, showRemarks](Diagnostic &diagnostic) {
        if (diagnostic.getSeverity() == DiagnosticSeverity::Remark &&
            (quiet || !showRemarks))
          return;
        visitDiagnostics(diagnostic, [](const Diagnostic &part) {
          printDiagnostic(part, llvm::errs());
          llvm::errs() << "\n";
        });
      }) {}
