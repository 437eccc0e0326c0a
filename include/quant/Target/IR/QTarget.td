//===- QTarget.td - target descriptions -------------------*- tablegen -*-===//
//
// Machines and schedules. The kernels of a target are in its own folder.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_TARGET_IR_QTARGET_TD
#define QUANT_TARGET_IR_QTARGET_TD

include "mlir/IR/AttrTypeBase.td"
include "quant/Target/IR/QTargetDialect.td"

class QTarget_Attr<string name, string attrMnemonic>
    : AttrDef<QTarget_Dialect, name> {
  let mnemonic = attrMnemonic;
}

def QTarget_TargetAttr : QTarget_Attr<"Target", "target"> {
  let summary = "A machine: name, instruction-set features, caches, cores";
  let description = [{
    `arch` is LLVM's name of the architecture (the first part of a triple),
    `cpu` that of the processor (`llc -mcpu=`), `features` LLVM's
    names of the instruction-set extensions that matter here, cache sizes are
    in bytes for one core, `cores` is the number of cores a program may use.

    The attribute stands on the module as `qtarget.target` after
    `quant-set-target`, and every later pass asks it. All of its facts can be
    written by hand in a test.

    Example:

    ```mlir
    #qtarget.target<arch = "x86_64", cpu = "icelake-server",
                    features = ["avx2", "avx512vnni", "avx512bw"],
                    l1d = 49152, l2 = 1310720, cores = 2>
    ```
  }];
  let parameters = (ins "::mlir::StringAttr":$arch,
                        "::mlir::StringAttr":$cpu,
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

def QTarget_LayoutAttr : QTarget_Attr<"Layout", "layout"> {
  let summary = "How the operands of a packed matmul lie in memory";
  let description = [{
    `lhs` and `rhs` say how elements are read, `s8` or `u8`, `s4`, `s16`, and
    `f32` of a `lhs` of floats, and the tiles that they are in, as
    `rows x elements along K`. In index notation, with MR x KL the tile of `lhs` and NR x KB that of `rhs`:

    | operand | layout |
    |---|---|
    | `lhs` without tiles | `[M][K]`, as it came |
    | `lhs` in tiles | `[M/MR][K/KL][MR][KL]` |
    | `rhs` | `[N/NR][K/KB][NR][KB]` |
    | `rhs` with a `group` of G elements along K | `[N/NR][K/G][G/KB][NR][KB]` |

    4-bit elements in bytes are two in each: the KB elements of a column in a
    tile are KB/2 bytes, and byte p holds element p in its low nibble and
    element p + KB/2 in its high one. 2-bit ones, of a `rhs` with groups, are four
    in each: byte p of KB/4 holds element p + j KB/4 in its bits 2j and 2j + 1.

    With a `codebook` of 16 integers the four bits of an element of `rhs`, which
    has groups and is `u4`, number the entry that the element is. Entries are
    all of -128 to 127 or all of 0 to 255.

    Example:

    ```mlir
    #qtarget.layout<lhs = u8, rhs = s8 48x4>
    #qtarget.layout<lhs = s8 16x64, rhs = u8 16x4>
    #qtarget.layout<lhs = s8, rhs = u4 16x8, group = 128>
    #qtarget.layout<lhs = f32, rhs = u4 16x8, group = 128>
    #qtarget.layout<lhs = s8, rhs = u4 4x8, group = 32,
                    codebook = [0, 1, 2, 3, 4, 6, 8, 12,
                                0, -1, -2, -3, -4, -6, -8, -12]>
    ```
  }];
  let parameters = (ins
      "::quantmlir::qtarget::OperandTiles":$lhs,
      "::quantmlir::qtarget::OperandTiles":$rhs,
      DefaultValuedParameter<"int64_t", "0">:$group,
      OptionalParameter<"::mlir::DenseI32ArrayAttr">:$codebook);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

#endif // QUANT_TARGET_IR_QTARGET_TD
