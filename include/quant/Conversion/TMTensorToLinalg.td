//===- TMTensorToLinalg.td - torch-mlir's ops beside linalg *- tablegen -*-===//

#ifndef QUANT_CONVERSION_TMTENSORTOLINALG_TD
#define QUANT_CONVERSION_TMTENSORTOLINALG_TD

include "mlir/Pass/PassBase.td"

def ConvertTMTensorToLinalgPass
    : Pass<"convert-tm-tensor-to-linalg", "::mlir::ModuleOp"> {
  let summary = "torch-mlir's ops beside linalg, to linalg and loops";
  let description = [{
    `tm_tensor.attention` becomes two `linalg.batch_matmul` with a softmax between
    them, which are imported and reported as any other products; `scan` and
    `scatter` become loops of `scf.for` over elements, in place where the tensors
    are.

    Example:

    ```mlir
    %y = tm_tensor.attention ins(%q, %k, %v : tensor<9x1x64xf32>, tensor<9x256x64xf32>, tensor<9x256x64xf32>)
           outs(%o : tensor<9x1x64xf32>) -> tensor<9x1x64xf32>
    // becomes
    %t = linalg.transpose ins(%k : tensor<9x256x64xf32>) outs(...) permutation = [0, 2, 1]
    %w = linalg.batch_matmul ins(%q, %t : tensor<9x1x64xf32>, tensor<9x64x256xf32>) ...
    ... // / 8, softmax
    %y = linalg.batch_matmul ins(%s, %v : tensor<9x1x256xf32>, tensor<9x256x64xf32>) ...
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
    "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect"];
}

#endif // QUANT_CONVERSION_TMTENSORTOLINALG_TD
