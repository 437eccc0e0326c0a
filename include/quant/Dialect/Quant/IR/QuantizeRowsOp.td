//===- QuantizeRowsOp.td - rows quantized in one pass -----*- tablegen -*-===//

#ifndef QUANT_DIALECT_QUANT_IR_QUANTIZEROWSOP_TD
#define QUANT_DIALECT_QUANT_IR_QUANTIZEROWSOP_TD

include "quant/Dialect/Quant/IR/QuantExtBase.td"
include "quant/Dialect/Quant/IR/RotateRowsOp.td"

def QuantExt_TensorOrMemRef : AnyTypeOf<[AnyRankedTensor, AnyMemRef]>;

def QuantExt_QuantizeRowsOp : QuantExt_Op<"quantize_rows", [
    DestinationStyleOpInterface,
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "Scale, quantize and pack each row in one pass over memory";
  let description = [{
    The scales that `quant.choose_qparams` chooses for each row of `input`,
    symmetric, and what `quant.quantize` makes of the row by them, as it is or as
    tiles of one row and KR columns, with zeros after the last column:

    ```
    scale[m] = max|input[m, k]| / qmax, over finite elements; 1 where it is 0
    result[m, k / KR, 0, k % KR] =
        clamp(roundeven(input[m, k] / scale[m]), qmin, qmax)
    ```

    With `unsigned`, 128 is added to each result, which is then read as an
    unsigned integer. With `rotation` the rows are those that `quant.rotate` of
    this size, and of the seed `rotation_seed`, makes of `input`.

    with the same roundings as those ops, so that results are the same to the
    bit. `input` is `[M, K]`, `packed` `[M, K]` or `[M, ceil(K / KR), 1, KR]` and
    `scale` `[M]`; `range` is `[qmin, qmax]`.

    The op stands on tensors or, after bufferization, on memrefs.

    Constraints:
    * (C1) `input` has rank 2, a static K and elements of f32, f16 or bf16.
    * (C2) `packed` is `[M, K]` or `[M, ceil(K / KR), 1, KR]` of i8, static but
      for M; `unsigned` is for the former.
    * (C3) `scale` is `[M]` of f32.
    * (C4) `range` is `[qmin, qmax]` with `qmin < 0 < qmax` within i8.
    * (C5) operands are all tensors or all memrefs.
    * (C6) `rotation` and `rotation_seed` are size and seed of a `quant.rotate`.

    Example:

    ```mlir
    %q, %s = quant.quantize_rows ins(%x : tensor<?x96xf32>)
      outs(%q0, %s0 : tensor<?x2x1x64xi8>, tensor<?xf32>) range = [-128, 127]
      -> tensor<?x2x1x64xi8>, tensor<?xf32>
    ```
  }];
  let arguments = (ins QuantExt_TensorOrMemRef:$input,
                       QuantExt_TensorOrMemRef:$packed,
                       QuantExt_TensorOrMemRef:$scale,
                       DenseI64ArrayAttr:$range, UnitAttr:$is_unsigned,
                       OptionalAttr<I64Attr>:$rotation,
                       OptionalAttr<I64Attr>:$rotation_seed);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = [{
    `ins` `(` $input `:` type($input) `)`
    `outs` `(` $packed `,` $scale `:` type($packed) `,` type($scale) `)`
    `range` `=` $range (`unsigned` $is_unsigned^)?
    (`rotation` `=` $rotation^ (`seed` `=` $rotation_seed^)?)?
    attr-dict (`->` type($results)^)?
  }];
  let extraClassDeclaration = [{
    /// Whether rows are in no tiles.
    bool isPlain() {
      return ::llvm::cast<::mlir::ShapedType>(getPacked().getType()).getRank() == 2;
    }

    /// Rotation of the rows before they are quantized, if there is one.
    ::quantmlir::Rotation getRowRotation() {
      return {static_cast<int64_t>(getRotation().value_or(0)),
              static_cast<int64_t>(getRotationSeed().value_or(0))};
    }

    ::mlir::MutableOperandRange getDpsInitsMutable() {
      return ::mlir::MutableOperandRange(*this, /*start=*/1, /*length=*/2);
    }
  }];
  let hasVerifier = 1;
}

#endif // QUANT_DIALECT_QUANT_IR_QUANTIZEROWSOP_TD
