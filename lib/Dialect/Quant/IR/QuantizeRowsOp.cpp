//===- QuantizeRowsOp.cpp - rows quantized and packed: shapes, effects ----===//
//
// The labels c1, c2, ... are the constraints of the op's docs.
//
//===----------------------------------------------------------------------===//

#include "quant/Dialect/Quant/Utils/BufferEffects.h"
#include "quant/Dialect/Quant/Utils/VerifyUtils.h"

#include "quant/Dialect/Quant/IR/QuantizeRows.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace quantmlir;

#define GET_OP_CLASSES
#include "quant/Dialect/Quant/IR/QuantizeRowsOp.cpp.inc"

// quantize_rows_c2
static LogicalResult verifyPacked(QuantizeRowsOp op, ShapedType input,
                                  ShapedType packed) {
  if (op.isPlain() && packed.getElementType().isInteger(8))
    return verifyShape(op, "packed", packed,
                       {input.getDimSize(0), input.getDimSize(1)},
                       "[M, K] of input");
  if (packed.getRank() != 4 || packed.isDynamicDim(3) ||
      packed.getDimSize(3) <= 0 || !packed.getElementType().isInteger(8))
    return op.emitOpError("expected packed [M, K] or [M, K/KR, 1, KR] of i8 "
                          "with a static KR, but got ")
           << packed;
  if (op.getIsUnsigned())
    return op.emitOpError("expected unsigned results in plain rows, but got ")
           << packed;
  int64_t kr = packed.getDimSize(3);
  return verifyShape(op, "packed", packed,
                     {input.getDimSize(0),
                      llvm::divideCeilSigned(input.getDimSize(1), kr), 1, kr},
                     "[M, K/KR, 1, KR] of input");
}

LogicalResult QuantizeRowsOp::verify() {
  // quantize_rows_c5
  if (failed(verifyOneKind(*this)))
    return failure();
  auto input = cast<ShapedType>(getInput().getType());
  auto packed = cast<ShapedType>(getPacked().getType());
  auto scale = cast<ShapedType>(getScale().getType());
  // quantize_rows_c1
  if (input.getRank() != 2 || input.isDynamicDim(1) ||
      !isa<Float32Type, Float16Type, BFloat16Type>(input.getElementType()))
    return emitOpError("expected an input [M, K] of f32, f16 or bf16 with a "
                       "static K, but got ")
           << input;
  if (failed(verifyPacked(*this, input, packed)))
    return failure();
  // quantize_rows_c3
  if (!scale.getElementType().isF32())
    return emitOpError("expected a scale of f32, but got ") << scale;
  if (failed(verifyShape(*this, "scale", scale, {input.getDimSize(0)},
                         "[M] of input")))
    return failure();
  // quantize_rows_c4
  if (failed(verifySymmetricRange(*this, getRange(), packed.getElementType())))
    return failure();
  // quantize_rows_c6
  if (getRotationSeed() && !getRotation())
    return emitOpError("expected a rotation where there is a rotation_seed");
  Rotation rotation = getRowRotation();
  return rotation ? verifyRotation(*this, rotation.size, rotation.seed)
                  : success();
}

void QuantizeRowsOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
        &effects) {
  addBufferEffects(*this, effects);
}
