//===- Passes.td - conversions out of the quant dialect ----*- tablegen -*-===//

#ifndef QUANT_CONVERSION_PASSES_TD
#define QUANT_CONVERSION_PASSES_TD

include "mlir/Pass/PassBase.td"

def ConvertQuantToLinalgPass : Pass<"convert-quant-to-linalg", "::mlir::ModuleOp"> {
  let summary = "The reference lowering of every op on tensors to linalg and arith";
  let description = [{
    Lowers each operation by the formula in its documentation to
    `linalg.generic` with `arith` and `math` bodies, one step a line: the
    oracle that every other lowering is compared with, and the `generic`
    target's lowering. `quant.packed_matmul` is lowered too, so that the
    packed layouts can be run on any machine.

    Example:

    ```mlir
    %q = quant.quantize %x scale(%s : tensor<f32>) axes = [] range = [-128, 127]
           : tensor<4xf32> -> tensor<4xi8>
    // becomes a linalg.generic over
    %0 = arith.divf %x, %s : f32
    %1 = math.roundeven %0 : f32
    ...
    ```
  }];
  let options = [
    Option<"packedMatmul", "packed-matmul", "bool", "true",
           "Lower quant.packed_matmul too; a target that emits it says false">
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
    "::mlir::tensor::TensorDialect"];
}

#endif // QUANT_CONVERSION_PASSES_TD
