//===- ArithToLinalg.td - constants that are filled --------*- tablegen -*-===//

#ifndef QUANT_CONVERSION_ARITHTOLINALG_TD
#define QUANT_CONVERSION_ARITHTOLINALG_TD

include "mlir/Pass/PassBase.td"

def QuantFillSplatsPass : Pass<"quant-fill-splats", "::mlir::ModuleOp"> {
  let summary = "Large constants of one value are computed, and none is copied";
  let description = [{
    Replaces an `arith.constant` of 2^20 equal elements or more by `linalg.fill`.
    LLVM IR lists the elements of a constant one by one, however equal they are;
    as a fill they stay one element until the program runs. A `linalg.fill` that
    several ops write over becomes one for each, which bufferization would copy.

    Example:

    ```mlir
    %0 = arith.constant dense<0.5> : tensor<67108864xf32>
    // becomes
    %c = arith.constant 0.5 : f32
    %e = tensor.empty() : tensor<67108864xf32>
    %0 = linalg.fill ins(%c : f32) outs(%e : tensor<67108864xf32>) ...
    ```
  }];
  let statistics = [
    Statistic<"numFilled", "num-filled", "Constants replaced">
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::tensor::TensorDialect"
  ];
}

#endif // QUANT_CONVERSION_ARITHTOLINALG_TD
