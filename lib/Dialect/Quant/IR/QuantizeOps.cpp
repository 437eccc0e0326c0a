//===- QuantizeOps.cpp - choose_qparams, quantize, dequantize -------------===//
//
// Verifiers. The labels c1, c2, ... are the constraints of the ops' docs.
//
//===----------------------------------------------------------------------===//

#include "quant/Dialect/Quant/Utils/VerifyUtils.h"

#include "quant/Dialect/Quant/IR/QuantOps.h"

using namespace mlir;
using namespace quantmlir;

/// Checks a scale or zero point against the dimensions that `axes` lists.
static LogicalResult verifyOperandShape(Operation *op, StringRef what,
                                        Value parameter, ArrayRef<int64_t> axes,
                                        ShapedType input) {
  if (!parameter)
    return success();
  return verifyParameterShape(op, what, cast<ShapedType>(parameter.getType()),
                              getAxesShape(axes, input),
                              "the input's sizes along axes");
}

/// Constraints c1 (axes) and c2 (shapes of the parameters), which the three ops
/// share.
template <typename OpTy>
static LogicalResult verifyParameters(OpTy op) {
  RankedTensorType input = op.getInput().getType();
  ArrayRef<int64_t> axes = op.getAxes();
  if (failed(verifyAxes(op, axes, input)) ||
      failed(verifyOperandShape(op, "scale", op.getScale(), axes, input)))
    return failure();
  return verifyOperandShape(op, "zero_point", op.getZeroPoint(), axes, input);
}

LogicalResult ChooseQParamsOp::verify() {
  // choose_qparams_c1, choose_qparams_c2
  if (failed(verifyParameters(*this)))
    return failure();
  // choose_qparams_c3
  if (failed(verifyRange(*this, getRange(), /*type=*/{},
                         /*isUnsigned=*/false)))
    return failure();
  int64_t qmin = getRange()[0], qmax = getRange()[1];
  // The bounds come first, so that the difference cannot overflow.
  if (qmin > 0 || qmax <= 0 || qmin < -255 || qmax > 255 || qmax - qmin > 255)
    return emitOpError("expected qmin <= 0 < qmax and qmax - qmin <= 255, "
                       "but got ")
           << formatShape(getRange());
  // choose_qparams_c4
  if (!getZeroPoint() && qmin == 0)
    return emitOpError("expected qmin < 0 where there is no zero_point "
                       "result, but got ")
           << formatShape(getRange());
  return success();
}

LogicalResult QuantizeOp::verify() {
  RankedTensorType input = getInput().getType();
  RankedTensorType result = getResult().getType();
  // quantize_c1, quantize_c2
  if (failed(verifyParameters(*this)))
    return failure();
  // quantize_c3
  if (failed(verifyRange(*this, getRange(), result.getElementType(),
                         getIsUnsigned())))
    return failure();
  // quantize_c4
  if (failed(verifyShape(*this, "result", result, input.getShape(),
                         "the input's shape")))
    return failure();
  // quantize_c5
  if (failed(verifyConstantScale(*this, "scale", getScale())))
    return failure();
  // quantize_c6
  return verifyConstantInRange(*this, "zero_point", getZeroPoint(),
                               {getRange()[0], getRange()[1]});
}

LogicalResult DequantizeOp::verify() {
  RankedTensorType input = getInput().getType();
  // dequantize_c1, dequantize_c2
  if (failed(verifyParameters(*this)))
    return failure();
  // dequantize_c3
  if (failed(verifyShape(*this, "result", getResult().getType(),
                         input.getShape(), "the input's shape")))
    return failure();
  // dequantize_c4
  return verifyConstantScale(*this, "scale", getScale());
}
