//===- QuantizeBlocksOp.td - blocks of rows quantized ------*- tablegen -*-===//

#ifndef QUANT_DIALECT_QUANT_IR_QUANTIZEBLOCKSOP_TD
#define QUANT_DIALECT_QUANT_IR_QUANTIZEBLOCKSOP_TD

include "quant/Dialect/Quant/IR/QuantEnums.td"
include "quant/Dialect/Quant/IR/QuantExtBase.td"

def QuantExt_BlocksOperand : AnyTypeOf<[AnyRankedTensor, AnyMemRef]>;

def QuantExt_QuantizeBlocksOp : QuantExt_Op<"quantize_blocks", [
    DestinationStyleOpInterface,
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "Quantize each block of a row by a scale of its own";
  let description = [{
    Symmetric, from the data: for each `block` = G consecutive elements of each
    row of `input`, of which the last block may have fewer,

    ```
    d = max|x| / qmax, over the block's finite elements x
    scale[m, g] = d as a value of `scales`; 1 where that is 0
    ints[m, k] = clamp(roundeven(input[m, k] / scale[m, k / G]), qmin, qmax)
    sums[m, g] = the sum of the block's ints                  (where asked for)
    ```

    in f32, with one rounding a step (f16 and bf16 inputs are extended first).
    What is stored as the scale is what divides the data. NaN gives 0, +inf
    `qmax`, -inf `qmin`. The scales are an f32 tensor, whatever their values:

    | `scales` | the values |
    |---|---|
    | `f32` | d |
    | `f16`, `bf16` | d rounded to nearest even, at most the largest finite one |
    | `e8m0` | the power of two that OCP MX takes for integers of that many bits: the largest one not above max\|x\|, divided by that not above qmax; at least 2^-126 |
    | `q8_0` | as `f16` |
    | `mlas` | d |

    `q8_0` has the integers of ggml's `quantize_row_q8_0_ref`, the reference of
    GGUF's format: the data is multiplied by the reciprocal of d itself, rounded,
    and rounded half away from zero.

    ```
    ints[m, k] = clamp(round(input[m, k] * (1 / d)), qmin, qmax); 0 where the
                 scale would be 0
    ```

    `mlas` has those of ONNX Runtime's kernels for `MatMulNBits` with an
    `accuracy_level` of 4: the data is multiplied by a quotient that is rounded
    once.

    ```
    ints[m, k] = clamp(roundeven(input[m, k] * (qmax / max|x|)), qmin, qmax); 0
                 where the scale would be 0
    ```

    With `rotation`, rows are those that `quant.rotate` of this size, and of the
    seed `rotation_seed`, makes of `input`.

    The op stands on tensors or, after bufferization, on memrefs.

    Constraints:
    * (C1) `input` is `[M, K]` of f32, f16 or bf16, with a static K.
    * (C2) `ints` is `[M, K]` of i8.
    * (C3) `scale` is `[M, ceil(K / G)]` of f32, `sums` that of i32.
    * (C4) `range` is `[qmin, qmax]` with `qmin < 0 < qmax` within i8.
    * (C5) operands are all tensors or all memrefs.
    * (C6) `block` > 0.
    * (C7) `rotation` and `rotation_seed` are size and seed of a `quant.rotate`;
      unless one block is all of K, the size divides `block` or is a multiple of
      it.

    Example:

    ```mlir
    %q, %s = quant.quantize_blocks ins(%x : tensor<?x96xf32>)
      outs(%q0, %s0 : tensor<?x96xi8>, tensor<?x3xf32>)
      block = 32 range = [-127, 127] scales = f16
      -> tensor<?x96xi8>, tensor<?x3xf32>
    ```
  }];
  let arguments = (ins QuantExt_BlocksOperand:$input,
                       QuantExt_BlocksOperand:$ints,
                       QuantExt_BlocksOperand:$scale,
                       Optional<QuantExt_BlocksOperand>:$sums,
                       I64Attr:$block, DenseI64ArrayAttr:$range,
                       DefaultValuedAttr<QuantExt_BlockScale,
                                         "BlockScale::F32">:$scales,
                       OptionalAttr<I64Attr>:$rotation,
                       OptionalAttr<I64Attr>:$rotation_seed);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = [{
    `ins` `(` $input `:` type($input) `)`
    `outs` `(` $ints `,` $scale (`,` $sums^)? `:` type($ints) `,` type($scale)
    (`,` type($sums)^)? `)` `block` `=` $block `range` `=` $range
    (`scales` `=` $scales^)?
    (`rotation` `=` $rotation^ (`seed` `=` $rotation_seed^)?)?
    attr-dict (`->` type($results)^)?
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() {
      return ::mlir::MutableOperandRange(*this, /*start=*/1,
                                         (*this)->getNumOperands() - 1);
    }
    /// Rotation of the rows before they are quantized, if there is one.
    ::quantmlir::Rotation getRowRotation() {
      return {static_cast<int64_t>(getRotation().value_or(0)),
              static_cast<int64_t>(getRotationSeed().value_or(0))};
    }
    /// Whether blocks of `block` of a row of `k` can be rotated at once: (C7).
    static bool canRotate(int64_t k, int64_t block, int64_t size) {
      return block >= k || size % block == 0 || block % size == 0;
    }
    /// Elements of a row.
    int64_t getK() {
      return ::llvm::cast<::mlir::ShapedType>(getInput().getType())
          .getDimSize(1);
    }
  }];
  let hasVerifier = 1;
}

#endif // QUANT_DIALECT_QUANT_IR_QUANTIZEBLOCKSOP_TD
