//===- PackedRescale.cpp - the rescale in a packed matmul -----------------===//

#include "PackedRescale.h"

#include "PackOperands.h"
#include "ZeroPoints.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "quant/Dialect/Quant/Utils/Constants.h"
#include "quant/Dialect/Quant/Utils/GenericBuilder.h"

using namespace mlir;
using namespace quantmlir;

Operation *quantmlir::soleRescale(MatmulOp op) {
  if (!op->hasOneUse())
    return nullptr;
  Operation *user = *op->getUsers().begin();
  // Not into a loop around the rescale, where the sum would be repeated.
  bool isRescale = isa<RescaleOp, RescaleFixedPointOp>(user) &&
                   user->getOperand(0) == op.getResult() &&
                   user->getBlock() == op->getBlock();
  return isRescale ? user : nullptr;
}

PackedRescale PackedRescale::of(MatmulOp op) {
  Operation *rescale = soleRescale(op);
  // Two 4-bit elements share a byte, which no vector store writes.
  if (!rescale ||
      tensorType(rescale->getResult(0)).getElementType().isInteger(4))
    return {};
  return PackedRescale(rescale);
}

RankedTensorType PackedRescale::getType() const {
  return tensorType(rescale->getResult(0));
}

/// `-zeroPoint` in every column of `type`'s last dimension, or null for 0.
static Value negate(OpBuilder &b, Location loc, RescaleFixedPointOp op) {
  auto zeroPoint = static_cast<int32_t>(op.getInputZeroPoint());
  if (zeroPoint == 0)
    return {};
  // Sums wrap, so that it does not matter where it is subtracted.
  IntegerAttr minus =
      b.getI32IntegerAttr(static_cast<int32_t>(0u - uint32_t(zeroPoint)));
  RankedTensorType acc = op.getAcc().getType();
  int64_t last = acc.getRank() - 1;
  auto type = RankedTensorType::get({acc.getDimSize(last)}, b.getI32Type());
  if (!type.hasStaticShape())
    return filled(b, loc, type, op.getAcc(), {last}, minus);
  SmallVector<int32_t> values(type.getDimSize(0),
                              static_cast<int32_t>(minus.getInt()));
  return arith::ConstantOp::create(b, loc, type,
                                   makeI32TensorAttr(type, values));
}

Value PackedRescale::getIntegerBias(OpBuilder &b) const {
  if (auto scaled = dyn_cast_if_present<RescaleOp>(rescale)) {
    Value bias = scaled.getBias();
    return bias && tensorType(bias).getElementType().isInteger() ? bias
                                                                 : Value();
  }
  auto fixedPoint = dyn_cast_if_present<RescaleFixedPointOp>(rescale);
  if (!fixedPoint)
    return {};
  Location loc = fixedPoint.getLoc();
  return addVectors(b, loc, fixedPoint.getBias(), negate(b, loc, fixedPoint));
}

static void attach(RescaleOp op, qtarget::PackedMatmulOp packed, OpBuilder &b,
                   int64_t nr) {
  Location loc = op.getLoc();
  if (Value scale = op.getRowScale())
    packed.getRowScaleMutable().assign(scale);
  if (Value scale = packColumns(b, loc, op.getChannelScale(), nr))
    packed.getChannelScaleMutable().assign(scale);
  if (Value bias = op.getBias();
      bias && tensorType(bias).getElementType().isF32())
    packed.getBiasMutable().assign(packColumns(b, loc, bias, nr));
  if (Value residual = op.getResidual())
    packed.getResidualMutable().assign(residual);
  packed.setZeroPointAttr(op.getZeroPointAttr());
  packed.setRangeAttr(op.getRangeAttr());
  packed.setClampMinAttr(op.getClampMinAttr());
  packed.setClampMaxAttr(op.getClampMaxAttr());
  packed.setIsUnsigned(op.getIsUnsigned());
}

static void attach(RescaleFixedPointOp op, qtarget::PackedMatmulOp packed,
                   OpBuilder &b, int64_t nr) {
  Location loc = op.getLoc();
  packed.getMultiplierMutable().assign(
      packColumns(b, loc, op.getMultiplier(), nr));
  packed.getShiftMutable().assign(packColumns(b, loc, op.getShift(), nr));
  packed.setRoundingAttr(op.getRoundingAttr());
  if (op.getOutputZeroPoint() != 0)
    packed.setZeroPointAttr(op.getOutputZeroPointAttr());
  packed.setRangeAttr(op.getRangeAttr());
  packed.setIsUnsigned(op.getIsUnsigned());
}

void PackedRescale::attachTo(qtarget::PackedMatmulOp packed, OpBuilder &b,
                             int64_t nr) const {
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(packed);
  if (auto scaled = dyn_cast_if_present<RescaleOp>(rescale))
    attach(scaled, packed, b, nr);
  else if (auto fixedPoint = dyn_cast_if_present<RescaleFixedPointOp>(rescale))
    attach(fixedPoint, packed, b, nr);
}
