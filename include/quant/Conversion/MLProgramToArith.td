//===- MLProgramToArith.td - globals that are constants ----*- tablegen -*-===//

#ifndef QUANT_CONVERSION_MLPROGRAMTOARITH_TD
#define QUANT_CONVERSION_MLPROGRAMTOARITH_TD

include "mlir/Pass/PassBase.td"

def QuantFoldConstantGlobalsPass
    : Pass<"quant-fold-constant-globals", "::mlir::ModuleOp"> {
  let summary = "Loads of globals that nothing changes are constants";
  let description = [{
    Replaces `ml_program.global_load_const`, and `ml_program.global_load` of a
    global that is immutable, or that is private and never stored to, by an
    `arith.constant` of the global's value: the same attribute, once in each
    function. Private globals that are not used any more are erased. A global
    whose value is not in the program (`#ml_program.extern`) stays.

    Example:

    ```mlir
    ml_program.global private @w(dense<...> : tensor<12x7xf32>) : tensor<12x7xf32>
    %w = ml_program.global_load_const @w : tensor<12x7xf32>
    // becomes
    %w = arith.constant dense<...> : tensor<12x7xf32>
    ```
  }];
  let statistics = [
    Statistic<"numFolded", "num-folded", "Loads that are constants">
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect",
    "::mlir::ml_program::MLProgramDialect", "::mlir::tensor::TensorDialect"];
}

#endif // QUANT_CONVERSION_MLPROGRAMTOARITH_TD
