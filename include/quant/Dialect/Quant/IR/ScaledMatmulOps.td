//===- ScaledMatmulOps.td - scales inside the contraction --*- tablegen -*-===//

#ifndef QUANT_DIALECT_QUANT_IR_SCALEDMATMULOPS_TD
#define QUANT_DIALECT_QUANT_IR_SCALEDMATMULOPS_TD

include "quant/Dialect/Quant/IR/QuantExtBase.td"

def QuantExt_ScaledMatmulOp : QuantExt_Op<"scaled_matmul",
    [Pure, AttrSizedOperandSegments, QuantExt_ReifyShapes, QuantExt_Tiling]> {
  let summary = "Matmul with a scale for each group of K";
  let description = [{
    The weight `rhs` is `[N, K]`, quantized in groups of `group_size` = G
    consecutive elements of each row; the last group may be shorter:

    ```
    w[n, k] = rhs_scale[n, k / G] * f32(rhs[n, k] - rhs_zero_point[n, k / G])
              (+ rhs_offset[n, k / G])
    ```

    An integer `lhs` (`[B.., M, K]`) is multiplied as integers, one i32 sum a
    group, which a fused multiply-add brings into the f32 result; groups
    ascend:

    ```
    t = 0
    for g: acc = sum_{k in g} (lhs[m, k] - lhs_zp[m]) * (rhs[n, k] - rhs_zp[n, g])
           t = fma(f32(acc), rhs_scale[n, g], t)
           t = fma(f32(sum_{k in g} (lhs[m, k] - lhs_zp[m])), rhs_offset[n, g], t)
    y = t * row_scale[m];  y = y + bias[n]            (each where it is given)
    ```

    With `lhs_scale` the activations have scales for blocks of `lhs_group_size`
    = Gx consecutive elements of each row, too; the last block may be shorter. A
    sum is then over B = min(G, Gx) elements, and takes both scales at once, by
    their rounded product:

    ```
    for b: acc = sum_{k in b} (lhs[m, k] - lhs_zp[m]) * (rhs[n, k] - rhs_zp[n, k/G])
           s = lhs_scale[m, k / Gx]
           t = fma(f32(acc), s * rhs_scale[n, k / G], t)
           t = fma(f32(sum_{k in b} (lhs[m, k] - lhs_zp[m])),
                   s * rhs_offset[n, k / G], t)
    ```

    The steps after the integer sums are f32, each rounded once, in this order
    on every target. A float `lhs` (a weight-only scheme) has no such promise:
    `y = sum_k f32(lhs[m, k]) * w[n, k] + bias[n]` in f32, in any order. The
    weight is dequantized inside the sum, never stored as floats. A result of
    f16 or bf16 is rounded once more. One group (G >= K) is a scale for each
    channel.

    `lhs_zero_point` and `row_scale` are one number (rank 0) or one for each
    row (`[B.., M]`); blocks have no zero points of their own. `rhs_offset` is
    what formats with a float minimum need (GGUF `Q4_1`).

    `rhs_codebook` makes the 4 bits of an element of `rhs` a number i from 0 to
    15, and the element `rhs_codebook[i]` wherever `rhs[n, k]` stands above: an
    integer of 8 bits. Formats whose elements are multiples of one step are
    products of integers that way:

    | format | `rhs_codebook` | source |
    |---|---|---|
    | E2M1, times 2, of MXFP4 and NVFP4 | 0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12 | OCP Microscaling Formats 1.0, table 5 |
    | IQ4_NL | -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113 | ggml, `kvalues_iq4nl` |
    | NF4, times 127 and rounded | -127, -88, -67, -50, -36, -23, -12, 0, 10, 20, 31, 43, 56, 71, 92, 127 | Dettmers et al., "QLoRA" (2023), appendix E |

    What the table is multiplied by, the scale is divided by.

    The loops are `b.., m, n`, all parallel, for upstream's tiling; a tile has
    all of K.

    Constraints:
    * (C1) `lhs` has rank >= 2 and `rhs` has rank 2.
    * (C2) the contracted dimensions agree.
    * (C3) `group_size` > 0.
    * (C4) `rhs_scale`, `rhs_zero_point` and `rhs_offset` are
      `[N, ceil(K / G)]`.
    * (C5) `lhs_zero_point` and `row_scale` are rank 0 or `[B.., M]`.
    * (C6) `bias` is `[N]`.
    * (C7) the result is `[B.., M, N]`.
    * (C8) a float `lhs` has no `lhs_zero_point`, `row_scale`, `lhs_scale` or
      `lhs_unsigned`.
    * (C9) the sum over one group, or block, does not overflow i32 for the stored types'
      whole range around a zero zero point.
    * (C10) constant scales are finite and > 0; a `rhs_scale` with a
      `rhs_codebook` may also be 0 or negative, as some of IQ4_NL are.
    * (C11) constant zero points lie in the range of their operand's type.
    * (C12) `lhs_scale` and `lhs_group_size` > 0 stand together; `lhs_scale` is
      `[B.., M, ceil(K / Gx)]`.
    * (C13) of `group_size` and `lhs_group_size` one divides the other, or one
      is all of K.
    * (C14) `rhs_codebook` has 16 entries and stands with an `rhs` of i4 only,
      without `rhs_unsigned` and `rhs_zero_point`.

    Example:

    ```mlir
    %y = quant.scaled_matmul ins(%x, %w : tensor<?x4096xi8>, tensor<1024x4096xi4>)
           row_scale(%sx : tensor<?xf32>)
           rhs_scale(%sw : tensor<1024x32xf32>)
           bias(%b : tensor<1024xf32>) {group_size = 128 : i64}
           -> tensor<?x1024xf32>
    %z = quant.scaled_matmul ins(%x, %w : tensor<?x4096xi8>, tensor<1024x4096xi4>)
           rhs_scale(%sw : tensor<1024x32xf32>)
           lhs_scale(%sb : tensor<?x128xf32>)
           {group_size = 128 : i64, lhs_group_size = 32 : i64}
           -> tensor<?x1024xf32>
    %ternary = quant.scaled_matmul ins(%x, %w : tensor<?x4096xi8>, tensor<1024x4096xi2>)
                 row_scale(%sx : tensor<?xf32>)
                 rhs_scale(%sw : tensor<1024x1xf32>)
                 {group_size = 4096 : i64} -> tensor<?x1024xf32>
    %mxfp4 = quant.scaled_matmul ins(%x, %w : tensor<?x4096xi8>, tensor<1024x4096xi4>)
               row_scale(%sx : tensor<?xf32>)
               rhs_scale(%sw : tensor<1024x128xf32>)
               {group_size = 32 : i64,
                rhs_codebook = array<i8: 0, 1, 2, 3, 4, 6, 8, 12,
                                     0, -1, -2, -3, -4, -6, -8, -12>}
               -> tensor<?x1024xf32>
    ```
  }];
  let arguments = (ins
      RankedTensorOf<[I8, QuantExt_I4, F32, F16, BF16]>:$lhs,
      QuantExt_GroupedWeightTensor:$rhs,
      Optional<QuantExt_ZeroPointTensor>:$lhs_zero_point,
      Optional<QuantExt_ScaleTensor>:$row_scale,
      QuantExt_ScaleTensor:$rhs_scale,
      Optional<QuantExt_ZeroPointTensor>:$rhs_zero_point,
      Optional<QuantExt_ScaleTensor>:$rhs_offset,
      Optional<QuantExt_ScaleTensor>:$bias,
      Optional<QuantExt_ScaleTensor>:$lhs_scale,
      I64Attr:$group_size,
      UnitAttr:$lhs_unsigned, UnitAttr:$rhs_unsigned,
      OptionalAttr<I64Attr>:$lhs_group_size,
      OptionalAttr<DenseI8ArrayAttr>:$rhs_codebook);
  let results = (outs QuantExt_FloatTensor:$result);
  let assemblyFormat = [{
    `ins` `(` $lhs `,` $rhs `:` type($lhs) `,` type($rhs) `)`
    (`lhs_zero_point` `(` $lhs_zero_point^ `:` type($lhs_zero_point) `)`)?
    (`row_scale` `(` $row_scale^ `:` type($row_scale) `)`)?
    `rhs_scale` `(` $rhs_scale `:` type($rhs_scale) `)`
    (`rhs_zero_point` `(` $rhs_zero_point^ `:` type($rhs_zero_point) `)`)?
    (`rhs_offset` `(` $rhs_offset^ `:` type($rhs_offset) `)`)?
    (`bias` `(` $bias^ `:` type($bias) `)`)?
    (`lhs_scale` `(` $lhs_scale^ `:` type($lhs_scale) `)`)?
    attr-dict `->` type($result)
  }];
  let builders = [
    // Without scales of blocks of `lhs` and without a code book.
    OpBuilder<(ins "::mlir::Type":$result, "::mlir::Value":$lhs,
        "::mlir::Value":$rhs, "::mlir::Value":$lhs_zero_point,
        "::mlir::Value":$row_scale, "::mlir::Value":$rhs_scale,
        "::mlir::Value":$rhs_zero_point, "::mlir::Value":$rhs_offset,
        "::mlir::Value":$bias, "::mlir::IntegerAttr":$group_size,
        "::mlir::UnitAttr":$lhs_unsigned, "::mlir::UnitAttr":$rhs_unsigned), [{
      build($_builder, $_state, result, lhs, rhs, lhs_zero_point, row_scale,
            rhs_scale, rhs_zero_point, rhs_offset, bias, /*lhs_scale=*/nullptr,
            group_size, lhs_unsigned, rhs_unsigned, /*lhs_group_size=*/nullptr,
            /*rhs_codebook=*/nullptr);
    }]>
  ];
  let extraClassDeclaration = [{
    /// Number of leading batch dimensions of `lhs` and the result.
    int64_t getNumBatchDims() {
      return getLhs().getType().getRank() - 2;
    }
    /// Whether `lhs` is quantized: integer sums, exact to the bit.
    bool hasIntegerLhs() {
      return getLhs().getType().getElementType().isInteger();
    }
    /// Static size of the contracted dimension where either operand has it,
    /// else dynamic.
    int64_t getK();
    /// Elements of the longest integer sum: those of a group, min(G, K), or G
    /// for a dynamic K; or of a shorter block of `lhs`.
    int64_t getLongestGroup();
    /// What elements of `rhs` may be before their zero point is subtracted:
    /// entries of the code book, or integers of the stored type.
    ::quantmlir::StorageRange getRhsRange();
  }];
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
}

#endif // QUANT_DIALECT_QUANT_IR_SCALEDMATMULOPS_TD
