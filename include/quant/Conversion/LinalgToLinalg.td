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

def QuantFuseAttentionPass
    : Pass<"quant-fuse-attention", "::mlir::ModuleOp"> {
  let summary = "Compute what stands between two products of activations in tiles of rows";
  let description = [{
    Where the left operand of a product with batch dimensions (heads) comes, by
    `linalg` ops on whole tensors that nobody else reads, from another product, all
    of them are computed for some rows of one head at a time, in an `scf.forall`
    (upstream's tiling and fusion). Scale, mask and softmax of attention then find
    the scores in a cache, and no tensor of all scores is stored. A tile has so
    many rows that its weights take `tile-bytes`, 8 to 64. Reshapes in between
    (merged heads) become loops of the ops. Each number is computed as before, to
    the bit.

    Weights of fewer than `min-bytes` in all (`tile-bytes`, where only the run knows
    how many heads there are) stay in the caches anyway and are left alone, as are
    those of one row a head, and those that something else reads.

    Example:

    ```mlir
    %s = linalg.batch_matmul ins(%q, %k : tensor<12x512x64xf32>, tensor<12x64x512xf32>) ...
    %e = linalg.generic ... math.exp ...        // of %s
    %y = linalg.batch_matmul ins(%e, %v : tensor<12x512x512xf32>, tensor<12x512x64xf32>) ...
    // becomes
    %y = scf.forall (%head, %row) = (0, 0) to (12, 512) step (1, 32) shared_outs(...) {
      %sr = linalg.batch_matmul ins(%qr, %kh : tensor<1x32x64xf32>, tensor<1x64x512xf32>) ...
      %er = linalg.generic ... math.exp ...
      %yr = linalg.batch_matmul ins(%er, %vh : tensor<1x32x512xf32>, tensor<1x512x64xf32>) ...
      ...
    }
    ```
  }];
  let options = [
    Option<"minBytes", "min-bytes", "int64_t", "524288",
           "Fewest bytes of all weights of one attention">,
    Option<"tileBytes", "tile-bytes", "int64_t", "65536",
           "Bytes of the weights of a tile">
  ];
  let statistics = [
    Statistic<"numFused", "num-fused", "Products fused with those before them">
  ];
  let dependentDialects = ["::mlir::affine::AffineDialect",
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect"];
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
