//===- Passes.td - packed matmuls to x86 instructions ------*- tablegen -*-===//

#ifndef QUANT_TARGET_X86_PASSES_TD
#define QUANT_TARGET_X86_PASSES_TD

include "mlir/Pass/PassBase.td"

def QuantSetTargetPass : Pass<"quant-set-target", "::mlir::ModuleOp"> {
  let summary = "Describe the machine to compile for on the module";
  let description = [{
    Attaches `qtarget.target` to the module. `cpu=host` asks the machine that
    the compiler runs on; any other name is looked up in LLVM's x86 table, and
    an unknown one is an error. `features` adds (`+name`) and removes (`-name`)
    LLVM features.

    Example: `quant-set-target{cpu=icelake-server}` gives

    ```mlir
    module attributes {qtarget.target = #qtarget.target<cpu = "icelake-server", ...>}
    ```
  }];
  let options = [
    Option<"cpu", "cpu", "std::string", "\"host\"",
           "LLVM's name of the CPU, or host">,
    ListOption<"features", "features", "std::string",
               "LLVM features to add (+x) or remove (-x)">
  ];
  let dependentDialects = ["::quantmlir::qtarget::QTargetDialect"];
}

def ConvertQuantToX86Pass : Pass<"convert-quant-to-x86", "::mlir::ModuleOp"> {
  let summary = "Emit the instructions of quant.packed_matmul on memrefs";
  let description = [{
    Expands each bufferized `quant.packed_matmul` into loops over register
    tiles around a loop over K whose accumulators are vectors carried in
    `iter_args`, with the instruction that the op names
    (`llvm.call_intrinsic`), and the fused corrections and rescaling while the
    tile is in registers. Stores are masked at the edges.

    A matmul for tile registers (AMX) becomes a call of a private function, one
    for all matmuls of the same types: tiles are configured once in a function,
    and two matmuls may need different configurations.
  }];
  let dependentDialects = ["::mlir::amx::AMXDialect",
    "::mlir::func::FuncDialect", "::mlir::arith::ArithDialect",
    "::mlir::LLVM::LLVMDialect", "::mlir::math::MathDialect",
    "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
    "::mlir::vector::VectorDialect"];
}

#endif // QUANT_TARGET_X86_PASSES_TD
