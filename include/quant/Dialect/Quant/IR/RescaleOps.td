//===- RescaleOps.td - float and fixed-point rescale -------*- tablegen -*-===//

#ifndef QUANT_DIALECT_QUANT_IR_RESCALEOPS_TD
#define QUANT_DIALECT_QUANT_IR_RESCALEOPS_TD

include "quant/Dialect/Quant/IR/QuantExtBase.td"
include "quant/Dialect/Quant/IR/QuantEnums.td"

def QuantExt_RescaleOp : QuantExt_Op<"rescale",
    [Pure, AttrSizedOperandSegments, QuantExt_ReifyShapes, QuantExt_Tiling]> {
  let summary = "Rescale an i32 accumulator by a float multiplier";
  let description = [{
    ```
    t = acc[b.., m, n] + bias[n]                    (i32 bias, wraps)
    s = row_scale[b.., m] * channel_scale[n]        (or the one that is there)
    y = f32(t) * s
    y = y + bias[n]                                 (f32 bias)
    y = y + residual[b.., m, n]                     (where given)
    y = minimumf(maximumf(y, clamp_min), clamp_max) (where given, NaN passes)
    result: float    y, truncated to f16 or bf16 where that is the result
            integer  clamp(roundeven(y) + zero_point, qmin, qmax)
    ```

    Every step is f32 with one rounding and no contraction: `f32(t)` is
    inexact above 2^24, and a target that must agree to the bit for larger
    sums uses `quant.rescale_fixed_point`. For an integer result the
    multiplier is `sX * sW / sY`, ties round to even, and `range` holds
    `[qmin, qmax]`. `unsigned` says how an integer result's bits are read.

    `row_scale` is rank 0 or one for each row (`acc`'s shape without its last
    dimension), `channel_scale` rank 0 or `[N]`, `bias` `[N]` of i32 or f32,
    `residual` f32 of `acc`'s shape: what a network adds to a layer's result.

    Constraints:
    * (C1) at least one of `row_scale`, `channel_scale` is there.
    * (C2) `row_scale` is rank 0 or has `acc`'s shape without its last
      dimension.
    * (C3) `channel_scale` is rank 0 or `[N]`.
    * (C4) `bias` is `[N]`.
    * (C5) `acc` and result have the same shape.
    * (C6) `zero_point` and `range` stand with an integer result only; an
      integer result needs `range`, within the stored type's range.
    * (C7) a constant scale is finite and > 0.
    * (C8) `clamp_min <= clamp_max`, neither is NaN.
    * (C9) `residual` has `acc`'s shape and stands with a float result only.

    Example:

    ```mlir
    %y = quant.rescale %acc row_scale(%sx : tensor<?xf32>)
           channel_scale(%sw : tensor<1536xf32>) bias(%b : tensor<1536xf32>)
           : tensor<?x1536xi32> -> tensor<?x1536xf32>
    %q = quant.rescale %acc channel_scale(%m : tensor<1536xf32>)
           {zero_point = 3 : i32, range = array<i64: -128, 127>}
           : tensor<?x1536xi32> -> tensor<?x1536xi8>
    ```
  }];
  let arguments = (ins QuantExt_AccTensor:$acc,
                       Optional<QuantExt_ScaleTensor>:$row_scale,
                       Optional<QuantExt_ScaleTensor>:$channel_scale,
                       Optional<RankedTensorOf<[I32, F32]>>:$bias,
                       Optional<RankedTensorOf<[F32]>>:$residual,
                       OptionalAttr<I32Attr>:$zero_point,
                       OptionalAttr<DenseI64ArrayAttr>:$range,
                       OptionalAttr<F32Attr>:$clamp_min,
                       OptionalAttr<F32Attr>:$clamp_max,
                       UnitAttr:$is_unsigned);
  let results = (outs RankedTensorOf<[F32, F16, BF16, I8, QuantExt_I4]>:$result);
  let assemblyFormat = [{
    $acc (`row_scale` `(` $row_scale^ `:` type($row_scale) `)`)?
    (`channel_scale` `(` $channel_scale^ `:` type($channel_scale) `)`)?
    (`bias` `(` $bias^ `:` type($bias) `)`)?
    (`residual` `(` $residual^ `:` type($residual) `)`)?
    (`unsigned` $is_unsigned^)?
    attr-dict `:` type($acc) `->` type($result)
  }];
  let extraClassDeclaration = [{
    /// `zero_point` as a signed number (its getter gives the bits), 0 if absent.
    int64_t getSignedZeroPoint() {
      return static_cast<int32_t>(getZeroPoint().value_or(0));
    }
  }];
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
}

def QuantExt_RescaleFixedPointOp : QuantExt_Op<"rescale_fixed_point",
    [Pure, QuantExt_ReifyShapes, QuantExt_Tiling]> {
  let summary = "Rescale an integer by a fixed-point multiplier (TOSA RESCALE)";
  let description = [{
    TOSA 1.0 `RESCALE` with `scale32 = true`, bit for bit:

    ```
    v = acc[b.., m, n] + bias[n] - input_zero_point            (i32, wraps)
    r = i64(v) * multiplier[n] + (1 << (shift[n] - 1))
    DOUBLE_ROUND, shift[n] > 31:  r += v >= 0 ? 1 << 30 : -(1 << 30)
    result = clamp((r >> shift[n]) + output_zero_point, qmin, qmax)
    ```

    `multiplier` is in `[2^30, 2^31)` as gemmlowp's `QuantizeMultiplier`
    derives it, `shift` in `[2, 62]`; both are rank 0 or `[N]`. `range` is
    `[qmin, qmax]` of the result. The same integers come out on every machine.

    Constraints:
    * (C1) `multiplier` and `shift` are both rank 0 or both `[N]`.
    * (C2) `bias` is `[N]`.
    * (C3) `acc` and result have the same shape.
    * (C4) `range` is `[qmin, qmax]`, `qmin < qmax`, within the result's range.
    * (C5) a constant `shift` lies in `[2, 62]`, a constant `multiplier` is
      >= 0.

    Example:

    ```mlir
    %q = quant.rescale_fixed_point %acc multiplier(%m : tensor<64xi32>)
           shift(%s : tensor<64xi8>) rounding(SINGLE_ROUND)
           bias(%b : tensor<64xi32>)
           {output_zero_point = 3 : i32, range = array<i64: -128, 127>}
           : tensor<?x64xi32> -> tensor<?x64xi8>
    ```
  }];
  let arguments = (ins QuantExt_AccTensor:$acc,
                       RankedTensorOf<[I32]>:$multiplier,
                       RankedTensorOf<[I8]>:$shift,
                       Optional<RankedTensorOf<[I32]>>:$bias,
                       QuantExt_RoundingMode:$rounding,
                       DefaultValuedAttr<I32Attr, "0">:$input_zero_point,
                       DefaultValuedAttr<I32Attr, "0">:$output_zero_point,
                       DenseI64ArrayAttr:$range,
                       UnitAttr:$is_unsigned);
  let results = (outs RankedTensorOf<[QuantExt_I4, I8, I16, I32]>:$result);
  let assemblyFormat = [{
    $acc `multiplier` `(` $multiplier `:` type($multiplier) `)`
    `shift` `(` $shift `:` type($shift) `)` `rounding` `(` $rounding `)`
    (`bias` `(` $bias^ `:` type($bias) `)`)? (`unsigned` $is_unsigned^)?
    attr-dict `:` type($acc) `->` type($result)
  }];
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
}

#endif // QUANT_DIALECT_QUANT_IR_RESCALEOPS_TD
