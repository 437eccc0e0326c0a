//===- Passes.td - AArch64 machines -----------------------*- tablegen -*-===//

#ifndef QUANT_TARGET_ARM_PASSES_TD
#define QUANT_TARGET_ARM_PASSES_TD

include "mlir/Pass/PassBase.td"

def QuantSetArmTargetPass : Pass<"quant-set-arm-target", "::mlir::ModuleOp"> {
  let summary = "Describe the AArch64 machine to compile for on the module";
  let description = [{
    Attaches `qtarget.target` to the module. `cpu=host` asks the machine that
    the compiler runs on; `generic` is any AArch64; any other name is looked up
    in LLVM's table of AArch64 processors, and an unknown one is an error.
    `features` adds (`+name`) and removes (`-name`) architecture extensions.

    Example: `quant-set-arm-target{cpu=neoverse-v1}` gives

    ```mlir
    module attributes {qtarget.target = #qtarget.target<arch = "aarch64",
        cpu = "neoverse-v1", features = ["dotprod", "fma", "i8mm", "neon"], ...>}
    ```
  }];
  let options = [
    Option<"cpu", "cpu", "std::string", "\"host\"",
           "LLVM's name of the CPU, generic, or host">,
    ListOption<"features", "features", "std::string",
               "Extensions to add (+x) or remove (-x)">
  ];
  let dependentDialects = ["::quantmlir::qtarget::QTargetDialect"];
}

#endif // QUANT_TARGET_ARM_PASSES_TD
