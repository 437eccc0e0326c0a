//===- Compile.cpp - from the quant stage to a compiled model -------------===//

#include "quant/Artifact/Compile.h"

#include "quant/Artifact/CodeTarget.h"
#include "quant/Artifact/ModelCode.h"
#include "quant/Runtime/Execution/Program.h"
#include "quant/Runtime/Execution/Reported.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;
using namespace quantmlir;

/// Gives the function the name that ModelCode.cpp looks for, and takes from it
/// the right to write to its arguments.
static llvm::Error prepareFunction(ModuleOp module, StringRef name) {
  auto function = module.lookupSymbol<func::FuncOp>(name);
  if (!function)
    return llvm::createStringError("expected a function '" + name + "'");
  if (name != kProgramName && module.lookupSymbol(kProgramName))
    return llvm::createStringError("the symbol '" + kProgramName +
                                   "' is taken");
  SymbolTable::setSymbolName(function, kProgramName);
  auto no = BoolAttr::get(module.getContext(), false);
  for (unsigned i = 0; i < function.getNumArguments(); ++i)
    if (isa<TensorType>(function.getArgumentTypes()[i]))
      function.setArgAttr(
          i, bufferization::BufferizationDialect::kWritableAttrName, no);
  return llvm::Error::success();
}

llvm::Expected<CompiledModel> quantmlir::compileModel(
    ModuleOp module, const Signature &signature, const RunOptions &options,
    const CompileOptions &compile, ProductSummary *products) {
  if (!isModelName(compile.name))
    return llvm::createStringError("--name: expected a C identifier, found '" +
                                   compile.name + "'");
  if (options.target == RunTarget::NVVM)
    return llvm::createStringError(
        "--target=nvvm: programs with GPU kernels are run by quant-run; "
        "expected generic, x86 or arm");
  auto machine = createTargetMachine(compile.triple, options.cpu,
                                     options.features, options.optLevel);
  if (!machine)
    return machine.takeError();
  const llvm::Triple &triple = (*machine)->getTargetTriple();
  if (options.target == RunTarget::X86 &&
      triple.getArch() != llvm::Triple::x86_64)
    return llvm::createStringError("--target=x86: expected an x86 triple, "
                                   "found '" +
                                   triple.str() + "'");
  if (options.target == RunTarget::Arm && !triple.isAArch64())
    return llvm::createStringError("--target=arm: expected an AArch64 triple, "
                                   "found '" +
                                   triple.str() + "'");
  if (llvm::Error error = prepareFunction(module, signature.name))
    return std::move(error);
  RunOptions lowering = options;
  // Another machine's processors that are not named are any of them.
  if (options.target == RunTarget::Arm && (*machine)->getTargetCPU().empty())
    lowering.cpu = "generic";
  if (failed(lowerToLLVM(module, options.target, lowering, options.strict)))
    return reported();
  if (products)
    products->addPortable(module);

  CompiledModel model;
  model.weights = externalizeConstants(module);
  ModelFacts &facts = model.facts;
  facts.name = compile.name;
  if (options.quantize)
    facts.scheme = options.quantize->text;
  facts.target = getTargetName(options.target).str();
  facts.triple = triple.str();
  facts.cpu = (*machine)->getTargetCPU().str();
  facts.features = (*machine)->getTargetFeatureString().str();
  facts.signature = signature;
  if (!model.weights.isEmpty()) {
    facts.weightsFile = compile.weightsFile.empty() ? compile.name + ".weights"
                                                    : compile.weightsFile;
    facts.weightsSize = model.weights.getSize();
    llvm::copy(model.weights.getHash(), facts.weightsHash.begin());
  }
  auto object = generateObject(module, facts, **machine, options.optLevel);
  if (!object)
    return object.takeError();
  model.object = std::move(*object);
  return model;
}
