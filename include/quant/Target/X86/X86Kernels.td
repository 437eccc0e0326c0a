//===- X86Kernels.td - the kernels of x86 -----------------*- tablegen -*-===//

#ifndef QUANT_TARGET_X86_X86KERNELS_TD
#define QUANT_TARGET_X86_X86KERNELS_TD

include "quant/Target/IR/MatmulKernelInterface.td"
include "quant/Target/IR/QTargetDialect.td"

// Naming scheme: <INSTRUCTION>_<vector bits>; AMX_<INSTRUCTION> for tiles, whose
// two letters after TDPB are the signs of the left and the right operand. Shape,
// operand types and layouts are in the table (X86Kernels.cpp), in this order.
def QTarget_X86Kernel : I32EnumAttr<"X86Kernel", "a kernel of x86", [
  I32EnumAttrCase<"VPDPBUSD_512", 0, "vpdpbusd_512">,
  I32EnumAttrCase<"VPDPBUSD_256", 1, "vpdpbusd_256">,
  I32EnumAttrCase<"VPDPBUSD_128", 2, "vpdpbusd_128">,
  I32EnumAttrCase<"VPMADDWD_512", 3, "vpmaddwd_512">,
  I32EnumAttrCase<"VPMADDWD_256", 4, "vpmaddwd_256">,
  I32EnumAttrCase<"VPMADDWD_128", 5, "vpmaddwd_128">,
  I32EnumAttrCase<"AMX_TDPBSSD", 6, "amx_tdpbssd">,
  I32EnumAttrCase<"AMX_TDPBSUD", 7, "amx_tdpbsud">,
  I32EnumAttrCase<"AMX_TDPBUSD", 8, "amx_tdpbusd">,
  I32EnumAttrCase<"AMX_TDPBUUD", 9, "amx_tdpbuud">,
  I32EnumAttrCase<"VPDPBSSD_512", 10, "vpdpbssd_512">,
  I32EnumAttrCase<"VPDPBSUD_512", 11, "vpdpbsud_512">,
  I32EnumAttrCase<"VPDPBSSD_256", 12, "vpdpbssd_256">,
  I32EnumAttrCase<"VPDPBSUD_256", 13, "vpdpbsud_256">,
  I32EnumAttrCase<"VFMADD_512", 14, "vfmadd_512">,
  I32EnumAttrCase<"VFMADD_256", 15, "vfmadd_256">,
  I32EnumAttrCase<"VDPBF16PS_512", 16, "vdpbf16ps_512">
]> {
  let genSpecializedAttr = 0;
  let cppNamespace = "::quantmlir::x86";
}

def QTarget_X86KernelAttr
    : EnumAttr<QTarget_Dialect, QTarget_X86Kernel, "x86",
               [DeclareAttrInterfaceMethods<QTarget_MatmulKernelInterface,
                   ["chooseGroupedTile", "chooseSchedule", "multiplyAccumulate",
                    "lookUp",
                    "lookUpNibbles"]>]> {
  let summary = "A kernel of x86";
  let description = [{
    `vpdpbusd` of AVX-VNNI and AVX-512 VNNI, `vpdpbssd` and `vpdpbsud` of
    AVX-VNNI-INT8 and AVX10.2, `vpmaddwd` of SSE2 to AVX-512BW, the tile
    instructions of AMX, one for each pair of signs, and `vfmadd` for activations
    of floats, whose weight is widened in registers; `vdpbf16ps` is `vfmadd`
    where rows are many, and where they are few multiplies each activation in
    two parts of bf16.
  }];
  let assemblyFormat = "`<` $value `>`";
}

#endif // QUANT_TARGET_X86_X86KERNELS_TD
