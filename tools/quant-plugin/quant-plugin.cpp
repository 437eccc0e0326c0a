//===- quant-plugin.cpp - the project as a plugin of mlir-opt -------------===//
//
// mlir-opt-22 --load-dialect-plugin=QuantPlugin.so
//             --load-pass-plugin=QuantPlugin.so --pass-pipeline='...'
//
//===----------------------------------------------------------------------===//

#include "mlir/Tools/Plugins/DialectPlugin.h"
#include "mlir/Tools/Plugins/PassPlugin.h"

#include "quant/InitAll.h"

extern "C" LLVM_ATTRIBUTE_WEAK mlir::DialectPluginLibraryInfo
mlirGetDialectPluginInfo() {
  return {MLIR_PLUGIN_API_VERSION, "QuantMLIR", LLVM_VERSION_STRING,
          [](mlir::DialectRegistry *registry) {
            quantmlir::registerAllDialects(*registry);
          }};
}

extern "C" LLVM_ATTRIBUTE_WEAK mlir::PassPluginLibraryInfo
mlirGetPassPluginInfo() {
  return {MLIR_PLUGIN_API_VERSION, "QuantMLIR", LLVM_VERSION_STRING,
          quantmlir::registerAllPasses};
}
