//===- PackedMatmulOp.td - matmuls in the packed stage -----*- tablegen -*-===//

#ifndef QUANT_TARGET_IR_PACKEDMATMULOP_TD
#define QUANT_TARGET_IR_PACKEDMATMULOP_TD

include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "quant/Dialect/Quant/IR/QuantEnums.td"
include "quant/Target/IR/MatmulKernelInterface.td"
include "quant/Target/IR/QTarget.td"

def QTarget_Shaped : AnyTypeOf<[AnyRankedTensor, AnyMemRef]>;

def QTarget_PackedMatmulOp : Op<QTarget_Dialect, "packed_matmul", [
    AttrSizedOperandSegments, DestinationStyleOpInterface,
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "Integer matmul on operands packed for one kernel";
  let description = [{
    A matmul whose operands are tiled and packed, with its corrections and
    rescaling fused, so that the i32 sums need not go to memory. `layout` says
    how `lhs` and `rhs` lie and how their elements are read; what the op
    computes follows from it and the operands, on every machine alike. `kernel`
    says what computes it, and limits what may stand there (C12 to C14).

    Every vector over columns is packed in panels like `rhs`, `[N/NR, NR]`, and
    padded with anything: `init` is the plain `[M, N]` result, and its sizes say
    what is padding. It is overwritten, not accumulated into. Along K, `lhs` and
    `rhs` are padded with elements of which one of each pair is 0.

    Without groups (a `quant.matmul` and its rescale):

    ```
    t = sum_k lhs[m, k] * rhs[n, k]                               (i32, wraps)
    t = t + col_bias[n] + sum_r row_factors[r, m] * col_factors[r, n]
    no rescale:   t                                         (an i32 result)
    float:        as quant.rescale with row_scale, channel_scale, bias,
                  residual, clamps; for an integer zero_point and range
    fixed point:  as quant.rescale_fixed_point with multiplier, shift,
                  rounding, zero_point (the output's) and range
    ```

    With groups of G elements along K (a `quant.scaled_matmul`), values for each
    group of a row are `[M, K/G]`, and of a column `[N/NR, K/G, NR]`. Each term
    is there where its operands are:

    ```
    t = 0
    for g, ascending:
      acc = sum_{k in g} lhs[m, k] * rhs[n, k]                    (i32, wraps)
      acc = acc + row_bias[m, g]
                + sum_r row_factors[r, m, g] * col_factors[r, n, g]
                - rhs_zero_point[n, g] * sum_{k in g} lhs[m, k]
                - lhs_zero_point[m] * rhs_sums[n, g]
      t = fma(f32(acc), lhs_scale[m, g] * rhs_scale[n, g], t)
      t = fma(f32(row_sums[m, g]), lhs_scale[m, g] * rhs_offset[n, g], t)
    y = t * row_scale[m];  y = y + bias[n]
    ```

    The f32 steps, the products of two scales among them, are rounded once each,
    in this order; a result of f16 or bf16 is rounded once more. There are two ways to correct for zero points, and a
    kernel takes one of them: `row_bias` and the factors, whose rows a pass over
    the activations has summed, or the zero points, for a kernel that sums
    activations while it multiplies. `rhs_sums` are then those of
    `rhs - rhs_zero_point` over a group, of as many elements as the program has.

    With groups and a `lhs` of `f32` (a weight-only scheme), the weight is
    widened where it is multiplied, and only `rhs_zero_point`, of groups or one
    for all of them (rank 0), `rhs_offset`, `row_sums` (f32) and `bias` may stand:

    ```
    t = 0
    for g, ascending:
      acc = sum_{k in g} lhs[m, k] * f32(rhs[n, k] - rhs_zero_point[n, g])  (f32)
      t = fma(acc, rhs_scale[n, g], t)
      t = fma(row_sums[m, g], rhs_offset[n, g], t)
    y = t;  y = y + bias[n]
    ```

    The order of the sum over a group is the kernel's, the same in every call;
    a product may be rounded before it is added, or not.

    The op stands on tensors or, after bufferization, on memrefs. `schedule`
    says how the loops are cut; without it the lowering chooses.

    Constraints:
    * (C1) `lhs` and `rhs` have the shapes of `layout`, with static tiles (and,
      with groups, static K), and its elements; 4-bit ones may be i4, or two in
      an i8, 2-bit ones are four in an i8.
    * (C2) `lhs` and `rhs` have one padded K; rows of `lhs` that are as they
      came may be longer than groups.
    * (C3) `init` is `[M, N]` with M, or `ceil(M/MR)`, and `ceil(N/NR)` the
      outer sizes of `lhs` and `rhs`.
    * (C4) corrections, zero points and sums are i32 (`row_sums` f32 with a float
      `lhs`), scales, offsets, bias and residual f32; `rhs_scale` may be f16 or
      bf16 for a kernel that widens it as it is loaded, exactly. Zero points of a
      weight of fewer than 8 bits are numbers that its stored elements may be,
      which kernels rely on.
    * (C5) `col_bias` and `bias` are `[N/NR, NR]`; `row_factors` `[R, M]` and
      `col_factors` `[R, N/NR, NR]` stand together, R static.
    * (C6) `rhs_scale` is there with groups and only with them; so are, where
      they are, `rhs_offset`, `rhs_zero_point` and `rhs_sums`,
      `[N/NR, K/G, NR]`, `lhs_scale`, `row_bias` and `row_sums`, `[M, K/G]`, and
      `lhs_zero_point`, rank 0 or `[M]`. The factors are then `[R, M, K/G]` and
      `[R, N/NR, K/G, NR]`.
    * (C7) `row_sums` and `rhs_offset`, `lhs_zero_point` and `rhs_sums` stand
      together.
    * (C8) with groups the result is f32, f16 or bf16 and there are no
      `col_bias`, `channel_scale`, `residual`, `multiplier`, `shift`,
      `rounding`, `zero_point`, `range`, clamps and `unsigned`.
    * (C9) without groups and `multiplier` an i32 result has no scales, bias,
      residual or clamps; a float or 8-bit result has at least one scale,
      `row_scale` of rank 0 or `[M]`, `channel_scale` of rank 0 or `[N/NR, NR]`.
      `zero_point` and `range` stand with an integer result only; an 8-bit one,
      and any with a `multiplier`, needs `range`.
    * (C10) `multiplier` (i32), `shift` (i8) and `rounding` stand together, both
      vectors of rank 0 or both `[N/NR, NR]`, with an i8, i16 or i32 result,
      and without scales, bias, residual and clamps.
    * (C11) `residual` is f32 of `init`'s shape and stands with a float result.
    * (C12) `layout` is the kernel's, which looks up in a code book if `layout`
      has one; its entries are bytes of the sign that the kernel reads.
    * (C13) NR is a multiple of the kernel's N, at most 64 times it; of a tile
      instruction, MR is at most its M and NR is its N; with groups, NR is what
      the kernel's panels have.
    * (C14) zero points stand for a kernel that sums activations, `row_bias`,
      `row_sums` and factors of groups for one that does not; for one of float
      activations none of these but `rhs_zero_point`, which may then be of rank
      0, and `row_sums`, and no `row_scale` or `lhs_scale`. It has groups.
    * (C15) operands are all tensors or all memrefs.

    Example:

    ```mlir
    %y = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512>
           layout<lhs = u8, rhs = s8 48x4>
           ins(%a, %b : tensor<128x384xi8>, tensor<32x96x48x4xi8>)
           col_bias(%c : tensor<32x48xi32>)
           row_scale(%sx : tensor<128xf32>)
           channel_scale(%sw : tensor<32x48xf32>)
           outs(%e : tensor<128x1536xf32>) -> tensor<128x1536xf32>
    %z = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512>
           layout<lhs = s8, rhs = u4 16x8, group = 128>
           ins(%x, %w : tensor<?x4096xi8>, tensor<64x32x16x16x4xi8>)
           rhs_scale(%s : tensor<64x32x16xf32>)
           row_bias(%r : tensor<?x32xi32>) row_scale(%sx : tensor<?xf32>)
           outs(%e : tensor<?x1024xf32>) -> tensor<?x1024xf32>
    ```
  }];
  let arguments = (ins
      QTarget_KernelAttr:$kernel,
      QTarget_LayoutAttr:$layout,
      QTarget_Shaped:$lhs,
      QTarget_Shaped:$rhs,
      Optional<QTarget_Shaped>:$rhs_scale,
      Optional<QTarget_Shaped>:$lhs_scale,
      Optional<QTarget_Shaped>:$col_bias,
      Optional<QTarget_Shaped>:$row_bias,
      Optional<QTarget_Shaped>:$row_factors,
      Optional<QTarget_Shaped>:$col_factors,
      Optional<QTarget_Shaped>:$row_sums,
      Optional<QTarget_Shaped>:$rhs_offset,
      Optional<QTarget_Shaped>:$rhs_zero_point,
      Optional<QTarget_Shaped>:$lhs_zero_point,
      Optional<QTarget_Shaped>:$rhs_sums,
      Optional<QTarget_Shaped>:$row_scale,
      Optional<QTarget_Shaped>:$channel_scale,
      Optional<QTarget_Shaped>:$bias,
      Optional<QTarget_Shaped>:$residual,
      Optional<QTarget_Shaped>:$multiplier,
      Optional<QTarget_Shaped>:$shift,
      QTarget_Shaped:$init,
      OptionalAttr<I32Attr>:$zero_point,
      OptionalAttr<DenseI64ArrayAttr>:$range,
      OptionalAttr<F32Attr>:$clamp_min,
      OptionalAttr<F32Attr>:$clamp_max,
      UnitAttr:$is_unsigned,
      OptionalAttr<QuantExt_RoundingMode>:$rounding,
      OptionalAttr<QTarget_ScheduleAttr>:$schedule);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = [{
    $kernel `layout` `` $layout
    `ins` `(` $lhs `,` $rhs `:` type($lhs) `,` type($rhs) `)`
    (`rhs_scale` `(` $rhs_scale^ `:` type($rhs_scale) `)`)?
    (`lhs_scale` `(` $lhs_scale^ `:` type($lhs_scale) `)`)?
    (`col_bias` `(` $col_bias^ `:` type($col_bias) `)`)?
    (`row_bias` `(` $row_bias^ `:` type($row_bias) `)`)?
    (`row_factors` `(` $row_factors^ `:` type($row_factors) `)`)?
    (`col_factors` `(` $col_factors^ `:` type($col_factors) `)`)?
    (`row_sums` `(` $row_sums^ `:` type($row_sums) `)`)?
    (`rhs_offset` `(` $rhs_offset^ `:` type($rhs_offset) `)`)?
    (`rhs_zero_point` `(` $rhs_zero_point^ `:` type($rhs_zero_point) `)`)?
    (`lhs_zero_point` `(` $lhs_zero_point^ `:` type($lhs_zero_point) `)`)?
    (`rhs_sums` `(` $rhs_sums^ `:` type($rhs_sums) `)`)?
    (`row_scale` `(` $row_scale^ `:` type($row_scale) `)`)?
    (`channel_scale` `(` $channel_scale^ `:` type($channel_scale) `)`)?
    (`bias` `(` $bias^ `:` type($bias) `)`)?
    (`residual` `(` $residual^ `:` type($residual) `)`)?
    (`multiplier` `(` $multiplier^ `:` type($multiplier) `)`)?
    (`shift` `(` $shift^ `:` type($shift) `)`)?
    (`rounding` `(` $rounding^ `)`)?
    `outs` `(` $init `:` type($init) `)` (`unsigned` $is_unsigned^)?
    attr-dict (`->` type($results)^)?
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() {
      return getInitMutable();
    }
    /// Whether K is in groups of their own scales.
    bool isGrouped() { return getLayout().getGroup() != 0; }
    /// Whether `lhs` is of floats: only the weight is quantized.
    bool hasFloatLhs() { return getLayout().getLhs().isFloat; }
    /// Whether `lhs` has its rows as they came.
    bool hasPlainLhs() { return !getLayout().getLhs().isTiled(); }
    /// Elements of the layout that one of `rhs` holds.
    int64_t getRhsPerElement() {
      auto rhs = ::llvm::cast<::mlir::ShapedType>(getRhs().getType());
      return rhs.getElementType().isInteger(8) && getRhsBits() < 8
                 ? 8 / getRhsBits()
                 : 1;
    }
    /// Whether bytes of `rhs` hold two elements.
    bool hasNibbles() { return getRhsPerElement() == 2; }
    unsigned getRhsBits() { return getLayout().getRhs().bits; }
    /// Columns of a panel of `rhs`.
    int64_t getNR() { return getLayout().getRhs().rows; }
    /// Elements along K of a column in one step of `rhs`.
    int64_t getStepSize() { return getLayout().getRhs().k; }
    /// Of an op with groups: their number, and the steps of each.
    int64_t getNumGroups() {
      return ::llvm::cast<::mlir::ShapedType>(getRhs().getType()).getDimSize(1);
    }
    int64_t getStepsPerGroup() {
      return getLayout().getGroup() / getStepSize();
    }
    /// What follows the sums and their corrections.
    enum class Epilogue { None, Float, FixedPoint };
    Epilogue getEpilogue() {
      if (getMultiplier())
        return Epilogue::FixedPoint;
      return getRowScale() || getChannelScale() ? Epilogue::Float
                                                : Epilogue::None;
    }
    /// Operands that are packed in panels of columns like `rhs`, `[N/NR, ..]`,
    /// where they are there and not of rank 0.
    ::llvm::SmallVector<::mlir::Value> getColumnVectors();
  }];
  let hasVerifier = 1;
}

#endif // QUANT_TARGET_IR_PACKEDMATMULOP_TD
