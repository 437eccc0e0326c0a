//===- QuantizeOps.td - quantize, dequantize, parameters ---*- tablegen -*-===//

#ifndef QUANT_DIALECT_QUANT_IR_QUANTIZEOPS_TD
#define QUANT_DIALECT_QUANT_IR_QUANTIZEOPS_TD

include "quant/Dialect/Quant/IR/QuantExtBase.td"

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

#endif // QUANT_DIALECT_QUANT_IR_QUANTIZEOPS_TD
