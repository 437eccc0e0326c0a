//===- RotateRowsOp.td - rows rotated and quantized at once -*- tablegen -*-===//

#ifndef QUANT_DIALECT_QUANT_IR_ROTATEROWSOP_TD
#define QUANT_DIALECT_QUANT_IR_ROTATEROWSOP_TD

include "quant/Dialect/Quant/IR/QuantExtBase.td"

def QuantExt_RotateRowsOp : QuantExt_Op<"rotate_rows", [
    DestinationStyleOpInterface,
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "Rotate rows, and quantize them by constant parameters";
  let description = [{
    What `quant.rotate` makes of `input`, or, where there is a `scale`, what
    `quant.quantize` with this one scale and zero point makes of that: in one
    pass over memory, with the same roundings as those ops.

    The op stands on tensors or, after bufferization, on memrefs.

    Constraints:
    * (C1) `size` and `seed` are those of a `quant.rotate`.
    * (C2) `input` has a rank, elements of f32, f16 or bf16 and a static last
      dimension.
    * (C3) `rotated` has the shape of `input`; its elements are f32, with a
      `scale` i8.
    * (C4) `scale` is finite and > 0, `range` is `[qmin, qmax]` with `qmin <
      qmax` within i8, or, with `unsigned`, from 0 to 255, and `zero_point` lies
      in it; without a scale there is none of them.
    * (C5) operands are all tensors or all memrefs.

    Example:

    ```mlir
    %q = quant.rotate_rows ins(%x : tensor<?x96xf32>)
      outs(%q0 : tensor<?x96xi8>) size = 32
      {scale = 2.500000e-01 : f32, range = array<i64: -128, 127>}
      -> tensor<?x96xi8>
    ```
  }];
  let arguments = (ins AnyTypeOf<[AnyRankedTensor, AnyMemRef]>:$input,
                       AnyTypeOf<[AnyRankedTensor, AnyMemRef]>:$rotated,
                       I64Attr:$size, DefaultValuedAttr<I64Attr, "0">:$seed,
                       OptionalAttr<F32Attr>:$scale,
                       DefaultValuedAttr<I64Attr, "0">:$zero_point,
                       OptionalAttr<DenseI64ArrayAttr>:$range,
                       UnitAttr:$is_unsigned);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = [{
    `ins` `(` $input `:` type($input) `)`
    `outs` `(` $rotated `:` type($rotated) `)`
    `size` `=` $size (`seed` `=` $seed^)? attr-dict (`->` type($results)^)?
  }];
  let extraClassDeclaration = [{
    ::quantmlir::Rotation getRotation() {
      return {static_cast<int64_t>(getSize()), static_cast<int64_t>(getSeed())};
    }
    ::mlir::MutableOperandRange getDpsInitsMutable() {
      return getRotatedMutable();
    }
  }];
  let hasVerifier = 1;
}

#endif // QUANT_DIALECT_QUANT_IR_ROTATEROWSOP_TD
