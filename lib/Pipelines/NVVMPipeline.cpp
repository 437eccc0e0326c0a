//===- NVVMPipeline.cpp - quant-to-nvvm -----------------------------------===//

#include "quant/Pipelines/Pipelines.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/GPU/Transforms/Passes.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Transforms/Passes.h"

#include "quant/Conversion/Passes.h"
#include "quant/Target/NVVM/Chips.h"
#include "quant/Target/NVVM/Passes.h"
#include "quant/Target/X86/Passes.h"

using namespace mlir;
using namespace quantmlir;

/// Kernels down to NVVM IR, then to `format`.
static void buildKernels(OpPassManager &pm,
                         const NVVMPipelineOptions &options) {
  OpPassManager &kernels = pm.nest<gpu::GPUModuleOp>();
  kernels.addPass(createCanonicalizerPass());
  kernels.addPass(createCSEPass());
  kernels.addPass(createSCFToControlFlowPass());
  kernels.addPass(createConvertMathToLLVMPass());
  kernels.addPass(createConvertGpuOpsToNVVMOps());
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

void quantmlir::buildNVVMPipeline(OpPassManager &pm,
                                  const NVVMPipelineOptions &options) {
  if (options.format != "llvm" && options.format != "isa" &&
      options.format != "bin")
    pm.addPass(createRejectOptionsPass("expected format llvm, isa or bin, "
                                       "found `" +
                                       options.format.getValue() + "`"));
  buildQuantStage(pm, options.quantize);
  if (!endStage(pm, Stage::Quant, options.stopAfter))
    return;
  pm.addPass(createQuantSetNVVMTargetPass({options.chip}));
  pm.addPass(createQuantPackMatmulPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addPass(createQuantFuseQuantizeRowsPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  if (!endStage(pm, Stage::Packed, options.stopAfter))
    return;
  pm.addPass(createQuantLowerPackPass());
  ConvertQuantToLinalgPassOptions reference;
  reference.packedMatmul = false;
  pm.addPass(createConvertQuantToLinalgPass(reference));
  buildBufferizeStage(pm);
  pm.addPass(createConvertQuantToNVVMPass());
  if (!endStage(pm, Stage::Target, options.stopAfter))
    return;
  buildKernels(pm, options);
  buildLLVMStage(pm);
  pm.addPass(createGpuToLLVMConversionPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createReconcileUnrealizedCastsPass());
  endStage(pm, Stage::LLVM, options.stopAfter);
}
