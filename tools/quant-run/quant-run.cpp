//===- quant-run.cpp - quantize, compile, run, compare --------------------===//

#include "mlir/IR/DialectRegistry.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/raw_ostream.h"

#include "quant/InitAll.h"
#include "quant/Runtime/Driver/Driver.h"
#include "quant/Support/Version.h"

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  quantmlir::registerVersionPrinter();
  llvm::Expected<quantmlir::RunOptions> options =
      quantmlir::parseRunOptions(argc, argv);
  if (!options) {
    llvm::errs() << "error: " << llvm::toString(options.takeError()) << "\n";
    return 1;
  }
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  quantmlir::registerAllDialects(registry);
  return quantmlir::runModel(*options, registry);
}
