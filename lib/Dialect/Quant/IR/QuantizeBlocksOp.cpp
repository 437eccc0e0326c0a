//===- QuantizeBlocksOp.cpp - blocks of rows quantized: shapes, effects ---===//
//
// The labels c1, c2, ... are the constraints of the op's docs.
//
//===----------------------------------------------------------------------===//

#include "quant/Dialect/Quant/Utils/BufferEffects.h"
#include "quant/Dialect/Quant/Utils/VerifyUtils.h"

#include "quant/Dialect/Quant/IR/QuantizeBlocks.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace quantmlir;

#define GET_OP_CLASSES
#include "quant/Dialect/Quant/IR/QuantizeBlocksOp.cpp.inc"

/// `what` has elements of `element` and the shape of `expected`.
static LogicalResult verifyPart(QuantizeBlocksOp op, StringRef what, Value part,
                                Type element, ArrayRef<int64_t> expected,
                                StringRef why) {
  if (!part)
    return success();
  ShapedType type = getShaped(part);
  if (type.getElementType() != element)
    return op.emitOpError("expected ")
           << what << " of " << element << ", but got " << type;
  return verifyShape(op, what, type, expected, why);
}

LogicalResult QuantizeBlocksOp::verify() {
  // quantize_blocks_c5
  if (failed(verifyOneKind(*this)))
    return failure();
  ShapedType input = getShaped(getInput());
  // quantize_blocks_c1
  if (input.getRank() != 2 || input.isDynamicDim(1) ||
      !isa<Float32Type, Float16Type, BFloat16Type>(input.getElementType()))
    return emitOpError("expected an input [M, K] of f32, f16 or bf16 with a "
                       "static K, but got ")
           << input;
  // quantize_blocks_c6
  int64_t block = getBlock();
  if (block <= 0)
    return emitOpError("expected block > 0, but got ") << block;
  Builder b(getContext());
  // quantize_blocks_c2
  if (failed(verifyPart(*this, "ints", getInts(), b.getI8Type(),
                        input.getShape(), "[M, K] of input")))
    return failure();
  // quantize_blocks_c3
  int64_t blocks = llvm::divideCeil(static_cast<uint64_t>(input.getDimSize(1)),
                                    static_cast<uint64_t>(block));
  SmallVector<int64_t> shape = {input.getDimSize(0), blocks};
  constexpr StringLiteral why = "[M, ceil(K / block)] of input";
  if (failed(
          verifyPart(*this, "scale", getScale(), b.getF32Type(), shape, why)) ||
      failed(verifyPart(*this, "sums", getSums(), b.getI32Type(), shape, why)))
    return failure();
  // quantize_blocks_c4
  if (failed(verifySymmetricRange(*this, getRange(), b.getI8Type())))
    return failure();
  // quantize_blocks_c7
  if (getRotationSeed() && !getRotation())
    return emitOpError("expected a rotation where there is a rotation_seed");
  Rotation rotation = getRowRotation();
  if (!getRotation())
    return success();
  if (failed(verifyRotation(*this, rotation.size, rotation.seed)))
    return failure();
  if (!canRotate(getK(), block, rotation.size))
    return emitOpError("expected one of rotation and block to divide the "
                       "other, but got ")
           << rotation.size << " and " << block;
  return success();
}

void QuantizeBlocksOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
        &effects) {
  addBufferEffects(*this, effects);
}
