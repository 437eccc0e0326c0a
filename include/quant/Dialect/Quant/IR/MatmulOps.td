//===- MatmulOps.td - integer matmuls, plain and packed ----*- tablegen -*-===//

#ifndef QUANT_DIALECT_QUANT_IR_MATMULOPS_TD
#define QUANT_DIALECT_QUANT_IR_MATMULOPS_TD

include "quant/Dialect/Quant/IR/QuantExtBase.td"
include "quant/Dialect/Quant/IR/QuantEnums.td"
include "quant/Target/IR/MatmulKernelInterface.td"
include "quant/Target/IR/QTarget.td"

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

def QuantExt_PackedMatmulOp : QuantExt_Op<"packed_matmul", [
    AttrSizedOperandSegments, DestinationStyleOpInterface,
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "Integer matmul on operands packed for one instruction";
  let description = [{
    A matmul whose operands are tiled and packed for `kernel`, with its
    corrections and rescaling fused, so that the i32 accumulator need not go
    to memory. `rhs` is `[N/NR][K/KR][NR][KR]`, padded with zeros; every vector
    over columns is packed the same way, `[N/NR][NR]`. A vector instruction
    reads `lhs` as it is, `[M, K]`; the tiles of AMX and the kernels of GPUs
    have it packed, `[M/MR][K/KR][MR][KR]`. `init` is the plain `[M, N]` result
    and is overwritten, not accumulated into; its sizes say what is padding.

    ```
    t = sum_k lhs[m, k] * rhs[n, k]                               (i32, wraps)
    t = t + col_bias[n] + sum_r row_factors[r, m] * col_factors[r, n]
    no rescale:   t                                         (an i32 result)
    float:        as quant.rescale with row_scale, channel_scale, bias,
                  residual, clamps; for an integer zero_point and range
    fixed point:  as quant.rescale_fixed_point with multiplier, shift,
                  rounding, zero_point (the output's) and range
    ```

    `lhs` elements are read as the kernel's left operand (u8 for
    `vpdpbusd`, i16 for `vpmaddwd`), `rhs` elements as its right (s8); the tile
    instructions of AMX have a row for each pair of signs. Their KR is 64 on the
    left and 4 on the right, MR and NR are those of one tile register.
    With `nibbles`, a byte of `rhs` holds two 4-bit elements, [-8, 7]: `rhs` is
    `[N/NR][K/2KR][NR][KR]`, whose low nibbles are the first KR elements of a
    step along K and whose high ones are the other KR.
    `schedule` says how the loops are cut; without it the lowering chooses.
    `row_factors` is `[R, M]`, `col_factors` `[R, N/NR, NR]`: the rank-R
    correction that run-time zero points need.

    The op stands on tensors or, after bufferization, on memrefs.

    Constraints:
    * (C1) `rhs` has rank 4 with static inner tiles, and its KR is the
      kernel's. `lhs` has rank 2 and its K makes `rhs`'s K/KR tiles; where
      it is packed it has rank 4 with static inner tiles, the kernel's KR,
      and the padded K of `rhs`.
    * (C2) NR is a multiple of the kernel's N, at most 64 times it.
    * (C3) `lhs` and `rhs` elements are those of the kernel's row, the
      corrections i32, the scales f32.
    * (C4) `init` is `[M, N]` with M, or `ceil(M/MR)`, and `ceil(N/NR)` the
      outer sizes.
    * (C5) column vectors are `[N/NR, NR]`; `row_factors` `[R, M]` and
      `col_factors` `[R, N/NR, NR]` stand together, R static.
    * (C6) without a `multiplier` an i32 result has no scales, bias, residual or
      clamps; a float or 8-bit result has at least one scale, `row_scale` of
      rank 0 or `[M]`, `channel_scale` of rank 0 or `[N/NR, NR]`.
    * (C7) `zero_point` and `range` stand with an integer result only; an 8-bit
      one, and any with a `multiplier`, needs `range`.
    * (C8) for a tile instruction MR is at most its M and NR is its N.
    * (C9) `multiplier` (i32), `shift` (i8) and `rounding` stand together, both
      vectors of rank 0 or both `[N/NR, NR]`, with an i8, i16 or i32 result,
      and without scales, bias, residual and clamps.
    * (C10) `residual` is f32 of `init`'s shape and stands with a float result.
    * (C11) `nibbles` is for vector instructions, which read `lhs` as it is.
    * (C12) operands are all tensors or all memrefs.

    Example:

    ```mlir
    %y = quant.packed_matmul #qtarget.x86<vpdpbusd_512>
           ins(%a, %b : tensor<128x384xi8>, tensor<32x96x48x4xi8>)
           col_bias(%c : tensor<32x48xi32>)
           row_scale(%sx : tensor<128xf32>)
           channel_scale(%sw : tensor<32x48xf32>)
           outs(%e : tensor<128x1536xf32>) -> tensor<128x1536xf32>
    ```
  }];
  let arguments = (ins
      QTarget_KernelAttr:$kernel,
      AnyTypeOf<[AnyRankedTensor, AnyMemRef]>:$lhs,
      AnyTypeOf<[AnyRankedTensor, AnyMemRef]>:$rhs,
      Optional<AnyTypeOf<[AnyRankedTensor, AnyMemRef]>>:$col_bias,
      Optional<AnyTypeOf<[AnyRankedTensor, AnyMemRef]>>:$row_factors,
      Optional<AnyTypeOf<[AnyRankedTensor, AnyMemRef]>>:$col_factors,
      Optional<AnyTypeOf<[AnyRankedTensor, AnyMemRef]>>:$row_scale,
      Optional<AnyTypeOf<[AnyRankedTensor, AnyMemRef]>>:$channel_scale,
      Optional<AnyTypeOf<[AnyRankedTensor, AnyMemRef]>>:$bias,
      Optional<AnyTypeOf<[AnyRankedTensor, AnyMemRef]>>:$residual,
      Optional<AnyTypeOf<[AnyRankedTensor, AnyMemRef]>>:$multiplier,
      Optional<AnyTypeOf<[AnyRankedTensor, AnyMemRef]>>:$shift,
      AnyTypeOf<[AnyRankedTensor, AnyMemRef]>:$init,
      OptionalAttr<I32Attr>:$zero_point,
      OptionalAttr<DenseI64ArrayAttr>:$range,
      OptionalAttr<F32Attr>:$clamp_min,
      OptionalAttr<F32Attr>:$clamp_max,
      UnitAttr:$is_unsigned,
      OptionalAttr<QuantExt_RoundingMode>:$rounding,
      OptionalAttr<QTarget_ScheduleAttr>:$schedule,
      UnitAttr:$rhs_nibbles);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = [{
    $kernel `ins` `(` $lhs `,` $rhs `:` type($lhs) `,` type($rhs) `)`
    (`col_bias` `(` $col_bias^ `:` type($col_bias) `)`)?
    (`row_factors` `(` $row_factors^ `:` type($row_factors) `)`)?
    (`col_factors` `(` $col_factors^ `:` type($col_factors) `)`)?
    (`row_scale` `(` $row_scale^ `:` type($row_scale) `)`)?
    (`channel_scale` `(` $channel_scale^ `:` type($channel_scale) `)`)?
    (`bias` `(` $bias^ `:` type($bias) `)`)?
    (`residual` `(` $residual^ `:` type($residual) `)`)?
    (`multiplier` `(` $multiplier^ `:` type($multiplier) `)`)?
    (`shift` `(` $shift^ `:` type($shift) `)`)?
    (`rounding` `(` $rounding^ `)`)?
    `outs` `(` $init `:` type($init) `)` (`unsigned` $is_unsigned^)?
    (`nibbles` $rhs_nibbles^)? attr-dict (`->` type($results)^)?
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() {
      return getInitMutable();
    }
    /// Whether `lhs` is `[M, K]`, as it came.
    bool hasPlainLhs() {
      return ::llvm::cast<::mlir::ShapedType>(getLhs().getType()).getRank() == 2;
    }
    /// Elements along K of a column in one step of `rhs`.
    int64_t getStepSize() {
      int64_t bytes =
          ::llvm::cast<::mlir::ShapedType>(getRhs().getType()).getDimSize(3);
      return getRhsNibbles() ? 2 * bytes : bytes;
    }
    /// What follows the sums and their corrections.
    enum class Epilogue { None, Float, FixedPoint };
    Epilogue getEpilogue() {
      if (getMultiplier())
        return Epilogue::FixedPoint;
      return getRowScale() || getChannelScale() ? Epilogue::Float
                                                : Epilogue::None;
    }
    /// Operands that are packed in panels of columns like `rhs`, `[N/NR, NR]`,
    /// where they are there and not of rank 0.
    ::llvm::SmallVector<::mlir::Value> getColumnVectors();
  }];
  let hasVerifier = 1;
}

#endif // QUANT_DIALECT_QUANT_IR_MATMULOPS_TD
