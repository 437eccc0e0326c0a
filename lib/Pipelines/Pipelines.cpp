//===- Pipelines.cpp - named pass pipelines -------------------------------===//

#include "quant/Pipelines/Pipelines.h"

#include "mlir/Conversion/AffineToStandard/AffineToStandard.h"
#include "mlir/Conversion/BufferizationToMemRef/BufferizationToMemRef.h"
#include "mlir/Conversion/ControlFlowToSCF/ControlFlowToSCF.h"
#include "mlir/Conversion/ConvertToLLVM/ToLLVMPass.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/MathToLibm/MathToLibm.h"
#include "mlir/Conversion/OpenMPToLLVM/ConvertOpenMPToLLVM.h"
#include "mlir/Conversion/ReconcileUnrealizedCasts/ReconcileUnrealizedCasts.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Conversion/SCFToOpenMP/SCFToOpenMP.h"
#include "mlir/Conversion/ShardToMPI/ShardToMPI.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVMPass.h"
#include "mlir/Conversion/VectorToSCF/VectorToSCF.h"
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
#include "mlir/Dialect/Shard/Transforms/Passes.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Transforms/Passes.h"

#include "quant/Conversion/Passes.h"
#include "quant/Import/Passes.h"
#include "quant/Instrument/Passes.h"
#include "quant/Packing/Passes.h"
#include "quant/Pipelines/Passes.h"
#include "quant/Quantize/Passes.h"
#include "quant/Target/Arm/Passes.h"
#include "quant/Target/CPU/Passes.h"
#include "quant/Target/X86/Passes.h"

using namespace mlir;
using namespace quantmlir;

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

void quantmlir::beginStages(OpPassManager &pm, StageRange stages) {
  if (stages.after >= stages.last)
    return pm.addPass(createRejectOptionsPass(
        "expected a stage in `start-after` that comes before that in "
        "`stop-after`"));
  if (stages.after != Stage::Import)
    endStage(pm, stages.after);
}

void quantmlir::endStage(OpPassManager &pm, Stage stage) {
  pm.addPass(createQuantVerifyStagePass({stage}));
}

/// What the parser of options has to say, and what it would have understood.
static std::string explainOptions(StringRef said, StringRef text,
                                  const std::string &names) {
  said = said.trim();
  said.consume_front("<Pass-Options-Parser>: ");
  std::string message =
      said.empty() ? ("cannot read `" + text + "`").str() : said.str();
  return message + "; the options are " + names;
}

void quantmlir::buildProgramForms(OpPassManager &pm) {
  // Branches between blocks that carry tensors: bufferization takes no loops
  // of them.
  pm.addPass(createLiftControlFlowToSCFPass());
  pm.addPass(createQuantKeepLoopTypesPass());
  pm.addPass(createQuantInlineCallsPass());
  pm.addPass(createQuantFoldConstantGlobalsPass());
  pm.addPass(createQuantTensorGlobalsPass());
  pm.addPass(createQuantSimplifySizesPass());
}

void quantmlir::buildMatmulForms(OpPassManager &pm, bool floats, bool remarks) {
  pm.addPass(createQuantImportTosaPass());
  pm.addPass(createConvertTMTensorToLinalgPass());
  buildProgramForms(pm);
  pm.addPass(createQuantConvolutionToMatmulPass({floats, remarks}));
}

const MatmulOutcome *QuantStageResults::find(StringRef name) const {
  for (const MatmulOutcome &matmul : matmuls)
    if (matmul.name == name)
      return &matmul;
  return nullptr;
}

void quantmlir::buildQuantStage(OpPassManager &pm,
                                const QuantStageOptions &options) {
  bool quantizes = options.quantize.has_value();
  buildMatmulForms(pm, /*floats=*/quantizes);
  // Names are of the program as it was written.
  if (quantizes)
    pm.addPass(createQuantNameMatmulsPass());
  QuantImportPassOptions import;
  import.weightOnly = !quantizes;
  pm.addPass(createQuantImportPass(import));
  if (quantizes)
    pm.addPass(createQuantQuantizeMatmulPass(
        *options.quantize,
        options.results ? &options.results->matmuls : nullptr));
  // Quantizing a weight that several products share is one op, which is
  // evaluated once; canonicalizing brings constants to it, and cleans up after.
  pm.addPass(createCSEPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createQuantQuantizeConstantsPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addPass(createQuantFuseEpiloguePass());
  if (!options.account && !options.strict && !options.results)
    return;
  QuantAccountProductsPassOptions account;
  account.asked = quantizes;
  account.strict = options.strict;
  pm.addPass(createQuantAccountProductsPass(
      account, options.results ? &options.results->products : nullptr));
}

void quantmlir::buildQuantStage(OpPassManager &pm, StringRef quantize,
                                QuantStageOptions options) {
  auto request = QuantizeRequest::parseOrNone(quantize);
  if (!request)
    return pm.addPass(createRejectOptionsPass(
        "quantize: " + llvm::toString(request.takeError())));
  options.quantize = std::move(*request);
  buildQuantStage(pm, options);
}

void quantmlir::buildShardStage(OpPassManager &pm,
                                const ShardStageOptions &options) {
  if (options.annotated) {
    pm.addPass(createQuantVerifyShardingsPass());
    pm.addNestedPass<func::FuncOp>(shard::createShardingPropagation());
  }
  pm.addPass(createQuantProposeShardingPass({options.ranks, options.parallel}));
  pm.addNestedPass<func::FuncOp>(shard::createPartition());
  pm.addPass(
      createQuantCutToRankPass({options.rank, options.library}, options.facts));
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addPass(createQuantLowerCollectivesPass());
  pm.addPass(createConvertShardToMPIPass());
  pm.addPass(createQuantUseWorldPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}

void quantmlir::buildBufferizeStage(OpPassManager &pm, bool outline,
                                    bool fuse) {
  pm.addPass(createQuantFoldConstantTransposesPass());
  // Of programs that are written for one rank.
  pm.addPass(createQuantLowerCollectivesPass({/*all=*/true}));
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addPass(createQuantFuseElementwisePass());
  if (fuse)
    pm.addPass(createQuantFuseAttentionPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  // Before layers become functions, which would take fills as arguments.
  pm.addPass(createQuantFillSplatsPass());
  // Whether a weight is a constant is not asked any more.
  if (outline)
    pm.addPass(createQuantOutlineRepeatsPass());
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
  // A layer's cache that is updated in place need not be returned, and is
  // copied where it is.
  pm.addPass(bufferization::createDropEquivalentBufferResultsPass());
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
  pm.addPass(memref::createExpandOpsPass());
  pm.addPass(memref::createExpandStridedMetadataPass());
  pm.addPass(createLowerAffinePass());
  pm.addPass(createSCFToControlFlowPass());
  pm.addPass(createQuantConvertMPIToLLVMPass());
  pm.addPass(createConvertMathToLLVMPass());
  pm.addPass(createConvertMathToLibmPass());
  pm.addPass(createConvertVectorToLLVMPass());
  // The rest at once, which takes half of the time of one after the other.
  // Tiles that loops carry are arguments of blocks: those change their types
  // together with the ops on tiles.
  ConvertToLLVMPassOptions rest;
  rest.filterDialects = {"arith", "cf", "memref", "func", "ub"};
  if (withTiles)
    rest.filterDialects.push_back("amx");
  pm.addPass(createQuantLoadDialectsPass());
  pm.addPass(createConvertToLLVMPass(rest));
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createReconcileUnrealizedCastsPass());
}

void quantmlir::buildGenericPipeline(OpPassManager &pm,
                                     const GenericPipelineOptions &options) {
  StageRange stages = options.getStages();
  // Nothing becomes packed on this path: its Packed stage is the Quant stage.
  if (stages.after == Stage::Packed)
    stages.after = Stage::Quant;
  beginStages(pm, stages);
  if (stages.contains(Stage::Quant)) {
    buildQuantStage(pm, options);
    endStage(pm, Stage::Quant);
  }
  if (stages.contains(Stage::Target)) {
    pm.addPass(createQuantCheckSizesPass());
    // Of programs that are packed already.
    pm.addPass(createQuantLowerPackPass());
    pm.addPass(createConvertQuantToLinalgPass());
    buildBufferizeStage(pm);
    if (options.profile)
      pm.addPass(createQuantProfileOpsPass());
    pm.addPass(createQuantSumRowsPass());
    endStage(pm, Stage::Target);
  }
  if (stages.contains(Stage::LLVM)) {
    buildLLVMStage(pm);
    pm.addPass(createQuantDropForeignAttributesPass());
    endStage(pm, Stage::LLVM);
  }
}

//===----------------------------------------------------------------------===//
// CPUs with vectors
//===----------------------------------------------------------------------===//

namespace {
/// What the pipelines of CPUs have in common.
struct CPUOptions {
  StageRange stages;
  std::string schedules;
  bool strict;
  int64_t threads;
  bool withTiles, profile;
};
} // namespace

/// `describe` says which machine it is.
static void buildCPUPackedStage(OpPassManager &pm, const CPUOptions &options,
                                std::unique_ptr<Pass> describe) {
  pm.addPass(createQuantCheckSizesPass());
  pm.addPass(std::move(describe));
  QuantPackMatmulPassOptions pack;
  pack.schedules = options.schedules;
  pack.strict = options.strict;
  pm.addPass(createQuantPackMatmulPass(pack));
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addPass(createQuantFuseQuantizeRowsPass({/*plain=*/true}));
  endStage(pm, Stage::Packed);
}

static void buildCPUTargetStage(OpPassManager &pm, const CPUOptions &options) {
  pm.addPass(createQuantLowerPackPass());
  ConvertQuantToLinalgPassOptions reference;
  reference.packedMatmul = false;
  reference.quantizeBlocks = false;
  reference.attention = false;
  reference.reciprocal = true;
  pm.addPass(createConvertQuantToLinalgPass(reference));
  buildBufferizeStage(pm, /*outline=*/true, /*fuse=*/true);
  if (options.profile)
    pm.addPass(createQuantProfileOpsPass());
  if (options.threads < 2)
    pm.addNestedPass<func::FuncOp>(createForallToForLoopPass());
  QuantParallelizeMatmulsPassOptions parallel;
  parallel.threads = options.threads;
  pm.addPass(createQuantParallelizeMatmulsPass(parallel));
  pm.addPass(createQuantSumRowsPass());
  pm.addPass(createQuantVectorizeContractionsPass());
  pm.addPass(createQuantVectorizeRowsPass());
  pm.addPass(createCanonicalizerPass());
  QuantParallelizeLoopsPassOptions loops;
  loops.threads = options.threads;
  pm.addPass(createQuantParallelizeLoopsPass(loops));
  pm.addPass(createConvertQuantToCPUPass());
  endStage(pm, Stage::Target);
}

/// Parallel loops to OpenMP, while bodies still are structured.
static void buildThreads(OpPassManager &pm, int64_t threads) {
  pm.addPass(createQuantSerializeReductionsPass());
  pm.addNestedPass<func::FuncOp>(createForallToParallelLoopPass());
  ConvertSCFToOpenMPPassOptions openMP;
  openMP.numThreads = threads;
  pm.addPass(createConvertSCFToOpenMPPass(openMP));
  // Takes apart the scopes around the bodies, which may not hold branches.
  pm.addPass(createCanonicalizerPass());
}

static void buildCPULLVMStage(OpPassManager &pm, const CPUOptions &options) {
  if (options.threads > 1)
    buildThreads(pm, options.threads);
  buildLLVMStage(pm, options.withTiles);
  if (options.threads > 1) {
    pm.addPass(createConvertOpenMPToLLVMPass());
    pm.addPass(createReconcileUnrealizedCastsPass());
  }
  pm.addPass(createQuantDropForeignAttributesPass());
  endStage(pm, Stage::LLVM);
}

/// The path of every CPU with vectors.
template <typename Options>
static void buildCPUPipeline(OpPassManager &pm, const Options &options,
                             bool withTiles, std::unique_ptr<Pass> describe) {
  CPUOptions common = {options.getStages(), options.schedules, options.strict,
                       options.threads,     withTiles,         options.profile};
  beginStages(pm, common.stages);
  if (common.stages.contains(Stage::Quant)) {
    buildQuantStage(pm, options);
    endStage(pm, Stage::Quant);
  }
  if (common.stages.contains(Stage::Packed))
    buildCPUPackedStage(pm, common, std::move(describe));
  if (common.stages.contains(Stage::Target))
    buildCPUTargetStage(pm, common);
  if (common.stages.contains(Stage::LLVM))
    buildCPULLVMStage(pm, common);
}

void quantmlir::buildX86Pipeline(OpPassManager &pm,
                                 const X86PipelineOptions &options) {
  QuantSetTargetPassOptions target;
  target.cpu = options.cpu;
  target.features.assign(options.features.begin(), options.features.end());
  buildCPUPipeline(pm, options, /*withTiles=*/true,
                   createQuantSetTargetPass(target));
}

void quantmlir::buildArmPipeline(OpPassManager &pm,
                                 const ArmPipelineOptions &options) {
  QuantSetArmTargetPassOptions target;
  target.cpu = options.cpu;
  target.features.assign(options.features.begin(), options.features.end());
  buildCPUPipeline(pm, options, /*withTiles=*/false,
                   createQuantSetArmTargetPass(target));
}

//===----------------------------------------------------------------------===//
// Registration
//===----------------------------------------------------------------------===//

/// As upstream's PassPipelineRegistration, but that an error names the options.
template <typename Options>
static void registerPipeline(StringRef name, StringRef description,
                             void (*build)(OpPassManager &, const Options &)) {
  auto add = [build](OpPassManager &pm, StringRef text,
                     function_ref<LogicalResult(const Twine &)> onError) {
    // Passes of modules in a manager of functions end the process.
    StringRef anchor = pm.getOpAnchorName();
    if (anchor != OpPassManager::getAnyOpAnchorName() &&
        anchor != ModuleOp::getOperationName())
      return onError("the pipeline is one of builtin.module, found it in " +
                     anchor);
    Options options;
    std::string said;
    llvm::raw_string_ostream os(said);
    if (failed(options.parseFromString(text, os)))
      return onError(explainOptions(said, text, options.listNames()));
    build(pm, options);
    return success();
  };
  registerPassPipeline(
      name, description, add,
      [](function_ref<void(const detail::PassOptions &)> visit) {
        visit(Options());
      });
}

void quantmlir::registerPipelines() {
  registerPipeline<NVVMPipelineOptions>(
      "quant-to-nvvm", "Quantized matmuls to kernels for NVIDIA GPUs",
      buildNVVMPipeline);
  registerPipeline<GenericPipelineOptions>("quant-to-generic",
                                           "Quantized matmuls to portable LLVM",
                                           buildGenericPipeline);
  registerPipeline<X86PipelineOptions>(
      "quant-to-x86", "Quantized matmuls to x86 dot-product instructions",
      buildX86Pipeline);
  registerPipeline<ArmPipelineOptions>(
      "quant-to-arm", "Quantized matmuls to AArch64's instructions",
      buildArmPipeline);
}
