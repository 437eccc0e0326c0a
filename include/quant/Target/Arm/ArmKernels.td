//===- ArmKernels.td - the kernels of AArch64 -------------*- tablegen -*-===//

#ifndef QUANT_TARGET_ARM_ARMKERNELS_TD
#define QUANT_TARGET_ARM_ARMKERNELS_TD

include "quant/Target/IR/MatmulKernelInterface.td"
include "quant/Target/IR/QTargetDialect.td"

// Naming scheme: <instruction>_<vector bits>. Rows are in ArmKernels.cpp, in
// this order.
def QTarget_ArmKernel : I32EnumAttr<"ArmKernel", "a kernel of AArch64", [
  I32EnumAttrCase<"SMULL_128", 0, "smull_128">,
  I32EnumAttrCase<"SDOT_128", 1, "sdot_128">,
  I32EnumAttrCase<"USDOT_128", 2, "usdot_128">,
  I32EnumAttrCase<"SMMLA_128", 3, "smmla_128">,
  I32EnumAttrCase<"USMMLA_128", 4, "usmmla_128">,
  I32EnumAttrCase<"FMLA_128", 5, "fmla_128">
]> {
  let genSpecializedAttr = 0;
  let cppNamespace = "::quantmlir::arm";
}

def QTarget_ArmKernelAttr
    : EnumAttr<QTarget_Dialect, QTarget_ArmKernel, "arm",
               [DeclareAttrInterfaceMethods<QTarget_MatmulKernelInterface,
                   ["chooseGroupedTile", "chooseSchedule", "lookUpNibbles",
                    "multiplyAccumulate",
                    "getAccumulatorOrder"]>]> {
  let summary = "A kernel of AArch64";
  let description = [{
    `smull` and `sadalp` of every AArch64, `sdot` of FEAT_DotProd, and `usdot`,
    `smmla` and `usmmla` of FEAT_I8MM. A matrix multiplication (`smmla`) takes two
    rows of the left operand by two columns of the right one, eight elements
    along K; two of them side by side are one step of four columns. `fmla` is for
    activations of floats, whose weight is widened in registers.
  }];
  let assemblyFormat = "`<` $value `>`";
}

#endif // QUANT_TARGET_ARM_ARMKERNELS_TD
