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

#endif // QUANT_DIALECT_QUANT_IR_QUANTENUMS_TD
