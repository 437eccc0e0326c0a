//===- Int4Ops.td - int4 storage ---------------------------*- tablegen -*-===//

#ifndef QUANT_DIALECT_QUANT_IR_INT4OPS_TD
#define QUANT_DIALECT_QUANT_IR_INT4OPS_TD

include "quant/Dialect/Quant/IR/QuantExtBase.td"

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

#endif // QUANT_DIALECT_QUANT_IR_INT4OPS_TD
