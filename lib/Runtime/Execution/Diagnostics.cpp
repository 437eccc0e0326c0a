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
static void showLocation(Location location) {
  auto file = location->findInstanceOf<FileLineColLoc>();
  if (!file) {
    if (!isa<UnknownLoc>(location))
      llvm::errs() << location << ": ";
    return;
  }
  llvm::errs() << file.getFilename().getValue() << ":";
  // The module has no line of its own.
  if (file.getLine())
    llvm::errs() << file.getLine() << ":" << file.getColumn() << ":";
  llvm::errs() << " ";
}

static void show(const Diagnostic &diagnostic) {
  showLocation(diagnostic.getLocation());
  llvm::errs() << getName(diagnostic.getSeverity()) << ": " << diagnostic
               << "\n";
}

DiagnosticCollector::DiagnosticCollector(MLIRContext *context, bool showRemarks)
    : handler(context, [this, showRemarks](Diagnostic &diagnostic) {
        if (diagnostic.getSeverity() == DiagnosticSeverity::Remark &&
            (quiet || !showRemarks))
          return;
        // Notes of an error print the op they belong to, which may be long:
        // the location says enough.
        show(diagnostic);
        for (const Diagnostic &note : diagnostic.getNotes())
          if (!StringRef(note.str()).starts_with("see current operation"))
            show(note);
      }) {}
