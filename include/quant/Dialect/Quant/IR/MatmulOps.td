//===- MatmulOps.td - the integer matmul -------------------*- tablegen -*-===//

#ifndef QUANT_DIALECT_QUANT_IR_MATMULOPS_TD
#define QUANT_DIALECT_QUANT_IR_MATMULOPS_TD

include "quant/Dialect/Quant/IR/QuantExtBase.td"

def QuantExt_MatmulOp : QuantExt_Op<"matmul", [Pure, AttrSizedOperandSegments,
    DestinationStyleOpInterface,
    QuantExt_Tiling]> {
  let summary = "Integer matrix multiplication with i32 accumulation";
  let description = [{
    ```
    result[b.., m, n] = init[b.., m, n] +
        sum_k (lhs[b.., m, k] - lhs_zp[b.., m]) * (rhs[k, n] - rhs_zp[n])
    ```

    `lhs` is `[B.., M, K]`. `rhs` is `[K, N]`, or `[N, K]` with
    `transpose_rhs`, for every batch alike, or has the same leading batch
    dimensions as `lhs` (`[B.., K, N]`). Zero points are one number
    (`tensor<i32>`), or one for each row of `lhs` (`[B.., M]`) and each column
    of the result (`[N]`, or `[B.., N]` with a batched `rhs`). Elements are 8
    or 4 bits, each side of its own width, read as signed, or as unsigned with
    `lhs_unsigned` and `rhs_unsigned`.

    The loops are `b.., m, n` (parallel) and `k` (reduction), in this order, for
    upstream's tiling: a tile takes slices of the operands and of `init`.

    Sums wrap modulo 2^32. The *true* result must fit in i32; the pass
    `quant-verify-stage` proves it from K, the ranges and the zero points, or
    refuses the op.

    Constraints:
    * (C1) `lhs` has rank >= 2, and `rhs` has rank 2 or the rank of `lhs`.
    * (C2) the contracted dimensions agree.
    * (C3) batch dimensions of a batched `rhs` agree with those of `lhs`.
    * (C4) `init` is `[B.., M, N]`.
    * (C5) `lhs_zero_point` is rank 0 or `[B.., M]`.
    * (C6) `rhs_zero_point` is rank 0 or one for each column.
    * (C7) a static K does not overflow i32 for the stored types' whole range
      around a zero zero point (K * max|lhs| * max|rhs| <= 2^31 - 1).
    * (C8) constant zero points lie in the range of their operand's type.

    Example:

    ```mlir
    %acc = quant.matmul ins(%x, %w : tensor<?x384xi8>, tensor<1536x384xi8>)
             lhs_zero_point(%zx : tensor<?xi32>)
             outs(%zero : tensor<?x1536xi32>) {transpose_rhs}
             -> tensor<?x1536xi32>
    ```
  }];
  let arguments = (ins QuantExt_StoredTensor:$lhs, QuantExt_StoredTensor:$rhs,
                       Optional<QuantExt_ZeroPointTensor>:$lhs_zero_point,
                       Optional<QuantExt_ZeroPointTensor>:$rhs_zero_point,
                       QuantExt_AccTensor:$init,
                       UnitAttr:$transpose_rhs, UnitAttr:$lhs_unsigned,
                       UnitAttr:$rhs_unsigned);
  let results = (outs QuantExt_AccTensor:$result);
  let assemblyFormat = [{
    `ins` `(` $lhs `,` $rhs `:` type($lhs) `,` type($rhs) `)`
    (`lhs_zero_point` `(` $lhs_zero_point^ `:` type($lhs_zero_point) `)`)?
    (`rhs_zero_point` `(` $rhs_zero_point^ `:` type($rhs_zero_point) `)`)?
    `outs` `(` $init `:` type($init) `)` attr-dict `->` type($result)
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() {
      return getInitMutable();
    }
    /// Number of leading batch dimensions of the result.
    int64_t getNumBatchDims() {
      return getLhs().getType().getRank() - 2;
    }
    /// Whether `rhs` has batch dimensions of its own.
    bool hasBatchedRhs() {
      return getNumBatchDims() > 0 && getRhs().getType().getRank() > 2;
    }
    /// Index of the contracted dimension in `rhs`.
    int64_t getRhsKDim() {
      return getRhs().getType().getRank() - (getTransposeRhs() ? 1 : 2);
    }
    /// Index of the column dimension in `rhs`.
    int64_t getRhsNDim() {
      return getRhs().getType().getRank() - (getTransposeRhs() ? 2 : 1);
    }
    /// Static size of the contracted dimension where either operand has it,
    /// else dynamic.
    int64_t getK();
  }];
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
}

#endif // QUANT_DIALECT_QUANT_IR_MATMULOPS_TD
