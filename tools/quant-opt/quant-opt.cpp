//===- quant-opt.cpp - mlir-opt with the quant extension ------------------===//

#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"

#include "quant/InitAll.h"
#include "quant/Support/ForeignFile.h"
#include "quant/Support/Version.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

/// Where an input could not be read because it is something else: a hint.
static void explainInputs(llvm::ArrayRef<char *> arguments) {
  for (llvm::StringRef path : arguments) {
    if (path.starts_with("-") || !llvm::sys::fs::is_regular_file(path))
      continue;
    auto file = llvm::MemoryBuffer::getFile(path);
    if (!file)
      continue;
    std::string hint =
        quantmlir::explainForeignFile(path, (*file)->getBuffer());
    if (!hint.empty())
      llvm::errs() << "note: " << path << " is " << hint << "\n";
  }
}

int main(int argc, char **argv) {
  mlir::registerAllPasses();
  quantmlir::registerAllPasses();
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  quantmlir::registerAllDialects(registry);
  quantmlir::registerVersionPrinter();
  // Not 0 where others have written to the same file before.
  uint64_t begin = llvm::errs().tell();
  auto result = mlir::MlirOptMain(
      argc, argv, "Quantized-matmul compiler driver\n", registry);
  if (llvm::failed(result)) {
    // Upstream's reader of bytecode may fail without a word.
    if (llvm::errs().tell() == begin)
      llvm::errs() << "error: the input could not be read, and MLIR does not "
                      "say why; bytecode may be damaged\n";
    explainInputs({argv + 1, argv + argc});
  }
  return mlir::asMainReturnCode(result);
}
