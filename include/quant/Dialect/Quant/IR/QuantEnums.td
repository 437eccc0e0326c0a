//===- QuantEnums.td - enumerations of the quant ops -------*- tablegen -*-===//

#ifndef QUANT_DIALECT_QUANT_IR_QUANTENUMS_TD
#define QUANT_DIALECT_QUANT_IR_QUANTENUMS_TD

include "mlir/IR/EnumAttr.td"

def QuantExt_RoundingMode : I32EnumAttr<"RoundingMode",
    "rounding of the fixed-point rescale, as in TOSA 1.0 RESCALE", [
  I32EnumAttrCase<"SINGLE_ROUND", 0, "SINGLE_ROUND">,
  I32EnumAttrCase<"DOUBLE_ROUND", 1, "DOUBLE_ROUND">
]> {
  let cppNamespace = "::quantmlir";
  let genSpecializedAttr = 1;
}

def QuantExt_BlockScale : I32EnumAttr<"BlockScale",
    "values that scales of blocks of activations have", [
  I32EnumAttrCase<"F32", 0, "f32">,
  I32EnumAttrCase<"F16", 1, "f16">,
  I32EnumAttrCase<"BF16", 2, "bf16">,
  I32EnumAttrCase<"E8M0", 3, "e8m0">,
  I32EnumAttrCase<"Q8_0", 4, "q8_0">,
  I32EnumAttrCase<"MLAS", 5, "mlas">
]> {
  let cppNamespace = "::quantmlir";
  let genSpecializedAttr = 1;
}

#endif // QUANT_DIALECT_QUANT_IR_QUANTENUMS_TD
