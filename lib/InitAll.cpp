//===- InitAll.cpp - the one registration list ----------------------------===//

#include "quant/InitAll.h"

#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Dialect/AMX/Transforms.h"

#include "quant/Conversion/Passes.h"
#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Dialect/Quant/Transforms/BufferizableOpInterfaceImpl.h"
#include "quant/Dialect/Quant/Transforms/Passes.h"
#include "quant/Import/Passes.h"
#include "quant/Instrument/Passes.h"
#include "quant/Pipelines/Pipelines.h"
#include "quant/Target/X86/Passes.h"

void quantmlir::registerAllDialects(mlir::DialectRegistry &registry) {
  mlir::registerConvertAMXToLLVMInterface(registry);
  mlir::cf::registerConvertControlFlowToLLVMInterface(registry);
  registerQuantExtension(registry);
  registerBufferizationModels(registry);
}

void quantmlir::registerAllPasses() {
  registerQuantTransformsPasses();
  registerQuantImportPasses();
  registerQuantInstrumentPasses();
  registerQuantConversionPasses();
  registerQuantTargetX86Passes();
  registerPipelines();
}
