//===- quant-compile.cpp - compile once, call from C and Python -----------===//

#include "mlir/IR/DialectRegistry.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/raw_ostream.h"

#include "quant/Artifact/Driver.h"
#include "quant/InitAll.h"
#include "quant/Support/Version.h"

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  quantmlir::registerVersionPrinter();
  llvm::Expected<quantmlir::ArtifactOptions> options =
      quantmlir::parseArtifactOptions(argc, argv);
  if (!options) {
    llvm::errs() << "error: " << llvm::toString(options.takeError()) << "\n";
    return 1;
  }
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  quantmlir::registerAllDialects(registry);
  return quantmlir::emitModel(*options, registry);
}
