//===- NVVMKernels.td - the kernels of NVIDIA's GPUs ------*- tablegen -*-===//

#ifndef QUANT_TARGET_NVVM_NVVMKERNELS_TD
#define QUANT_TARGET_NVVM_NVVMKERNELS_TD

include "quant/Target/IR/MatmulKernelInterface.td"
include "quant/Target/IR/QTargetDialect.td"

// Naming scheme: PTX's name of the instruction of large tiles, with its shape
// and operand type. Rows are in NVVMKernels.cpp, in this order.
def QTarget_NVVMKernel : I32EnumAttr<"NVVMKernel",
    "a kernel of NVIDIA's GPUs", [
  I32EnumAttrCase<"DP4A", 0, "dp4a">,
  I32EnumAttrCase<"MMA_M8N8K16_S8", 1, "mma_m8n8k16_s8">,
  I32EnumAttrCase<"MMA_M16N8K32_S8", 2, "mma_m16n8k32_s8">,
  I32EnumAttrCase<"MMA_M16N8K64_S4", 3, "mma_m16n8k64_s4">,
  I32EnumAttrCase<"WGMMA_S8", 4, "wgmma_s8">,
  I32EnumAttrCase<"GROUPED_S8", 5, "grouped_s8">
]> {
  let genSpecializedAttr = 0;
  let cppNamespace = "::quantmlir::nvvm";
}

def QTarget_NVVMKernelAttr
    : EnumAttr<QTarget_Dialect, QTarget_NVVMKernel, "nvvm",
               [DeclareAttrInterfaceMethods<QTarget_MatmulKernelInterface,
                                            ["whyNot"]>]> {
  let summary = "A kernel of NVIDIA's GPUs";
  let description = [{
    A family of kernels on operands in one layout: with few rows dp4a, one warp
    a panel of columns; else tiles of the named instruction. `wgmma_s8` takes
    mma.sync where a warpgroup's 64 rows would be mostly empty. `grouped_s8` has
    scales of groups, and mma.sync from the chip's own shape on. Which of them
    runs is the number of rows, which may be known at run time only.
  }];
  let assemblyFormat = "`<` $value `>`";
}

#endif // QUANT_TARGET_NVVM_NVVMKERNELS_TD
