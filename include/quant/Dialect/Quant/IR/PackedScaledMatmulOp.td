//===- PackedScaledMatmulOp.td - packed grouped matmul -----*- tablegen -*-===//

#ifndef QUANT_DIALECT_QUANT_IR_PACKEDSCALEDMATMULOP_TD
#define QUANT_DIALECT_QUANT_IR_PACKEDSCALEDMATMULOP_TD

include "quant/Dialect/Quant/IR/QuantExtBase.td"
include "quant/Target/IR/MatmulKernelInterface.td"
include "quant/Target/IR/QTarget.td"

def QuantExt_AnyShaped : AnyTypeOf<[AnyRankedTensor, AnyMemRef]>;

def QuantExt_PackedScaledMatmulOp : QuantExt_Op<"packed_scaled_matmul", [
    AttrSizedOperandSegments, DestinationStyleOpInterface,
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "Grouped matmul on a weight packed for one instruction";
  let description = [{
    A `quant.scaled_matmul` of integers whose weight is packed for
    `kernel`, a dot product of four bytes or, in the same layout, AMX's tiles
    of signed by unsigned bytes, for which few rows, where only the run knows
    their number, take the vectors' instruction. On a CPU the product is one of
    unsigned by signed bytes, and the weight is the unsigned operand: 4-bit elements are
    stored as nibbles `w + 8` (0 to 15), 8-bit ones as bytes `w + 128`, so that
    unpacking int4 is an `and` and a shift for 128 of them. On a GPU both are
    signed: a nibble in the upper half of a byte is 16 times itself. The
    activations are the signed operand.

    `lhs` is `[M, S]`, S >= K, rows of plain bytes; on a GPU `[M, K/64, 1, 64]`,
    the same rows in blocks. `rhs` is
    `[N/NR][K/G][G/KB][NR][4]` bytes. For 8 bits KB is 4 and byte p of a block
    holds element p; for 4 bits KB is 8, and byte p holds element p in the low
    nibble and element p + 4 in the high one. Padding is anything in columns
    past N, whose results are not stored, and meets zeros of `lhs` past K.
    Values for each group are `[M, K/G]` for rows and `[N/NR][K/G][NR]` for
    columns. `init` is `[M, N]` and is overwritten.

    ```
    t = 0
    for g: acc = sum_{k in g} lhs[m, k] * rhs[n, k]                   (i32, wraps)
           on a CPU: acc += row_bias[m, g]
                            + sum_r row_factors[r, m, g] * col_factors[r, n, g]
           on a GPU: acc -= rhs_zero_point[n, g] * sum_{k in g} lhs[m, k]
                            + lhs_zero_point[m] * rhs_sums[n, g]
           t = fma(f32(acc), rhs_scale[n, g], t)
           t = fma(f32(row_sums[m, g]), rhs_offset[n, g], t)
    y = t * row_scale[m];  y = y + bias[n]            (each where it is given)
    ```

    A zero point costs a CPU a pass over the activations, whose sums are
    `row_factors` or `row_bias`. A GPU's kernel sums them itself, while it
    multiplies; `rhs_sums` are those of `rhs - rhs_zero_point` over a group, of
    as many elements as the program has. `lhs_zero_point` is in the range of
    `lhs`'s type.

    The op stands on tensors or, after bufferization, on memrefs.

    Constraints:
    * (C1) `kernel` is a dot product of unsigned by signed bytes, NR is its
      lanes; or it is `amx_tdpbsud`, and NR is 16; or `dp4a`, and NR is 8.
    * (C2) `rhs_bits` is 4 or 8; `rhs` has rank 5, all but the first size
      static, and its last size is 4.
    * (C3) `lhs` is `[M, S]` with M of `init` and S, static, at least K/G * G.
    * (C4) `init` is `[M, N]` of f32, f16 or bf16, and `rhs` has
      `ceil(N / NR)` panels.
    * (C5) `rhs_scale` and `rhs_offset` are `[N/NR, K/G, NR]` of f32,
      `rhs_zero_point` and `rhs_sums` the same of i32, `col_factors`
      `[R, N/NR, K/G, NR]` of i32, `bias` `[N/NR, NR]` of f32.
    * (C6) `row_bias` and `row_sums` are `[M, K/G]` of i32, `row_factors`
      `[R, M, K/G]` of i32 with static R, `row_scale` rank 0 or `[M]` of f32,
      `lhs_zero_point` rank 0 or `[M]` of i32.
    * (C7) `row_factors` and `col_factors`, `row_sums` and `rhs_offset`,
      `lhs_zero_point` and `rhs_sums` stand together.
    * (C8) With `dp4a` there are no `row_bias`, `row_factors`, `row_sums`;
      without it there are no zero points.
    * (C9) operands are all tensors or all memrefs.

    Example:

    ```mlir
    %y = quant.packed_scaled_matmul #qtarget.x86<vpdpbusd_512> 4
           ins(%x, %w : tensor<?x4096xi8>, tensor<64x32x16x16x4xi8>)
           rhs_scale(%s : tensor<64x32x16xf32>)
           row_bias(%r : tensor<?x32xi32>) row_scale(%sx : tensor<?xf32>)
           outs(%e : tensor<?x1024xf32>) -> tensor<?x1024xf32>
    ```
  }];
  let arguments = (ins
      QTarget_KernelAttr:$kernel,
      I64Attr:$rhs_bits,
      QuantExt_AnyShaped:$lhs, QuantExt_AnyShaped:$rhs,
      QuantExt_AnyShaped:$rhs_scale,
      Optional<QuantExt_AnyShaped>:$row_bias,
      Optional<QuantExt_AnyShaped>:$row_factors,
      Optional<QuantExt_AnyShaped>:$col_factors,
      Optional<QuantExt_AnyShaped>:$row_sums,
      Optional<QuantExt_AnyShaped>:$rhs_offset,
      Optional<QuantExt_AnyShaped>:$rhs_zero_point,
      Optional<QuantExt_AnyShaped>:$lhs_zero_point,
      Optional<QuantExt_AnyShaped>:$rhs_sums,
      Optional<QuantExt_AnyShaped>:$row_scale,
      Optional<QuantExt_AnyShaped>:$bias,
      QuantExt_AnyShaped:$init);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = [{
    $kernel $rhs_bits `ins` `(` $lhs `,` $rhs `:` type($lhs) `,` type($rhs) `)`
    `rhs_scale` `(` $rhs_scale `:` type($rhs_scale) `)`
    (`row_bias` `(` $row_bias^ `:` type($row_bias) `)`)?
    (`row_factors` `(` $row_factors^ `:` type($row_factors) `)`)?
    (`col_factors` `(` $col_factors^ `:` type($col_factors) `)`)?
    (`row_sums` `(` $row_sums^ `:` type($row_sums) `)`)?
    (`rhs_offset` `(` $rhs_offset^ `:` type($rhs_offset) `)`)?
    (`rhs_zero_point` `(` $rhs_zero_point^ `:` type($rhs_zero_point) `)`)?
    (`lhs_zero_point` `(` $lhs_zero_point^ `:` type($lhs_zero_point) `)`)?
    (`rhs_sums` `(` $rhs_sums^ `:` type($rhs_sums) `)`)?
    (`row_scale` `(` $row_scale^ `:` type($row_scale) `)`)?
    (`bias` `(` $bias^ `:` type($bias) `)`)?
    `outs` `(` $init `:` type($init) `)` attr-dict (`->` type($results)^)?
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() {
      return getInitMutable();
    }
    /// The sizes of `rhs`: [N/NR][K/G][G/KB][NR][4].
    int64_t getNumGroups() {
      return ::llvm::cast<::mlir::ShapedType>(getRhs().getType()).getDimSize(1);
    }
    int64_t getStepsPerGroup() {
      return ::llvm::cast<::mlir::ShapedType>(getRhs().getType()).getDimSize(2);
    }
    int64_t getNR() {
      return ::llvm::cast<::mlir::ShapedType>(getRhs().getType()).getDimSize(3);
    }
    /// Elements of K that one step holds: KB.
    int64_t getStepSize() { return 32 / getRhsBits(); }
    /// The greatest magnitude of a product, as a GPU's kernel sums it.
    int64_t getLargestProduct();
  }];
  let hasVerifier = 1;
}

#endif // QUANT_DIALECT_QUANT_IR_PACKEDSCALEDMATMULOP_TD
