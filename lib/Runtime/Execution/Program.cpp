//===- Program.cpp - a program to run, and its stages ---------------------===//

#include "quant/Runtime/Execution/Program.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Dialect/Shard/IR/ShardOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/Support/SourceMgr.h"

#include "quant/Conversion/Passes.h"
#include "quant/Dialect/Quant/Transforms/Passes.h"
#include "quant/Dialect/Quant/Utils/ConstantData.h"
#include "quant/Import/Passes.h"
#include "quant/Pipelines/Pipelines.h"
#include "quant/Quantize/Passes.h"
#include "quant/Runtime/Execution/LibraryCalls.h"
#include "quant/Support/ForeignFile.h"

using namespace mlir;
using namespace quantmlir;

/// Every constant that is used must have its data.
static LogicalResult verifyConstants(ModuleOp module) {
  WalkResult result = module.walk([](Operation *op) {
    if (op->use_empty() && op->hasTrait<OpTrait::ConstantLike>())
      return WalkResult::advance();
    return WalkResult(verifyConstantData(op));
  });
  return failure(result.wasInterrupted());
}

OwningOpRef<ModuleOp> quantmlir::loadProgram(StringRef path,
                                             MLIRContext *context) {
  if (isDevice(path)) {
    emitError(UnknownLoc::get(context))
        << path << ": expected a file, found a device";
    return nullptr;
  }
  auto file = llvm::MemoryBuffer::getFileOrSTDIN(path);
  if (!file) {
    emitError(UnknownLoc::get(context))
        << path << ": " << file.getError().message();
    return nullptr;
  }
  return loadProgram(std::move(*file), context);
}

OwningOpRef<ModuleOp>
quantmlir::loadProgram(std::unique_ptr<llvm::MemoryBuffer> file,
                       MLIRContext *context) {
  std::string path = file->getBufferIdentifier().str();
  StringRef bytes = file->getBuffer();
  if (std::string hint = explainForeignBytes(path, bytes); !hint.empty()) {
    emitError(UnknownLoc::get(context)) << path << " is " << hint;
    return nullptr;
  }
  // Resources of bytecode may point into the buffer, so they share it.
  auto manager = std::make_shared<llvm::SourceMgr>();
  manager->AddNewSourceBuffer(std::move(file), llvm::SMLoc());
  std::vector<Diagnostic> found;
  OwningOpRef<ModuleOp> module;
  {
    ScopedDiagnosticHandler collector(context, [&](Diagnostic &diagnostic) {
      found.push_back(std::move(diagnostic));
    });
    module = parseSourceFile<ModuleOp>(manager, context);
  }
  // What the file is says more than which of its words is not known.
  std::string hint = module ? "" : explainForeignFile(path, bytes);
  if (!hint.empty())
    emitError(UnknownLoc::get(context)) << path << " is " << hint;
  else
    for (Diagnostic &diagnostic : found)
      context->getDiagEngine().emit(std::move(diagnostic));
  if (module && failed(verifyConstants(*module)))
    return nullptr;
  return module;
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

LogicalResult quantmlir::keepOnly(ModuleOp module, StringRef entry) {
  for (auto function : module.getOps<func::FuncOp>())
    if (function.getSymName() != entry)
      function.setPrivate();
  PassManager pm(module.getContext());
  pm.addPass(createSymbolDCEPass());
  return pm.run(module);
}

//===----------------------------------------------------------------------===//
// Stages
//===----------------------------------------------------------------------===//

FailureOr<QuantStageResults> quantmlir::runQuantStage(ModuleOp module,
                                                      const RunOptions &options,
                                                      bool strict) {
  PassManager pm(module.getContext());
  QuantStageOptions stage;
  stage.quantize = options.quantize;
  stage.strict = strict;
  QuantStageResults results;
  stage.results = &results;
  buildQuantStage(pm, stage);
  if (failed(pm.run(module)))
    return failure();
  return results;
}

LogicalResult quantmlir::specialize(ModuleOp module, const Signature &signature,
                                    ArrayRef<HostTensor> inputs) {
  auto function = module.lookupSymbol<func::FuncOp>(signature.name);
  Block &body = function.getBody().front();
  OpBuilder builder = OpBuilder::atBlockBegin(&body);
  for (auto [argument, input] : llvm::zip(body.getArguments(), inputs)) {
    auto general = cast<RankedTensorType>(argument.getType());
    auto exact =
        RankedTensorType::get(input.getShape(), general.getElementType());
    if (exact == general)
      continue;
    auto cast =
        tensor::CastOp::create(builder, argument.getLoc(), general, argument);
    argument.replaceAllUsesExcept(cast, cast);
    argument.setType(exact);
  }
  function.setType(builder.getFunctionType(
      body.getArgumentTypes(), function.getFunctionType().getResults()));
  PassManager pm(module.getContext());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  return pm.run(module);
}

static bool hasStaticShape(Type type) {
  auto shaped = dyn_cast<ShapedType>(type);
  return shaped && shaped.hasStaticShape();
}

/// Results as what was cast to the types that they had.
static void dropResultCasts(func::FuncOp function) {
  Operation *end = function.front().getTerminator();
  for (OpOperand &result : end->getOpOperands())
    if (auto cast = result.get().getDefiningOp<tensor::CastOp>())
      result.set(cast.getSource());
  function.setType(FunctionType::get(function.getContext(),
                                     function.getArgumentTypes(),
                                     end->getOperandTypes()));
}

LogicalResult quantmlir::fixSizes(ModuleOp module, const Signature &signature,
                                  ArrayRef<HostTensor> inputs) {
  auto function = module.lookupSymbol<func::FuncOp>(signature.name);
  // Casts may forget the sizes that the arguments have.
  bool isDynamic =
      llvm::any_of(signature.arguments,
                   [](const HostTensorType &type) {
                     return ShapedType::isDynamicShape(type.shape);
                   }) ||
      module
          .walk([](tensor::CastOp op) {
            return WalkResult(success(hasStaticShape(op.getType())));
          })
          .wasInterrupted();
  if (!isDynamic)
    return success();
  // Folding these would lose their rounding.
  WalkResult walk = module.walk([](Operation *op) {
    if (isa<quant::QuantizeCastOp, quant::DequantizeCastOp>(op))
      return op->emitError("--shard: expected static sizes in a program with "
                           "quantizing casts"),
             WalkResult::interrupt();
    return WalkResult::advance();
  });
  if (walk.wasInterrupted() || failed(specialize(module, signature, inputs)))
    return failure();
  if (function.getBody().hasOneBlock())
    dropResultCasts(function);
  return success();
}

LogicalResult quantmlir::cutToRank(ModuleOp module, const RunOptions &options,
                                   int64_t rank, StringRef library,
                                   ShardFacts &facts) {
  ShardStageOptions stage;
  stage.ranks = options.shard;
  stage.rank = rank;
  stage.parallel = options.shardAlong;
  stage.library = library.str();
  stage.annotated =
      module.walk([](shard::ShardOp) { return WalkResult::interrupt(); })
          .wasInterrupted();
  stage.facts = &facts;
  PassManager pm(module.getContext());
  buildShardStage(pm, stage);
  return pm.run(module);
}

/// The passes of one or more stages of a target's pipeline.
static void buildStages(OpPassManager &pm, StageRange stages, RunTarget target,
                        const RunOptions &options, bool strict) {
  auto set = [&](auto &pipeline) {
    pipeline.startAfter = stages.after;
    pipeline.stopAfter = stages.last;
    pipeline.strict = strict;
    pipeline.profile = options.profile;
  };
  if (target == RunTarget::X86) {
    X86PipelineOptions pipeline;
    set(pipeline);
    pipeline.cpu = options.cpu;
    pipeline.features = options.forThisMachine
                            ? getTargetFeatures(options.cpu, options.features)
                            : options.features;
    pipeline.threads = options.threads;
    pipeline.schedules = options.schedules;
    buildX86Pipeline(pm, pipeline);
  } else if (target == RunTarget::Arm) {
    ArmPipelineOptions pipeline;
    set(pipeline);
    pipeline.cpu = options.cpu;
    pipeline.features = options.features;
    pipeline.threads = options.threads;
    buildArmPipeline(pm, pipeline);
  } else if (target == RunTarget::NVVM) {
    NVVMPipelineOptions pipeline;
    set(pipeline);
    pipeline.chip = options.chip;
    buildNVVMPipeline(pm, pipeline);
  } else {
    GenericPipelineOptions pipeline;
    set(pipeline);
    buildGenericPipeline(pm, pipeline);
  }
}

/// Runs the passes of the LLVM stage that `build` adds, and verifies what they
/// made when all have run: after each of them, as everywhere else, it would
/// take as long as they do, of ops that are many by then and are all the
/// pipeline's own. `quant-opt` does that.
static LogicalResult
runLLVMStage(ModuleOp module, llvm::function_ref<void(OpPassManager &)> build) {
  PassManager pm(module.getContext());
  pm.enableVerifier(false);
  build(pm);
  return success(succeeded(pm.run(module)) && succeeded(verify(module)) &&
                 succeeded(verifyLibraryCalls(module)));
}

LogicalResult quantmlir::lowerToLLVM(ModuleOp module, RunTarget target,
                                     const RunOptions &options, bool strict) {
  PassManager pm(module.getContext());
  buildStages(pm, {Stage::Quant, Stage::Target}, target, options, strict);
  if (failed(pm.run(module)))
    return failure();
  return runLLVMStage(module, [&](OpPassManager &last) {
    buildStages(last, {Stage::Target, Stage::LLVM}, target, options, strict);
  });
}

LogicalResult quantmlir::bringToMatmuls(ModuleOp module) {
  PassManager pm(module.getContext());
  buildMatmulForms(pm, /*floats=*/true, /*remarks=*/false);
  return pm.run(module);
}

LogicalResult quantmlir::makeFloatTwin(ModuleOp module) {
  PassManager pm(module.getContext());
  buildProgramForms(pm);
  pm.addPass(createQuantImportTosaPass());
  QuantImportPassOptions import;
  import.matmuls = false;
  pm.addPass(createQuantImportPass(import));
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createQuantQuantizeConstantsPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  return pm.run(module);
}

LogicalResult quantmlir::lowerFloatTwinToLLVM(ModuleOp module) {
  PassManager pm(module.getContext());
  pm.addPass(createConvertQuantToLinalgPass());
  buildBufferizeStage(pm);
  if (failed(pm.run(module)))
    return failure();
  return runLLVMStage(module,
                      [](OpPassManager &last) { buildLLVMStage(last); });
}
