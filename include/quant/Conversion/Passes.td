//===- Passes.td - conversions out of the quant dialect ----*- tablegen -*-===//

// A file for each folder of lib/Conversion.

#ifndef QUANT_CONVERSION_PASSES_TD
#define QUANT_CONVERSION_PASSES_TD

include "quant/Conversion/ArithToArith.td"
include "quant/Conversion/ArithToLinalg.td"
include "quant/Conversion/FuncToFunc.td"
include "quant/Conversion/LLVMToLLVM.td"
include "quant/Conversion/LinalgToLinalg.td"
include "quant/Conversion/MLProgramToArith.td"
include "quant/Conversion/MLProgramToMLProgram.td"
include "quant/Conversion/MathToArith.td"
include "quant/Conversion/MemRefToMemRef.td"
include "quant/Conversion/QuantToLinalg.td"
include "quant/Conversion/SCFToSCF.td"
include "quant/Conversion/TMTensorToLinalg.td"

#endif // QUANT_CONVERSION_PASSES_TD
