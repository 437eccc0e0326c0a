//===- RotateRowsOp.cpp - rows rotated: shapes, effects -------------------===//
//
// The labels c1, c2, ... are the constraints of the op's docs.
//
//===----------------------------------------------------------------------===//

#include "quant/Dialect/Quant/Utils/BufferEffects.h"
#include "quant/Dialect/Quant/Utils/VerifyUtils.h"

#include "quant/Dialect/Quant/IR/QuantizeRows.h"

using namespace mlir;
using namespace quantmlir;

// rotate_rows_c4
static LogicalResult verifyParameters(RotateRowsOp op) {
  std::optional<APFloat> scale = op.getScale();
  if (!scale) {
    if (op.getRange() || op.getZeroPoint() != 0 || op.getIsUnsigned())
      return op.emitOpError("expected no range, zero_point or unsigned where "
                            "there is no scale");
    return success();
  }
  if (!scale->isFinite() || scale->isNegative() || scale->isZero())
    return op.emitOpError("expected a finite scale > 0, but got ")
           << scale->convertToFloat();
  if (!op.getRange())
    return op.emitOpError("expected a range where there is a scale");
  auto rotated = cast<ShapedType>(op.getRotated().getType());
  if (failed(verifyRange(op, *op.getRange(), rotated.getElementType(),
                         op.getIsUnsigned())))
    return failure();
  StorageRange range{(*op.getRange())[0], (*op.getRange())[1]};
  int64_t zeroPoint = op.getZeroPoint();
  if (!range.contains(zeroPoint))
    return op.emitOpError("expected zero_point in [")
           << range.min << ", " << range.max << "], but got " << zeroPoint;
  return success();
}

LogicalResult RotateRowsOp::verify() {
  // rotate_rows_c5
  if (failed(verifyOneKind(*this)))
    return failure();
  // rotate_rows_c1
  if (failed(verifyRotation(*this, getSize(), getSeed())))
    return failure();
  auto input = cast<ShapedType>(getInput().getType());
  auto rotated = cast<ShapedType>(getRotated().getType());
  // rotate_rows_c2
  if (input.getRank() == 0 || input.isDynamicDim(input.getRank() - 1) ||
      !isa<Float32Type, Float16Type, BFloat16Type>(input.getElementType()))
    return emitOpError("expected an input of f32, f16 or bf16 whose last "
                       "dimension is static, but got ")
           << input;
  // rotate_rows_c3
  if (getScale() ? !rotated.getElementType().isInteger(8)
                 : !rotated.getElementType().isF32())
    return emitOpError("expected rotated elements of ")
           << (getScale() ? "i8 where there is a scale" : "f32") << ", but got "
           << rotated;
  if (failed(verifyShape(*this, "rotated", rotated, input.getShape(),
                         "the input's shape")))
    return failure();
  return verifyParameters(*this);
}

void RotateRowsOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
        &effects) {
  addBufferEffects(*this, effects);
}
