//===- Pipelines.cpp - named pass pipelines -------------------------------===//

#include "quant/Pipelines/Pipelines.h"

using namespace mlir;

void quantmlir::buildQuantStage(OpPassManager &, StringRef) {}
void quantmlir::buildBufferizeStage(OpPassManager &) {}
void quantmlir::buildLLVMStage(OpPassManager &) {}
void quantmlir::buildGenericPipeline(OpPassManager &,
                                     const GenericPipelineOptions &) {}
void quantmlir::buildX86Pipeline(OpPassManager &, const X86PipelineOptions &) {}

void quantmlir::registerPipelines() {
  PassPipelineRegistration<GenericPipelineOptions>(
      "quant-to-generic", "Quantized matmuls to portable LLVM",
      buildGenericPipeline);
  PassPipelineRegistration<X86PipelineOptions>(
      "quant-to-x86", "Quantized matmuls to x86 dot-product instructions",
      buildX86Pipeline);
}
