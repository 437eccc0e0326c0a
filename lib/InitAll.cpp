//===- InitAll.cpp - the one registration list ----------------------------===//

#include "quant/InitAll.h"

#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVM.h"
#include "mlir/Conversion/MemRefToLLVM/MemRefToLLVM.h"
#include "mlir/Conversion/UBToLLVM/UBToLLVM.h"
#include "mlir/Dialect/AMX/Transforms.h"
#include "mlir/Target/LLVM/NVVM/Target.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/GPU/GPUToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/NVVM/NVVMToLLVMIRTranslation.h"

#include "quant/Conversion/Passes.h"
#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Dialect/Quant/Transforms/BufferizableOpInterfaceImpl.h"
#include "quant/Dialect/Quant/Transforms/Passes.h"
#include "quant/Dialect/TMTensor/IR/TMTensor.h"
#include "quant/Equalize/Passes.h"
#include "quant/Import/Passes.h"
#include "quant/Instrument/Passes.h"
#include "quant/Packing/Passes.h"
#include "quant/Pipelines/Passes.h"
#include "quant/Pipelines/Pipelines.h"
#include "quant/Quantize/Passes.h"
#include "quant/Rotate/Passes.h"
#include "quant/Shard/Passes.h"
#include "quant/Shard/ShardingModels.h"
#include "quant/Target/Arm/ArmKernels.h"
#include "quant/Target/Arm/Passes.h"
#include "quant/Target/CPU/Passes.h"
#include "quant/Target/IR/PackedMatmul.h"
#include "quant/Target/NVVM/NVVMKernels.h"
#include "quant/Target/NVVM/Passes.h"
#include "quant/Target/X86/Passes.h"
#include "quant/Target/X86/X86Kernels.h"

void quantmlir::registerAllDialects(mlir::DialectRegistry &registry) {
  mlir::arith::registerConvertArithToLLVMInterface(registry);
  mlir::registerConvertAMXToLLVMInterface(registry);
  mlir::registerConvertFuncToLLVMInterface(registry);
  mlir::registerConvertMemRefToLLVMInterface(registry);
  mlir::ub::registerConvertUBToLLVMInterface(registry);
  mlir::cf::registerConvertControlFlowToLLVMInterface(registry);
  registerQuantExtension(registry);
  registry.insert<tm_tensor::TMTensorDialect>();
  qtarget::registerQTarget(registry);
  registerBufferizationModels(registry);
  registerShardingModels(registry);
  registerX86Kernels(registry);
  registerArmKernels(registry);
  registerNVVMKernels(registry);
  // What turns a kernel into PTX.
  mlir::registerBuiltinDialectTranslation(registry);
  mlir::registerGPUDialectTranslation(registry);
  mlir::registerLLVMDialectTranslation(registry);
  mlir::registerNVVMDialectTranslation(registry);
  mlir::NVVM::registerNVVMTargetInterfaceExternalModels(registry);
}

void quantmlir::registerAllPasses() {
  registerQuantTransformsPasses();
  registerQuantEqualizePasses();
  registerQuantRotatePasses();
  registerQuantShardPasses();
  registerQuantImportPasses();
  registerQuantQuantizePasses();
  registerQuantInstrumentPasses();
  registerQuantConversionPasses();
  registerQuantPackingPasses();
  registerQuantTargetCPUPasses();
  registerQuantTargetX86Passes();
  registerQuantTargetArmPasses();
  registerQuantTargetNVVMPasses();
  registerQuantPipelinesPasses();
  registerPipelines();
}
