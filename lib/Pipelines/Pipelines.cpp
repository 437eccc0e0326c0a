//===- Pipelines.cpp - named pass pipelines -------------------------------===//

#include "quant/Pipelines/Pipelines.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Affine/Transforms/Passes.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Bufferization/Pipelines/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/Transforms/Passes.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Dialect/SCF/Transforms/Passes.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Transforms/Passes.h"

#include "quant/Conversion/Passes.h"
#include "quant/Import/Passes.h"
#include "quant/Target/X86/Passes.h"

using namespace mlir;
using namespace quantmlir;

bool quantmlir::endStage(OpPassManager &pm, Stage stage, Stage stopAfter) {
  pm.addPass(createQuantVerifyStagePass({stage}));
  return stage != stopAfter;
}

namespace {

/// Stands for a pass whose options could not be read. Building a pipeline
/// cannot fail, so running it does, with a diagnostic.
struct RejectOptionsPass
    : public PassWrapper<RejectOptionsPass, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(RejectOptionsPass)

  explicit RejectOptionsPass(std::string message)
      : message(std::move(message)) {}

  void runOnOperation() override {
    emitError(getOperation().getLoc()) << message;
    signalPassFailure();
  }

  std::string message;
};

} // namespace

std::unique_ptr<Pass> quantmlir::createRejectOptionsPass(std::string message) {
  return std::make_unique<RejectOptionsPass>(std::move(message));
}

/// quant-quantize-matmul with `options` in the textual form of pass options.
static std::unique_ptr<Pass> createQuantizePass(StringRef options) {
  std::unique_ptr<Pass> pass = createQuantQuantizeMatmulPass();
  // Enumerations complain on their own, without a call of `onError`.
  std::string message = ("cannot read `" + options + "`").str();
  auto onError = [&](const Twine &text) {
    std::string said = text.str();
    if (!StringRef(said).trim().empty())
      message = StringRef(said).trim().str();
    return failure();
  };
  if (failed(pass->initializeOptions(options, onError)))
    return createRejectOptionsPass("quantize options: " + message);
  return pass;
}

void quantmlir::buildProgramForms(OpPassManager &pm) {
  // Branches between blocks that carry tensors: bufferization takes no loops
  // of them.
  pm.addPass(createLiftControlFlowToSCFPass());
  pm.addPass(createQuantKeepLoopTypesPass());
  pm.addPass(createQuantInlineCallsPass());
  pm.addPass(createQuantFoldConstantGlobalsPass());
  pm.addPass(createQuantTensorGlobalsPass());
}

void quantmlir::buildMatmulForms(OpPassManager &pm, bool floats, bool remarks) {
  pm.addPass(createQuantImportTosaPass());
  buildProgramForms(pm);
  pm.addPass(createQuantConvolutionToMatmulPass({floats, remarks}));
}

void quantmlir::buildQuantStage(OpPassManager &pm, StringRef quantize) {
  buildMatmulForms(pm, /*floats=*/quantize != "none");
  // arith and math on whole tensors: what is fused and imported is linalg.
  pm.addPass(createConvertElementwiseToLinalgPass());
  // Names are of the program as it was written.
  if (quantize != "none")
    pm.addPass(createQuantNameMatmulsPass());
  QuantImportPassOptions import;
  import.weightOnly = quantize == "none";
  pm.addPass(createQuantImportPass(import));
  if (quantize != "none")
    pm.addPass(createQuantizePass(quantize));
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addPass(createQuantFuseEpiloguePass());
}

void quantmlir::buildBufferizeStage(OpPassManager &pm) {
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addPass(createQuantFuseElementwisePass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addPass(createQuantCopyGlobalsPass());
  // Results that are inserted into a larger tensor (a batch's slice) are
  // computed in place.
  pm.addPass(bufferization::createEmptyTensorEliminationPass());
  bufferization::OneShotBufferizePassOptions bufferize;
  bufferize.bufferizeFunctionBoundaries = true;
  // What a loop carries may be computed anew in each turn.
  bufferize.allowReturnAllocsFromLoops = true;
  bufferize.functionBoundaryTypeConversion =
      bufferization::LayoutMapOption::IdentityLayoutMap;
  pm.addPass(bufferization::createOneShotBufferizePass(bufferize));
  pm.addNestedPass<func::FuncOp>(bufferization::createBufferLoopHoistingPass());
  bufferization::buildBufferDeallocationPipeline(pm, {});
  pm.addPass(createConvertBufferizationToMemRefPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}

/// Functions and arithmetic of bf16 in f32, each result rounded.
static void buildBF16InF32(OpPassManager &pm) {
  math::MathExtendToSupportedTypesOptions math;
  math.extraTypeStrs = {"f16"};
  pm.addPass(math::createMathExtendToSupportedTypes(math));
  arith::ArithEmulateUnsupportedFloatsOptions arith;
  arith.sourceTypeStrs = {"bf16"};
  pm.addPass(arith::createArithEmulateUnsupportedFloats(arith));
  pm.addPass(createQuantExpandBF16Pass());
}

void quantmlir::buildLLVMStage(OpPassManager &pm, bool withTiles) {
  pm.addPass(createQuantOrderContractionLoopsPass());
  pm.addNestedPass<func::FuncOp>(createConvertLinalgToLoopsPass());
  buildBF16InF32(pm);
  pm.addPass(createQuantWidenFloatToIntPass());
  pm.addPass(createQuantApproximateMathPass());
  // Vectors whose elements do not follow each other in memory (packing every
  // other column) become loops over their elements; others stay vectors.
  pm.addNestedPass<func::FuncOp>(createConvertVectorToSCFPass());
  pm.addNestedPass<func::FuncOp>(LLVM::createLLVMRequestCWrappersPass());
  pm.addPass(createQuantExpandDynamicReshapesPass());
  pm.addPass(memref::createExpandStridedMetadataPass());
  pm.addPass(createLowerAffinePass());
  pm.addPass(createSCFToControlFlowPass());
  pm.addPass(createConvertMathToLLVMPass());
  pm.addPass(createConvertMathToLibmPass());
  pm.addPass(createConvertVectorToLLVMPass());
  // Tiles that loops carry are arguments of blocks: those change their types
  // together with the ops on tiles. Not before the pass above: it merges
  // blocks, whose new arguments may be memrefs, and a branch of the LLVM
  // dialect cannot carry those.
  if (withTiles) {
    ConvertToLLVMPassOptions tiles;
    tiles.filterDialects = {"amx", "cf"};
    pm.addPass(createConvertToLLVMPass(tiles));
  }
  pm.addPass(createArithToLLVMConversionPass());
  pm.addPass(createConvertControlFlowToLLVMPass());
  pm.addPass(createFinalizeMemRefToLLVMConversionPass());
  pm.addPass(createConvertFuncToLLVMPass());
  pm.addPass(createUBToLLVMConversionPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createReconcileUnrealizedCastsPass());
}

void quantmlir::buildGenericPipeline(OpPassManager &pm,
                                     const GenericPipelineOptions &options) {
  buildQuantStage(pm, options.quantize);
  // Nothing is packed on this path: its Packed stage is the Quant stage.
  if (!endStage(pm, Stage::Quant, options.stopAfter) ||
      options.stopAfter == Stage::Packed)
    return;
  pm.addPass(createConvertQuantToLinalgPass());
  buildBufferizeStage(pm);
  if (!endStage(pm, Stage::Target, options.stopAfter))
    return;
  buildLLVMStage(pm);
  endStage(pm, Stage::LLVM, options.stopAfter);
}

/// Parallel loops to OpenMP, while bodies still are structured.
static void buildThreads(OpPassManager &pm, int64_t threads) {
  pm.addNestedPass<func::FuncOp>(createForallToParallelLoopPass());
  ConvertSCFToOpenMPPassOptions openMP;
  openMP.numThreads = threads;
  pm.addPass(createConvertSCFToOpenMPPass(openMP));
  // Takes apart the scopes around the bodies, which may not hold branches.
  pm.addPass(createCanonicalizerPass());
}

void quantmlir::buildX86Pipeline(OpPassManager &pm,
                                 const X86PipelineOptions &options) {
  buildQuantStage(pm, options.quantize);
  if (!endStage(pm, Stage::Quant, options.stopAfter))
    return;
  QuantSetTargetPassOptions target;
  target.cpu = options.cpu;
  target.features.assign(options.features.begin(), options.features.end());
  pm.addPass(createQuantSetTargetPass(target));
  QuantPackMatmulPassOptions pack;
  pack.schedules = options.schedules;
  pm.addPass(createQuantPackMatmulPass(pack));
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addPass(createQuantFuseQuantizeRowsPass({/*plain=*/true}));
  if (!endStage(pm, Stage::Packed, options.stopAfter))
    return;
  pm.addPass(createQuantLowerPackPass());
  ConvertQuantToLinalgPassOptions reference;
  reference.packedMatmul = false;
  reference.reciprocal = true;
  pm.addPass(createConvertQuantToLinalgPass(reference));
  buildBufferizeStage(pm);
  QuantParallelizeMatmulsPassOptions parallel;
  parallel.threads = options.threads;
  pm.addPass(createQuantParallelizeMatmulsPass(parallel));
  pm.addPass(createQuantVectorizeContractionsPass());
  pm.addPass(createQuantVectorizeRowsPass());
  pm.addPass(createCanonicalizerPass());
  QuantParallelizeLoopsPassOptions loops;
  loops.threads = options.threads;
  pm.addPass(createQuantParallelizeLoopsPass(loops));
  pm.addPass(createConvertQuantToX86Pass());
  if (!endStage(pm, Stage::Target, options.stopAfter))
    return;
  if (options.threads > 1)
    buildThreads(pm, options.threads);
  buildLLVMStage(pm, /*withTiles=*/true);
  if (options.threads > 1) {
    pm.addPass(createConvertOpenMPToLLVMPass());
    pm.addPass(createReconcileUnrealizedCastsPass());
  }
  endStage(pm, Stage::LLVM, options.stopAfter);
}

void quantmlir::registerPipelines() {
  PassPipelineRegistration<NVVMPipelineOptions>(
      "quant-to-nvvm", "Quantized matmuls to kernels for NVIDIA GPUs",
      buildNVVMPipeline);
  PassPipelineRegistration<GenericPipelineOptions>(
      "quant-to-generic", "Quantized matmuls to portable LLVM",
      buildGenericPipeline);
  PassPipelineRegistration<X86PipelineOptions>(
      "quant-to-x86", "Quantized matmuls to x86 dot-product instructions",
      buildX86Pipeline);
}
