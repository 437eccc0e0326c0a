//===- QuantOps.td - integer matmul ops of the quant dialect -*- tablegen -*-===//
//
// Operations that this project adds to upstream's `quant` dialect. They are
// declared against upstream's `Quant_Dialect` and registered by a dialect
// extension (see QuantOps.h, `registerQuantExtension`).
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_DIALECT_QUANT_IR_QUANTOPS_TD
#define QUANT_DIALECT_QUANT_IR_QUANTOPS_TD

include "mlir/Dialect/Quant/IR/QuantBase.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "mlir/Interfaces/TilingInterface.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"
include "quant/Dialect/Quant/IR/QuantEnums.td"
include "quant/Target/IR/QTarget.td"

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

// Stored integers: 8 or 4 bits, signless. An op says by its `unsigned`
// attribute how their bits are read.
def QuantExt_I4 : I<4>;
def QuantExt_Stored : AnyTypeOf<[I8, QuantExt_I4], "8-bit or 4-bit signless integer">;
def QuantExt_Expressed : AnyTypeOf<[F32, F16, BF16], "f32, f16 or bf16">;

def QuantExt_StoredTensor : RankedTensorOf<[QuantExt_Stored]>;
def QuantExt_FloatTensor : RankedTensorOf<[QuantExt_Expressed]>;
def QuantExt_ScaleTensor : RankedTensorOf<[F32]>;
def QuantExt_ZeroPointTensor : RankedTensorOf<[I32]>;
def QuantExt_AccTensor : RankedTensorOf<[I32]>;

def QuantExt_ReifyShapes
    : DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface,
                                ["reifyResultShapes"]>;

// What upstream needs to tile an op, and to fuse it into a tiled consumer.
def QuantExt_Tiling : DeclareOpInterfaceMethods<TilingInterface,
    ["getLoopIteratorTypes", "getIterationDomain", "getTiledImplementation",
     "getResultTilePosition", "generateResultTileValue",
     "getIterationDomainTileFromResultTile"]>;

class QuantExt_Op<string mnemonic, list<Trait> traits = []>
    : Op<Quant_Dialect, mnemonic, traits> {
  let cppNamespace = "::quantmlir";
}

// Constants are folded by canonicalization patterns, not by `fold`: upstream's
// dialect has no hook that would make a constant op out of a folded attribute.

//===----------------------------------------------------------------------===//
// Quantization parameters, quantize, dequantize
//===----------------------------------------------------------------------===//

def QuantExt_ChooseQParamsOp : QuantExt_Op<"choose_qparams",
    [Pure, QuantExt_ReifyShapes]> {
  let summary = "Choose scale and zero point from the data at run time";
  let description = [{
    Reduces `input` over every dimension that is not listed in `axes` and
    derives one scale (and zero point) for each index of the listed
    dimensions, which keep their order. `axes = []` is per tensor,
    `axes = [0]` on `[N, D]` per channel (or per token on `[B, D]`).

    With `[qmin, qmax]` = `range`, over the finite elements `x` only:

    ```
    symmetric (one result):
      scale = max|x| / qmax
    asymmetric (two results, ONNX DynamicQuantizeLinear):
      lo = min(0, min x);  hi = max(0, max x)
      scale      = (hi - lo) / (qmax - qmin)
      zero_point = clamp(qmin - roundeven(lo / scale), qmin, qmax)
    scale = 1 where it would be 0 (all zeros, no finite element, underflow)
    ```

    All arithmetic is f32 with one rounding an operation (f16 and bf16 inputs
    are extended first). `hi - lo` that overflows is taken as the largest
    finite f32. NaN and infinities never reach the scale.

    Constraints:
    * (C1) `axes` is strictly increasing and within the rank of `input`.
    * (C2) `scale` and `zero_point` have the shape of the listed dimensions.
    * (C3) `range` is `[qmin, qmax]` with `qmin < qmax`, `qmin <= 0 < qmax`
      and `qmax - qmin <= 255`.
    * (C4) without `zero_point` the quantization is symmetric, and
      `qmin < 0`.

    Example:

    ```mlir
    %s = quant.choose_qparams %x axes = [0] range = [-127, 127]
           : tensor<?x384xf32> -> tensor<?xf32>
    %s, %z = quant.choose_qparams %x axes = [] range = [0, 255]
           : tensor<?x384xf32> -> tensor<f32>, tensor<i32>
    ```
  }];
  let arguments = (ins QuantExt_FloatTensor:$input,
                       DenseI64ArrayAttr:$axes, DenseI64ArrayAttr:$range);
  let results = (outs QuantExt_ScaleTensor:$scale,
                      Optional<QuantExt_ZeroPointTensor>:$zero_point);
  let assemblyFormat = [{
    $input `axes` `=` $axes `range` `=` $range attr-dict `:` type($input) `->`
    type($scale) (`,` type($zero_point)^)?
  }];
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
}

def QuantExt_QuantizeOp : QuantExt_Op<"quantize",
    [Pure, QuantExt_ReifyShapes, QuantExt_Tiling]> {
  let summary = "Quantize with run-time scale and zero point";
  let description = [{
    ```
    q[i] = clamp(roundeven(x[i] / scale[i|axes]) + zero_point[i|axes],
                 qmin, qmax)
    ```

    `x / scale` is an f32 division (f16 and bf16 inputs are extended first),
    `roundeven` rounds ties to even, the zero point is added after rounding,
    and clamping happens before the conversion to an integer: +inf gives
    `qmax`, -inf `qmin`, NaN the zero point. This is ONNX `QuantizeLinear`.
    `scale[i|axes]` is the element of `scale` at the coordinates of `i` along
    `axes`; `axes = []` is one scale for the tensor. `range` is
    `[qmin, qmax]`; `unsigned` says that the stored bits are read as unsigned.

    A constant input is quantized at compile time; a 4-bit result of more than
    1 KiB becomes `quant.unpack_int4` of a packed constant. A `quant.rescale`
    to f32 that only this op uses becomes a `quant.rescale` to integers with
    `M = row_scale * channel_scale / scale` where all of these are constant,
    per tensor on this side, and the rescale has no constraint on rows: the
    sum is then rounded once less than the two ops round it.

    A scale that is 0, negative, NaN or infinite is an error where it is
    constant, and unspecified (never a trap) where it is not.

    Constraints:
    * (C1) `axes` is strictly increasing and within the rank of `input`.
    * (C2) `scale` and `zero_point` have the shape of the listed dimensions.
    * (C3) `range` is `[qmin, qmax]` with `qmin < qmax`, and lies within the
      stored type's range (signed, or unsigned with `unsigned`).
    * (C4) input and result have the same shape.
    * (C5) a constant scale is finite and > 0.
    * (C6) a constant zero point lies in `range`.

    Example:

    ```mlir
    %q = quant.quantize %x scale(%s : tensor<?xf32>) axes = [0]
           range = [-127, 127] : tensor<?x384xf32> -> tensor<?x384xi8>
    ```
  }];
  let arguments = (ins QuantExt_FloatTensor:$input,
                       QuantExt_ScaleTensor:$scale,
                       Optional<QuantExt_ZeroPointTensor>:$zero_point,
                       DenseI64ArrayAttr:$axes, DenseI64ArrayAttr:$range,
                       UnitAttr:$is_unsigned);
  let results = (outs QuantExt_StoredTensor:$result);
  let assemblyFormat = [{
    $input `scale` `(` $scale `:` type($scale) `)`
    (`zero_point` `(` $zero_point^ `:` type($zero_point) `)`)?
    `axes` `=` $axes `range` `=` $range (`unsigned` $is_unsigned^)? attr-dict
    `:` type($input) `->` type($result)
  }];
  let hasVerifier = 1;
  let hasFolder = 1;
  let hasCanonicalizer = 1;
}

def QuantExt_DequantizeOp : QuantExt_Op<"dequantize",
    [Pure, QuantExt_ReifyShapes, QuantExt_Tiling]> {
  let summary = "Dequantize with run-time scale and zero point";
  let description = [{
    ```
    x[i] = scale[i|axes] * f32(q[i] - zero_point[i|axes])
    ```

    The subtraction is done in i32, so that the conversion to f32 is exact,
    and the product is rounded once (and once more to f16 or bf16). This is
    ONNX `DequantizeLinear`. `unsigned` says how the stored bits are read. A
    product past the largest f32 is unspecified, so that quantizing what was
    dequantized with the same parameters folds to the stored integers. A
    constant result of more than 1 KiB is not folded: no float copy of a weight
    is ever stored.

    Constraints:
    * (C1) `axes` is strictly increasing and within the rank of `input`.
    * (C2) `scale` and `zero_point` have the shape of the listed dimensions.
    * (C3) input and result have the same shape.
    * (C4) a constant scale is finite and > 0.

    Example:

    ```mlir
    %x = quant.dequantize %q scale(%s : tensor<f32>) zero_point(%z : tensor<i32>)
           axes = [] unsigned : tensor<4x8xi8> -> tensor<4x8xf32>
    ```
  }];
  let arguments = (ins QuantExt_StoredTensor:$input,
                       QuantExt_ScaleTensor:$scale,
                       Optional<QuantExt_ZeroPointTensor>:$zero_point,
                       DenseI64ArrayAttr:$axes,
                       UnitAttr:$is_unsigned);
  let results = (outs QuantExt_FloatTensor:$result);
  let assemblyFormat = [{
    $input `scale` `(` $scale `:` type($scale) `)`
    (`zero_point` `(` $zero_point^ `:` type($zero_point) `)`)?
    `axes` `=` $axes (`unsigned` $is_unsigned^)? attr-dict
    `:` type($input) `->` type($result)
  }];
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
}

//===----------------------------------------------------------------------===//
// Integer matmul
//===----------------------------------------------------------------------===//

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

//===----------------------------------------------------------------------===//
// Rescale
//===----------------------------------------------------------------------===//

def QuantExt_RescaleOp : QuantExt_Op<"rescale",
    [Pure, AttrSizedOperandSegments, QuantExt_ReifyShapes, QuantExt_Tiling]> {
  let summary = "Rescale an i32 accumulator by a float multiplier";
  let description = [{
    ```
    t = acc[b.., m, n] + bias[n]                    (i32 bias, wraps)
    s = row_scale[b.., m] * channel_scale[n]        (or the one that is there)
    y = f32(t) * s
    y = y + bias[n]                                 (f32 bias)
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
    dimension), `channel_scale` rank 0 or `[N]`, `bias` `[N]` of i32 or f32.

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
                       OptionalAttr<I32Attr>:$zero_point,
                       OptionalAttr<DenseI64ArrayAttr>:$range,
                       OptionalAttr<F32Attr>:$clamp_min,
                       OptionalAttr<F32Attr>:$clamp_max,
                       UnitAttr:$is_unsigned);
  let results = (outs RankedTensorOf<[F32, F16, BF16, I8, QuantExt_I4]>:$result);
  let assemblyFormat = [{
    $acc (`row_scale` `(` $row_scale^ `:` type($row_scale) `)`)?
    (`channel_scale` `(` $channel_scale^ `:` type($channel_scale) `)`)?
    (`bias` `(` $bias^ `:` type($bias) `)`)? (`unsigned` $is_unsigned^)?
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

//===----------------------------------------------------------------------===//
// int4 storage
//===----------------------------------------------------------------------===//

def QuantExt_PackInt4Op : QuantExt_Op<"pack_int4", [Pure]> {
  let summary = "Store int4 elements two in a byte";
  let description = [{
    Element 2i of the last dimension goes to the low nibble of byte i, element
    2i+1 to the high nibble, each in two's complement (ONNX `INT4`). A last
    dimension of odd length leaves the last high nibble 0.

    Constraints:
    * (C1) input has rank >= 1; the last dimension of the result is
      `ceil(D / 2)`, all others agree.

    Example:

    ```mlir
    %p = quant.pack_int4 %q : tensor<8x5xi4> -> tensor<8x3xi8>
    ```
  }];
  let arguments = (ins RankedTensorOf<[QuantExt_I4]>:$input);
  let results = (outs RankedTensorOf<[I8]>:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
  let hasCanonicalizer = 1;
}

def QuantExt_UnpackInt4Op : QuantExt_Op<"unpack_int4", [Pure]> {
  let summary = "Load int4 elements that are stored two in a byte";
  let description = [{
    The inverse of `quant.pack_int4`: element i of the last dimension is the
    low (i even) or high (i odd) nibble of byte i / 2. The result type says
    whether the last high nibble is padding. A constant of more than 1 KiB is
    not folded: that would undo its storage.

    Constraints:
    * (C1) input has rank >= 1; the last dimension of the input is
      `ceil(D / 2)` for the result's last dimension D, all others agree.

    Example:

    ```mlir
    %q = quant.unpack_int4 %p : tensor<8x3xi8> -> tensor<8x5xi4>
    ```
  }];
  let arguments = (ins RankedTensorOf<[I8]>:$input);
  let results = (outs RankedTensorOf<[QuantExt_I4]>:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
  let hasCanonicalizer = 1;
}

//===----------------------------------------------------------------------===//
// Packed matmul: the contract of the Packed stage
//===----------------------------------------------------------------------===//

def QuantExt_PackedMatmulOp : QuantExt_Op<"packed_matmul", [
    AttrSizedOperandSegments, DestinationStyleOpInterface,
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "Integer matmul on operands packed for one instruction";
  let description = [{
    A matmul whose operands are tiled and packed for `intrinsic`, with its
    corrections and rescaling fused, so that the i32 accumulator need not go
    to memory. `lhs` is `[M/MR][K/KR][MR][KR]`, `rhs` `[N/NR][K/KR][NR][KR]`,
    both padded with zeros; every vector over columns is packed the same way,
    `[N/NR][NR]`. `init` is the plain `[M, N]` result and is overwritten, not
    accumulated into; its sizes say what is padding.

    ```
    t = sum_k lhs[m, k] * rhs[n, k]                               (i32, wraps)
    t = t + col_bias[n] + sum_r row_factors[r, m] * col_factors[r, n]
    result i32:      t
    result float:    as quant.rescale with row_scale, channel_scale, bias
    result integer:  as quant.rescale, with zero_point and range
    ```

    `lhs` elements are read as the intrinsic's left operand (u8 for
    `vpdpbusd`, i16 for `vpmaddwd`), `rhs` elements as its right (s8).
    `row_factors` is `[R, M]`, `col_factors` `[R, N/NR, NR]`: the rank-R
    correction that run-time zero points need.

    The op stands on tensors or, after bufferization, on memrefs.

    Constraints:
    * (C1) `lhs` and `rhs` have rank 4 with static inner tiles, equal K/KR and
      equal KR, and KR is the intrinsic's.
    * (C2) NR is a multiple of the intrinsic's N.
    * (C3) `lhs` and `rhs` elements are those of the intrinsic's row, the
      corrections i32, the scales f32.
    * (C4) `init` is `[M, N]` with `ceil(M/MR)`, `ceil(N/NR)` the outer sizes.
    * (C5) column vectors are `[N/NR, NR]`; `row_factors` `[R, M]` and
      `col_factors` `[R, N/NR, NR]` stand together, R static.
    * (C6) an i32 result has no scales, bias or clamps; a float or 8-bit result
      has at least one scale, `row_scale` of rank 0 or `[M]`, `channel_scale` of rank 0 or
      `[N/NR, NR]`.
    * (C7) `zero_point` and `range` stand with an 8-bit result only, which
      needs `range`.

    Example:

    ```mlir
    %y = quant.packed_matmul <vpdpbusd_512>
           ins(%a, %b : tensor<16x96x8x4xi8>, tensor<32x96x48x4xi8>)
           col_bias(%c : tensor<32x48xi32>)
           row_scale(%sx : tensor<128xf32>)
           channel_scale(%sw : tensor<32x48xf32>)
           outs(%e : tensor<128x1536xf32>) -> tensor<128x1536xf32>
    ```
  }];
  let arguments = (ins
      QTarget_IntrinsicAttr:$intrinsic,
      AnyTypeOf<[AnyRankedTensor, AnyMemRef]>:$lhs,
      AnyTypeOf<[AnyRankedTensor, AnyMemRef]>:$rhs,
      Optional<AnyTypeOf<[AnyRankedTensor, AnyMemRef]>>:$col_bias,
      Optional<AnyTypeOf<[AnyRankedTensor, AnyMemRef]>>:$row_factors,
      Optional<AnyTypeOf<[AnyRankedTensor, AnyMemRef]>>:$col_factors,
      Optional<AnyTypeOf<[AnyRankedTensor, AnyMemRef]>>:$row_scale,
      Optional<AnyTypeOf<[AnyRankedTensor, AnyMemRef]>>:$channel_scale,
      Optional<AnyTypeOf<[AnyRankedTensor, AnyMemRef]>>:$bias,
      AnyTypeOf<[AnyRankedTensor, AnyMemRef]>:$init,
      OptionalAttr<I32Attr>:$zero_point,
      OptionalAttr<DenseI64ArrayAttr>:$range,
      OptionalAttr<F32Attr>:$clamp_min,
      OptionalAttr<F32Attr>:$clamp_max,
      UnitAttr:$is_unsigned);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = [{
    $intrinsic `ins` `(` $lhs `,` $rhs `:` type($lhs) `,` type($rhs) `)`
    (`col_bias` `(` $col_bias^ `:` type($col_bias) `)`)?
    (`row_factors` `(` $row_factors^ `:` type($row_factors) `)`)?
    (`col_factors` `(` $col_factors^ `:` type($col_factors) `)`)?
    (`row_scale` `(` $row_scale^ `:` type($row_scale) `)`)?
    (`channel_scale` `(` $channel_scale^ `:` type($channel_scale) `)`)?
    (`bias` `(` $bias^ `:` type($bias) `)`)?
    `outs` `(` $init `:` type($init) `)` (`unsigned` $is_unsigned^)?
    attr-dict (`->` type($results)^)?
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() {
      return getInitMutable();
    }
  }];
  let hasVerifier = 1;
}

#endif // QUANT_DIALECT_QUANT_IR_QUANTOPS_TD
