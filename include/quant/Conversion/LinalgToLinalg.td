//===- LinalgToLinalg.td - loops fused and ordered ---------*- tablegen -*-===//

#ifndef QUANT_CONVERSION_LINALGTOLINALG_TD
#define QUANT_CONVERSION_LINALGTOLINALG_TD

include "mlir/Pass/PassBase.td"

def QuantFuseElementwisePass
    : Pass<"quant-fuse-elementwise", "::mlir::ModuleOp"> {
  let summary = "Fuse elementwise ops where nothing is computed twice";
  let description = [{
    Fuses an elementwise `linalg.generic` into the one op that reads its
    result, if that op reads each element in one iteration only: another
    elementwise op, or a sum over its elements. Into a product of matrices,
    which reads an element once for every row or column, nothing is fused. A mere
    `arith.extf` is fused into each of several such ops.

    Example: of `exp`, a row sum of it and a product with a matrix,

    ```mlir
    %e = linalg.generic ... math.exp ...       // reads %x
    %s = linalg.generic ... arith.addf ...     // sums %e over its rows
    %p = linalg.generic ... arith.divf ...     // scales another %f by %s
    %y = linalg.matmul ins(%p, %v : ...) ...
    ```

    the first two become one op, and `%p` stays an op of its own.
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect",
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::math::MathDialect", "::mlir::memref::MemRefDialect",
    "::mlir::tensor::TensorDialect"];
}

def QuantOrderContractionLoopsPass
    : Pass<"quant-order-contraction-loops", "::mlir::ModuleOp"> {
  let summary = "Make a contiguous parallel loop the innermost one of a product";
  let description = [{
    Orders the loops of a contraction on memrefs: parallel loops, then the
    sums' loops, then the loop over the result's last dimension, where every
    operand that depends on it is contiguous. Each sum keeps its order, so the
    result is the same to the bit, and the innermost loop can be vectorized
    without reassociation. Other ops are left as they are.

    Example:

    ```mlir
    linalg.matmul ins(%a, %b : memref<4x8xf32>, memref<8x16xf32>)
      outs(%c : memref<4x16xf32>)                         // loops m, n, k
    // becomes
    linalg.generic {indexing_maps = [(m, k, n) -> (m, k), (m, k, n) -> (k, n),
      (m, k, n) -> (m, n)], iterator_types = ["parallel", "reduction",
      "parallel"]} ...
    ```
  }];
  let statistics = [
    Statistic<"numOrdered", "num-ordered", "Products whose loops changed order">
  ];
  let dependentDialects = ["::mlir::affine::AffineDialect",
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::math::MathDialect", "::mlir::memref::MemRefDialect",
    "::mlir::tensor::TensorDialect"];
}

#endif // QUANT_CONVERSION_LINALGTOLINALG_TD
