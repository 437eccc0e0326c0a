//===- RotateOps.td - rotations of activations -------------*- tablegen -*-===//

#ifndef QUANT_DIALECT_QUANT_IR_ROTATEOPS_TD
#define QUANT_DIALECT_QUANT_IR_ROTATEOPS_TD

include "quant/Dialect/Quant/IR/QuantExtBase.td"

def QuantExt_RotateOp : QuantExt_Op<"rotate",
    [Pure, QuantExt_ReifyShapes, QuantExt_Tiling]> {
  let summary = "Rotate blocks of the last dimension by Hadamard matrices";
  let description = [{
    Multiplies each whole block of `size` consecutive elements of the last
    dimension by `diag(signs) * H / sqrt(size)`, H the Hadamard matrix of
    Sylvester's order. Elements after the last whole block stay as they are.
    The matrix is orthogonal: `(x R) (W R)^T = x W^T`, while an outlier of one
    element is spread over its block.

    A block `x`, in f32 (f16 and bf16 inputs are extended first), each operation
    rounded once:

    ```
    x[i] = sign[i] * x[i]
    for distance in 1, 2, 4, ..., size / 2:
      for each i whose bit `distance` is 0:
        x[i], x[i + distance] = x[i] + x[i + distance], x[i] - x[i + distance]
    x[i] = x[i] * f32(1 / sqrt(size))
    ```

    Signs are the same for all blocks: with `seed = 0`, the default, all are 1;
    else `sign[i]` is -1 where the highest bit of `mix(seed * 2^32 + i)` is set,
    with SplitMix64's `mix(v)`: `z = v + 0x9E3779B97F4A7C15`, `z = (z ^ z >> 30)
    * 0xBF58476D1CE4E5B9`, `z = (z ^ z >> 27) * 0x94D049BB133111EB`, `z ^ z >>
    31`, modulo 2^64. The sign of a zero and what a NaN holds are unspecified.

    A small constant is rotated at compile time, with the same roundings. Two
    equal rotations without signs are none (the roundings of both are saved).

    Constraints:
    * (C1) `size` is a power of two from 2 to 256, `seed` is from 0 to 2^31 - 1.
    * (C2) the last dimension of `input` is static.
    * (C3) `result` has the shape of `input`.

    Example:

    ```mlir
    %r = quant.rotate %x size = 32 : tensor<?x384xf16> -> tensor<?x384xf32>
    ```
  }];
  let arguments = (ins QuantExt_FloatTensor:$input, I64Attr:$size,
                       DefaultValuedAttr<I64Attr, "0">:$seed);
  let results = (outs RankedTensorOf<[F32]>:$result);
  let assemblyFormat = [{
    $input `size` `=` $size (`seed` `=` $seed^)? attr-dict
    `:` type($input) `->` type($result)
  }];
  let extraClassDeclaration = [{
    ::quantmlir::Rotation getRotation() {
      return {static_cast<int64_t>(getSize()), static_cast<int64_t>(getSeed())};
    }
  }];
  let hasVerifier = 1;
  let hasFolder = 1;
  let hasCanonicalizer = 1;
}

#endif // QUANT_DIALECT_QUANT_IR_ROTATEOPS_TD
