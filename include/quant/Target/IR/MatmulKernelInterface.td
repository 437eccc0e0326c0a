//===- MatmulKernelInterface.td - what a kernel is --------*- tablegen -*-===//

#ifndef QUANT_TARGET_IR_MATMULKERNELINTERFACE_TD
#define QUANT_TARGET_IR_MATMULKERNELINTERFACE_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/Interfaces.td"

def QTarget_MatmulKernelInterface : AttrInterface<"MatmulKernelInterface"> {
  let cppNamespace = "::quantmlir::qtarget";
  let description = [{
    A kernel for integer matmuls: which operands it reads in which layout, on
    which machines, and how it is emitted. Every target has an attribute class
    that implements this (`#qtarget.x86<vpdpbusd_512>`); a packed matmul carries
    the attribute of the kernel that computes it, and passes ask nothing else
    about the machine. KernelRow.h has what is data.

    The models are IREE's inner-tiled attributes and KleidiAI's micro-kernels,
    objects that say types, packing, tile and instruction set.
  }];
  let methods = [
    InterfaceMethod<[{
        Shape, operand types, layouts, what a machine must have.
      }],
      "const ::quantmlir::qtarget::KernelRow &", "getRow">,
    InterfaceMethod<[{
        Whether `target` has the kernel's instructions.
      }],
      "bool", "isLegalOn", (ins "::quantmlir::qtarget::TargetAttr":$target),
      /*methodBody=*/"",
      /*defaultImplementation=*/"return $_attr.getRow().isLegalOn(target);">,
    InterfaceMethod<[{
        Why the kernel does not compute `matmul` on `target`; empty where it
        does. The one text for packing, verifiers and remarks.
      }],
      "::std::string", "whyNot",
      (ins "const ::quantmlir::qtarget::MatmulFacts &":$matmul,
           "::quantmlir::qtarget::TargetAttr":$target),
      /*methodBody=*/"", /*defaultImplementation=*/[{
        return ::quantmlir::qtarget::explainKernel($_attr.getRow(), matmul,
                                                   target);
      }]>,
    InterfaceMethod<[{
        The tile of a matmul of `m` rows and `n` columns (or
        ShapedType::kDynamic); `nibbles`: the weight's elements are unpacked
        from 4 bits.
      }],
      "::quantmlir::qtarget::RegisterTile", "chooseTile",
      (ins "int64_t":$m, "int64_t":$n, "bool":$nibbles)>,
    InterfaceMethod<[{
        The tile of a grouped matmul whose groups have `group` elements along K:
        rows and panels of columns.
      }],
      "::quantmlir::qtarget::RegisterTile", "chooseGroupedTile",
      (ins "int64_t":$group, "::quantmlir::qtarget::TargetAttr":$target),
      /*methodBody=*/"", /*defaultImplementation=*/"return {1, 1};">,
    InterfaceMethod<[{
        How the loops around a tile are cut; null where the emission decides.
      }],
      "::quantmlir::qtarget::ScheduleAttr", "chooseSchedule",
      (ins "::quantmlir::qtarget::RegisterTile":$tile,
           "::quantmlir::qtarget::TargetAttr":$target, "int64_t":$m,
           "int64_t":$k),
      /*methodBody=*/"", /*defaultImplementation=*/"return {};">,
    InterfaceMethod<[{
        `acc` plus the products of `lhs` and `rhs`, as vectors of one step
        (`[m][n]`, `[m][k]` and `[n][k]`, the accumulators in the kernel's own
        order); null where the kernel is none of vectors. Grouped matmuls
        give the weight as `lhs`: where signs differ, it is the unsigned one.
        Of vectors of bf16 (`multipliesPairs`) each two neighbours are
        multiplied and both products added to a lane of f32, subnormal numbers
        being 0.
      }],
      "::mlir::Value", "multiplyAccumulate",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::Location":$loc,
           "::mlir::Value":$acc, "::mlir::Value":$lhs, "::mlir::Value":$rhs),
      /*methodBody=*/"", /*defaultImplementation=*/"return {};">,
    InterfaceMethod<[{
        For each i32 of `indices` the one of the 16 floats of `table` that its
        low four bits number, the others being anything; of i16, the one of 32
        bf16 that the low five number. Null where no instruction does that.
      }],
      "::mlir::Value", "lookUp",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::Location":$loc,
           "::mlir::Value":$table, "::mlir::Value":$indices),
      /*methodBody=*/"", /*defaultImplementation=*/"return {};">,
    InterfaceMethod<[{
        For the low and for the high four bits of each of `bytes` the one of the
        16 bytes of `table` that they number, as two vectors like `bytes`; empty
        where no instruction of `target` (or null) does that.
      }],
      "::llvm::SmallVector<::mlir::Value>", "lookUpNibbles",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::Location":$loc,
           "::llvm::ArrayRef<int8_t>":$table, "::mlir::Value":$bytes,
           "::quantmlir::qtarget::TargetAttr":$target),
      /*methodBody=*/"", /*defaultImplementation=*/"return {};">,
    InterfaceMethod<[{
        Of an instruction of several rows: which of the lanes of `[m][n]`
        accumulators each lane of its own has. Empty where those are in order.
      }],
      "::llvm::SmallVector<int64_t>", "getAccumulatorOrder", (ins),
      /*methodBody=*/"", /*defaultImplementation=*/"return {};">,
    InterfaceMethod<[{
        Replaces `op`, a packed matmul on memrefs that carries this kernel, by
        the code that computes it; `functions` has what several of a module
        share. Fails with a diagnostic at the op.
      }],
      "::llvm::LogicalResult", "emit",
      (ins "::mlir::RewriterBase &":$rewriter, "::mlir::Operation *":$op,
           "::quantmlir::qtarget::KernelFunctions &":$functions)>
  ];
}

/// A kernel as the attribute of an op.
def QTarget_KernelAttr
    : Attr<CPred<"::llvm::isa<::quantmlir::qtarget::MatmulKernelInterface>($_self)">,
           "a matmul kernel of a target"> {
  let storageType = "::quantmlir::qtarget::MatmulKernelInterface";
  let returnType = "::quantmlir::qtarget::MatmulKernelInterface";
  let convertFromStorage = "$_self";
}

#endif // QUANT_TARGET_IR_MATMULKERNELINTERFACE_TD
