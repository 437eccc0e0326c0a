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

#endif // QUANT_TARGET_X86_PASSES_TD
