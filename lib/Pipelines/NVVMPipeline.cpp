//===- NVVMPipeline.cpp - quant-to-nvvm -----------------------------------===//

#include "quant/Pipelines/Pipelines.h"

#include "mlir/Conversion/GPUCommon/GPUCommonPass.h"
#include "mlir/Conversion/GPUToNVVM/GPUToNVVMPass.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/NVVMToLLVM/NVVMToLLVM.h"
#include "mlir/Conversion/ReconcileUnrealizedCasts/ReconcileUnrealizedCasts.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/GPU/Transforms/Passes.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Target/LLVM/NVVM/Utils.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"

#include "quant/Conversion/Passes.h"
#include "quant/Dialect/Quant/Transforms/Passes.h"
#include "quant/Packing/Passes.h"
#include "quant/Target/CPU/Passes.h"
#include "quant/Target/NVVM/Chips.h"
#include "quant/Target/NVVM/Passes.h"

using namespace mlir;
using namespace quantmlir;

/// Whether gpu-module-to-binary will find ptxas: on PATH, or in the toolkit
/// that CUDA_ROOT, CUDA_HOME or CUDA_PATH names.
static bool findPtxas() {
  if (llvm::sys::findProgramByName("ptxas"))
    return true;
  SmallString<128> path(NVVM::getCUDAToolkitPath());
  llvm::sys::path::append(path, "bin", "ptxas");
  return llvm::sys::fs::can_execute(path);
}

/// Why the CUDA toolkit that the environment names is of no use; empty when it
/// is, or when none is named. What makes kernels wants the whole of it.
static std::string explainToolkit() {
  StringRef root = NVVM::getCUDAToolkitPath();
  if (root.empty())
    return "";
  SmallString<128> library(root);
  llvm::sys::path::append(library, "nvvm", "libdevice", "libdevice.10.bc");
  if (llvm::sys::fs::exists(library))
    return "";
  return ("expected a CUDA toolkit at '" + root +
          "' (CUDA_ROOT, CUDA_HOME or CUDA_PATH), found no " +
          "nvvm/libdevice/libdevice.10.bc in it; name a whole toolkit, or none "
          "and have ptxas on PATH (utils/setup-ptxas.sh)")
      .str();
}

/// Kernels down to NVVM IR, then to `format`.
static void buildKernels(OpPassManager &pm,
                         const NVVMPipelineOptions &options) {
  OpPassManager &kernels = pm.nest<gpu::GPUModuleOp>();
  kernels.addPass(createCanonicalizerPass());
  kernels.addPass(createCSEPass());
  kernels.addPass(createSCFToControlFlowPass());
  kernels.addPass(createConvertMathToLLVMPass());
  kernels.addPass(createConvertGpuOpsToNVVMOps());
  // wgmma, as inline assembly.
  kernels.addPass(createConvertNVVMToLLVMPass());
  kernels.addPass(createCanonicalizerPass());
  kernels.addPass(createCSEPass());
  kernels.addPass(createReconcileUnrealizedCastsPass());
  GpuNVVMAttachTargetOptions target;
  target.chip = options.chip;
  target.optLevel = 3;
  // An unknown chip has been refused by then.
  if (const nvvm::Chip *chip = nvvm::findChip(options.chip))
    target.features = chip->ptx.str();
  pm.addPass(createGpuNVVMAttachTarget(target));
  if (options.format == "llvm")
    return;
  GpuModuleToBinaryPassOptions binary;
  binary.compilationTarget = options.format;
  pm.addPass(createGpuModuleToBinaryPass(binary));
}

/// Refuses what cannot be made: formats that there are none of, or whose tools
/// are not here.
static void verifyOptions(OpPassManager &pm,
                          const NVVMPipelineOptions &options) {
  if (options.format != "llvm" && options.format != "isa" &&
      options.format != "bin")
    pm.addPass(createRejectOptionsPass("expected format llvm, isa or bin, "
                                       "found `" +
                                       options.format.getValue() + "`"));
  if (options.format == "bin" && !findPtxas())
    pm.addPass(createRejectOptionsPass(
        "expected ptxas for format=bin, found none on PATH or in bin/ of "
        "CUDA_ROOT; run utils/setup-ptxas.sh, or use format=isa"));
  else if (std::string reason = explainToolkit();
           !reason.empty() && options.format != "llvm" &&
           options.stopAfter == Stage::LLVM)
    pm.addPass(createRejectOptionsPass(reason));
}

static void buildNVVMPackedStage(OpPassManager &pm,
                                 const NVVMPipelineOptions &options) {
  pm.addPass(createQuantCheckSizesPass());
  pm.addPass(createQuantSetNVVMTargetPass({options.chip}));
  QuantPackMatmulPassOptions pack;
  pack.strict = options.strict;
  pm.addPass(createQuantPackMatmulPass(pack));
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addPass(createQuantFuseQuantizeRowsPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  endStage(pm, Stage::Packed);
}

static void buildNVVMTargetStage(OpPassManager &pm) {
  pm.addPass(createQuantLowerPackPass());
  ConvertQuantToLinalgPassOptions reference;
  reference.packedMatmul = false;
  pm.addPass(createConvertQuantToLinalgPass(reference));
  buildBufferizeStage(pm, /*outline=*/false);
  pm.addPass(createQuantSumRowsPass());
  pm.addPass(createConvertQuantToNVVMPass());
  endStage(pm, Stage::Target);
}

void quantmlir::buildNVVMPipeline(OpPassManager &pm,
                                  const NVVMPipelineOptions &options) {
  verifyOptions(pm, options);
  StageRange stages = options.getStages();
  beginStages(pm, stages);
  if (stages.contains(Stage::Quant)) {
    buildQuantStage(pm, options);
    endStage(pm, Stage::Quant);
  }
  if (stages.contains(Stage::Packed))
    buildNVVMPackedStage(pm, options);
  if (stages.contains(Stage::Target))
    buildNVVMTargetStage(pm);
  if (!stages.contains(Stage::LLVM))
    return;
  buildKernels(pm, options);
  buildLLVMStage(pm);
  pm.addPass(createGpuToLLVMConversionPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createReconcileUnrealizedCastsPass());
  pm.addPass(createQuantDropForeignAttributesPass());
  endStage(pm, Stage::LLVM);
}
