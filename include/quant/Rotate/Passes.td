//===- Passes.td - rotate the operands of matmuls ----------*- tablegen -*-===//

#ifndef QUANT_ROTATE_PASSES_TD
#define QUANT_ROTATE_PASSES_TD

include "mlir/Pass/PassBase.td"

def QuantRotatePass : Pass<"quant-rotate", "::mlir::ModuleOp"> {
  let summary = "Rotate activations and constant weights of float matmuls";
  let description = [{
    `x W^T = (x R) (W R)^T` on the float program: activations go through
    `quant.rotate`, constant weights are rotated at compile time, in f64, and
    rounded once. Nothing is quantized: the program's results stay what they
    were, but for the roundings. (`quant-quantize-matmul` with `rotation=` does
    both at once, and needs this pass not.)

    A matmul that is rotated gets a remark. One that is not (no constant weight, one of equal elements, a K
    without a whole block, batches of weights, elements other than f32) gets one
    that says why, and so does a convolution of floats.

    Example, with `rotation=hadamard32`:

    ```mlir
    %y = linalg.matmul ins(%x, %w : tensor<?x96xf32>, tensor<96x64xf32>) ...
    // becomes
    %r = quant.rotate %x size = 32 : tensor<?x96xf32> -> tensor<?x96xf32>
    %y = linalg.matmul indexing_maps = [...]
      ins(%r, %rotated : tensor<?x96xf32>, tensor<64x96xf32>) ...
    ```
  }];
  let options = [
    Option<"rotation", "rotation", "std::string", [{"hadamard32"}],
           "hadamard32 or hadamard128, with `:seed` where signs are turned">
  ];
  let statistics = [
    Statistic<"numRotated", "num-rotated", "Matmuls that are rotated">,
    Statistic<"numSkipped", "num-skipped", "Matmuls left as they were">
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::quant::QuantDialect",
    "::mlir::tensor::TensorDialect"];
}

#endif // QUANT_ROTATE_PASSES_TD
