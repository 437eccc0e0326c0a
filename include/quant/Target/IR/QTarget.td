//===- QTarget.td - target descriptions -------------------*- tablegen -*-===//
//
// The companion dialect `qtarget`. Attributes cannot be added to upstream's
// `quant` dialect from outside, so descriptions of machines live here.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_TARGET_IR_QTARGET_TD
#define QUANT_TARGET_IR_QTARGET_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"

def QTarget_Dialect : Dialect {
  let name = "qtarget";
  let cppNamespace = "::quantmlir::qtarget";
  let summary = "Descriptions of the machines that integer matmuls run on";
  let description = [{
    Attributes only: a target (`#qtarget.target`), which is a name, a list of
    feature names and a memory hierarchy, and an intrinsic
    (`#qtarget.intrinsic`), which names one row of the instruction table in
    `quant/Target/IR/IntrinsicTable.h`. Passes ask the attributes; they never
    switch on the machine.
  }];
  let useDefaultAttributePrinterParser = 1;
}

class QTarget_I32Enum<string name, string summary, list<I32EnumAttrCase> cases>
    : I32EnumAttr<name, summary, cases> {
  let genSpecializedAttr = 0;
  let cppNamespace = "::quantmlir::qtarget";
}

// Naming scheme: <INSTRUCTION>_<vector bits>; AMX_<INSTRUCTION> for tiles, whose
// two letters after TDPB are the signs of the left and the right operand; PTX's
// name with its shape and operand type. `M x N x K` of one instruction,
// its operand types and layouts are in the table (IntrinsicTable.h).
def QTarget_IntrinsicKind : QTarget_I32Enum<"IntrinsicKind",
    "a multiply-accumulate instruction", [
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
  I32EnumAttrCase<"DP4A", 32, "dp4a">,
  I32EnumAttrCase<"MMA_M8N8K16_S8", 33, "mma_m8n8k16_s8">,
  I32EnumAttrCase<"MMA_M16N8K32_S8", 34, "mma_m16n8k32_s8">,
  I32EnumAttrCase<"MMA_M16N8K64_S4", 35, "mma_m16n8k64_s4">
]>;

class QTarget_Attr<string name, string attrMnemonic>
    : AttrDef<QTarget_Dialect, name> {
  let mnemonic = attrMnemonic;
}

def QTarget_IntrinsicAttr
    : EnumAttr<QTarget_Dialect, QTarget_IntrinsicKind, "intrinsic"> {
  let assemblyFormat = "`<` $value `>`";
}

def QTarget_TargetAttr : QTarget_Attr<"Target", "target"> {
  let summary = "A machine: name, instruction-set features, caches, cores";
  let description = [{
    `cpu` is LLVM's name of the processor (`llc -mcpu=`), `features` LLVM's
    names of the instruction-set extensions that matter here, cache sizes are
    in bytes for one core, `cores` is the number of cores a program may use.

    The attribute stands on the module as `qtarget.target` after
    `quant-set-target`, and every later pass asks it. All of its facts can be
    written by hand in a test.

    Example:

    ```mlir
    #qtarget.target<cpu = "icelake-server",
                    features = ["avx2", "avx512vnni", "avx512bw"],
                    l1d = 49152, l2 = 1310720, cores = 2>
    ```
  }];
  let parameters = (ins "::mlir::StringAttr":$cpu,
                        "::mlir::ArrayAttr":$features,
                        "int64_t":$l1d, "int64_t":$l2, "int64_t":$cores);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// The name under which the attribute stands on the module.
    static constexpr ::llvm::StringLiteral kModuleAttrName = "qtarget.target";
    /// Whether the machine has the LLVM feature `name`.
    bool hasFeature(::llvm::StringRef name) const;
    /// The target of the module that holds `op`, or null.
    static TargetAttr lookup(::mlir::Operation *op);
  }];
}

def QTarget_ScheduleAttr : QTarget_Attr<"Schedule", "schedule"> {
  let summary = "How a packed matmul is cut into register tiles and blocks";
  let description = [{
    `rows` is the largest number of rows whose accumulators stay in registers,
    `blockM` the rows that are computed before the next ones are looked at (their
    part of the left operand stays in L2), `blockK` the elements along K that
    are multiplied before the next ones (that part of one panel of the right
    operand stays in L1). The columns of a tile are those of the packed right
    operand. 0 means that the dimension is not cut.

    A pass chooses the schedule from the target's caches; one that is written by
    hand, or by a tuner, is followed.

    Example:

    ```mlir
    #qtarget.schedule<rows = 6, blockM = 252, blockK = 512>
    ```
  }];
  let parameters = (ins "int64_t":$rows, "int64_t":$blockM, "int64_t":$blockK);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

#endif // QUANT_TARGET_IR_QTARGET_TD
