//===- Program.cpp - a program to run, and its stages ---------------------===//

#include "quant/Runtime/Program.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SourceMgr.h"

#include "quant/Conversion/Passes.h"
#include "quant/Import/Passes.h"
#include "quant/Pipelines/Pipelines.h"

using namespace mlir;
using namespace quantmlir;

OwningOpRef<ModuleOp> quantmlir::loadProgram(StringRef path,
                                             MLIRContext *context) {
  auto file = llvm::MemoryBuffer::getFileOrSTDIN(path);
  if (!file) {
    emitError(UnknownLoc::get(context))
        << path << ": " << file.getError().message();
    return nullptr;
  }
  // Resources of bytecode may point into the buffer, so they share it.
  auto manager = std::make_shared<llvm::SourceMgr>();
  manager->AddNewSourceBuffer(std::move(*file), llvm::SMLoc());
  return parseSourceFile<ModuleOp>(manager, context);
}

//===----------------------------------------------------------------------===//
// The function that is run
//===----------------------------------------------------------------------===//

static llvm::Expected<func::FuncOp> findFunction(ModuleOp module,
                                                 StringRef entry) {
  SmallVector<func::FuncOp> candidates;
  std::string names;
  for (auto function : module.getOps<func::FuncOp>()) {
    if (!function.isPublic() || function.isDeclaration())
      continue;
    candidates.push_back(function);
    names += (names.empty() ? "" : ", ") + function.getSymName().str();
  }
  if (names.empty())
    names = "none";
  StringRef wanted = entry.empty() ? "main" : entry;
  for (func::FuncOp function : candidates)
    if (function.getSymName() == wanted)
      return function;
  if (entry.empty() && candidates.size() == 1)
    return candidates.front();
  if (entry.empty())
    return llvm::createStringError(
        "expected a public function 'main' or only one public function, "
        "found: " +
        names);
  return llvm::createStringError("expected a public function '" + entry +
                                 "', found: " + names);
}

llvm::Expected<Signature> quantmlir::findEntry(ModuleOp module,
                                               StringRef entry) {
  auto function = findFunction(module, entry);
  if (!function)
    return function.takeError();
  Signature signature;
  signature.name = function->getSymName().str();
  auto convert = [&](TypeRange types, StringRef role,
                     std::vector<HostTensorType> &to) -> llvm::Error {
    for (auto [i, type] : llvm::enumerate(types)) {
      auto converted = getHostTensorType(type, "'" + signature.name + "' " +
                                                   role + " " + Twine(i));
      if (!converted)
        return converted.takeError();
      to.push_back(std::move(*converted));
    }
    return llvm::Error::success();
  };
  FunctionType type = function->getFunctionType();
  if (llvm::Error error =
          convert(type.getInputs(), "argument", signature.arguments))
    return std::move(error);
  if (llvm::Error error =
          convert(type.getResults(), "result", signature.results))
    return std::move(error);
  return signature;
}

//===----------------------------------------------------------------------===//
// Stages
//===----------------------------------------------------------------------===//

llvm::Error quantmlir::verifyQuantizeOptions(StringRef text) {
  std::string message;
  auto collect = [&](const Twine &found) -> LogicalResult {
    message += (message.empty() ? "" : "; ") + found.str();
    return failure();
  };
  std::unique_ptr<Pass> pass = createQuantQuantizeMatmulPass();
  // The parser of an option prints to stderr what it does not accept.
  if (succeeded(pass->initializeOptions(text, collect)))
    return llvm::Error::success();
  return llvm::createStringError(
      "--quantize: expected options of quant-quantize-matmul, found '" + text +
      "'" + (message.empty() ? "" : ": " + StringRef(message).trim()));
}

LogicalResult quantmlir::runQuantStage(ModuleOp module,
                                       const RunOptions &options) {
  PassManager pm(module.getContext());
  buildQuantStage(pm, options.quantize.value_or("none"));
  return pm.run(module);
}

LogicalResult quantmlir::lowerToLLVM(ModuleOp module, RunTarget target,
                                     const RunOptions &options) {
  PassManager pm(module.getContext());
  if (target == RunTarget::X86) {
    X86PipelineOptions pipeline;
    pipeline.cpu = options.cpu;
    pipeline.features = options.features;
    buildX86Pipeline(pm, pipeline);
  } else {
    buildGenericPipeline(pm, GenericPipelineOptions());
  }
  return pm.run(module);
}

LogicalResult quantmlir::makeFloatTwin(ModuleOp module) {
  PassManager pm(module.getContext());
  QuantImportPassOptions import;
  import.matmuls = false;
  pm.addPass(createQuantImportPass(import));
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  return pm.run(module);
}

LogicalResult quantmlir::lowerFloatTwinToLLVM(ModuleOp module) {
  PassManager pm(module.getContext());
  pm.addPass(createConvertQuantToLinalgPass());
  buildBufferizeStage(pm);
  buildLLVMStage(pm);
  return pm.run(module);
}
