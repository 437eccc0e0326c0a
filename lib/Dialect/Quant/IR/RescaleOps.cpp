//===- RescaleOps.cpp - rescale and rescale_fixed_point -------------------===//
//
// Verifiers. The labels c1, c2, ... are the constraints of the ops' docs.
//
//===----------------------------------------------------------------------===//

#include "quant/Dialect/Quant/Utils/VerifyUtils.h"

#include "quant/Dialect/Quant/IR/QuantOps.h"

#include <limits>

using namespace mlir;
using namespace quantmlir;

/// C6 of rescale: what belongs to an integer result and what it needs.
static LogicalResult verifyIntegerResult(RescaleOp op) {
  Type elementType = op.getResult().getType().getElementType();
  if (!isa<IntegerType>(elementType)) {
    if (op.getZeroPoint() || op.getRange() || op.getIsUnsigned())
      return op.emitOpError("expected no zero_point, range or unsigned with a "
                            "float result, but the result is ")
             << op.getResult().getType();
    return success();
  }
  if (!op.getRange())
    return op.emitOpError("expected a range with an integer result, but the "
                          "result is ")
           << op.getResult().getType();
  return verifyRange(op, *op.getRange(), elementType, op.getIsUnsigned());
}

LogicalResult RescaleOp::verify() {
  RankedTensorType acc = getAcc().getType();
  // An accumulator has at least its column dimension: part of c2 and c3.
  if (acc.getRank() == 0)
    return emitOpError("expected acc of rank >= 1, but got ") << acc;
  // rescale_c1
  if (!getRowScale() && !getChannelScale())
    return emitOpError("expected a row_scale or a channel_scale, but got "
                       "neither");
  ArrayRef<int64_t> rows = acc.getShape().drop_back();
  ArrayRef<int64_t> columns = acc.getShape().take_back();
  // rescale_c2
  if (getRowScale() &&
      failed(verifyScalarOrShape(*this, "row_scale", getRowScale().getType(),
                                 rows, "one for each row of acc")))
    return failure();
  // rescale_c3
  if (getChannelScale() &&
      failed(verifyScalarOrShape(*this, "channel_scale",
                                 getChannelScale().getType(), columns,
                                 "one for each column of acc")))
    return failure();
  // rescale_c4
  if (getBias() &&
      failed(verifyParameterShape(*this, "bias", getBias().getType(), columns,
                                  "one for each column of acc")))
    return failure();
  // rescale_c5
  if (failed(verifyShape(*this, "result", getResult().getType(), acc.getShape(),
                         "the shape of acc")))
    return failure();
  // rescale_c6
  if (failed(verifyIntegerResult(*this)))
    return failure();
  // rescale_c7
  if (failed(verifyConstantScale(*this, "row_scale", getRowScale())) ||
      failed(verifyConstantScale(*this, "channel_scale", getChannelScale())))
    return failure();
  // rescale_c8
  for (auto [name, bound] : {std::make_pair("clamp_min", getClampMinAttr()),
                             std::make_pair("clamp_max", getClampMaxAttr())})
    if (bound && bound.getValue().isNaN())
      return emitOpError("expected a number as ") << name << ", but got NaN";
  if (getClampMin() && getClampMax() && *getClampMin() > *getClampMax())
    return emitOpError("expected clamp_min <= clamp_max, but got ")
           << getClampMin()->convertToFloat() << " and "
           << getClampMax()->convertToFloat();
  // rescale_c9
  if (!getResidual())
    return success();
  if (!isa<FloatType>(getResult().getType().getElementType()))
    return emitOpError("expected no residual with an integer result, but the "
                       "result is ")
           << getResult().getType();
  return verifyShape(*this, "residual", getResidual().getType(), acc.getShape(),
                     "the shape of acc");
}

LogicalResult RescaleFixedPointOp::verify() {
  RankedTensorType acc = getAcc().getType();
  RankedTensorType multiplier = getMultiplier().getType();
  RankedTensorType shift = getShift().getType();
  ArrayRef<int64_t> columns =
      acc.getShape().take_back(std::min<int64_t>(acc.getRank(), 1));
  // rescale_fixed_point_c1
  if (acc.getRank() == 0)
    return emitOpError("expected acc of rank >= 1, but got ") << acc;
  if (failed(verifyScalarOrShape(*this, "multiplier", multiplier, columns,
                                 "one for each column of acc")) ||
      failed(verifyScalarOrShape(*this, "shift", shift, columns,
                                 "one for each column of acc")))
    return failure();
  if (multiplier.getRank() != shift.getRank())
    return emitOpError("expected multiplier and shift of one rank, but got ")
           << multiplier << " and " << shift;
  // rescale_fixed_point_c2
  if (getBias() &&
      failed(verifyParameterShape(*this, "bias", getBias().getType(), columns,
                                  "one for each column of acc")))
    return failure();
  // rescale_fixed_point_c3
  RankedTensorType result = getResult().getType();
  if (failed(verifyShape(*this, "result", result, acc.getShape(),
                         "the shape of acc")))
    return failure();
  // rescale_fixed_point_c4
  if (failed(verifyRange(*this, getRange(), result.getElementType(),
                         getIsUnsigned())))
    return failure();
  // rescale_fixed_point_c5
  if (failed(verifyConstantInRange(*this, "shift", getShift(), {2, 62})))
    return failure();
  return verifyConstantInRange(*this, "multiplier", getMultiplier(),
                               {0, std::numeric_limits<int32_t>::max()});
}
