//===- ConstantRescale.h - a rescale with constant operands -----*- C++ -*-===//

#ifndef QUANT_LIB_DIALECT_QUANT_IR_CONSTANTRESCALE_H
#define QUANT_LIB_DIALECT_QUANT_IR_CONSTANTRESCALE_H

#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Dialect/Quant/Utils/Constants.h"
#include "quant/Reference/Reference.h"

namespace quantmlir {

/// The operands of a rescale, all constant.
struct ConstantRescale {
  std::optional<FloatConstant> rowScale, channelScale, floatBias, residual;
  std::optional<IntConstant> intBias;
  std::optional<float> clampMin, clampMax;

  /// False when an operand is not a constant.
  bool read(RescaleOp op) {
    if (op.getRowScale() && !(rowScale = FloatConstant::get(op.getRowScale())))
      return false;
    if (op.getChannelScale() &&
        !(channelScale = FloatConstant::get(op.getChannelScale())))
      return false;
    if (op.getBias() && !(floatBias = FloatConstant::get(op.getBias())) &&
        !(intBias = IntConstant::get(op.getBias())))
      return false;
    if (op.getResidual() && !(residual = FloatConstant::get(op.getResidual())))
      return false;
    if (op.getClampMin())
      clampMin = op.getClampMin()->convertToFloat();
    if (op.getClampMax())
      clampMax = op.getClampMax()->convertToFloat();
    return true;
  }

  /// Element `column` of a row of `columns`. A scale of rank 0 is read at 0,
  /// for every element.
  reference::RescaleParams getElement(int64_t row, int64_t column,
                                      int64_t columns) const {
    reference::RescaleParams params;
    if (residual)
      params.residual = (*residual)[row * columns + column];
    if (rowScale)
      params.rowScale = (*rowScale)[rowScale->size() == 1 ? 0 : row];
    if (channelScale)
      params.channelScale =
          (*channelScale)[channelScale->size() == 1 ? 0 : column];
    if (floatBias)
      params.floatBias = (*floatBias)[column];
    if (intBias)
      params.intBias = (*intBias)[column];
    params.clampMin = clampMin;
    params.clampMax = clampMax;
    return params;
  }
};

} // namespace quantmlir

#endif // QUANT_LIB_DIALECT_QUANT_IR_CONSTANTRESCALE_H
