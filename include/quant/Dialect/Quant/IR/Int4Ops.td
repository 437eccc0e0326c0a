//===- Int4Ops.td - storage of int4 and int2 ---------------*- tablegen -*-===//

#ifndef QUANT_DIALECT_QUANT_IR_INT4OPS_TD
#define QUANT_DIALECT_QUANT_IR_INT4OPS_TD

include "quant/Dialect/Quant/IR/QuantExtBase.td"

// Several elements in a byte.
class QuantExt_PackOp<string mnemonic, Type element, int perByte>
    : QuantExt_Op<mnemonic, [Pure]> {
  let arguments = (ins RankedTensorOf<[element]>:$input);
  let results = (outs RankedTensorOf<[I8]>:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
  let hasCanonicalizer = 1;
  let extraClassDeclaration = [{
    static constexpr int64_t kPerByte = }] # perByte # [{;
  }];
}

class QuantExt_UnpackOp<string mnemonic, Type element, int perByte>
    : QuantExt_Op<mnemonic, [Pure]> {
  let arguments = (ins RankedTensorOf<[I8]>:$input);
  let results = (outs RankedTensorOf<[element]>:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
  let hasCanonicalizer = 1;
  let extraClassDeclaration = [{
    static constexpr int64_t kPerByte = }] # perByte # [{;
  }];
}

def QuantExt_PackInt4Op : QuantExt_PackOp<"pack_int4", QuantExt_I4, 2> {
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
}

def QuantExt_UnpackInt4Op : QuantExt_UnpackOp<"unpack_int4", QuantExt_I4, 2> {
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
}

def QuantExt_PackInt2Op : QuantExt_PackOp<"pack_int2", QuantExt_I2, 4> {
  let summary = "Store int2 elements four in a byte";
  let description = [{
    Element 4i + j of the last dimension goes to the bits 2j and 2j+1 of byte i,
    in two's complement (ONNX `INT2`). Bits behind a row's last element are 0.

    Constraints:
    * (C1) input has rank >= 1; the last dimension of the result is
      `ceil(D / 4)`, all others agree.

    Example:

    ```mlir
    %p = quant.pack_int2 %q : tensor<8x5xi2> -> tensor<8x2xi8>
    ```
  }];
}

def QuantExt_UnpackInt2Op : QuantExt_UnpackOp<"unpack_int2", QuantExt_I2, 4> {
  let summary = "Load int2 elements that are stored four in a byte";
  let description = [{
    The inverse of `quant.pack_int2`: element i of the last dimension is the
    bits 2j and 2j+1 of byte i / 4 with j = i mod 4. A constant of more than
    1 KiB is not folded: that would undo its storage.

    Constraints:
    * (C1) input has rank >= 1; the last dimension of the input is
      `ceil(D / 4)` for the result's last dimension D, all others agree.

    Example:

    ```mlir
    %q = quant.unpack_int2 %p : tensor<8x2xi8> -> tensor<8x5xi2>
    ```
  }];
}

#endif // QUANT_DIALECT_QUANT_IR_INT4OPS_TD
