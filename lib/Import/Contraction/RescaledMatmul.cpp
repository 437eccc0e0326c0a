//===- RescaledMatmul.cpp - replace a contraction -------------------------===//

#include "quant/Import/Contraction/RescaledMatmul.h"

#include "quant/Dialect/Quant/IR/QuantOps.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace quantmlir;

QuantizedMatrix quantmlir::emitGiven(MatmulEmitter &emitter,
                                     const QuantizedOperand &operand,
                                     bool isLhs) {
  auto emitVector = [&](const LoopTensor &vector) {
    return isLhs ? emitter.emitRowVector(vector)
                 : emitter.emitColumnVector(vector);
  };
  QuantizedMatrix matrix;
  matrix.isUnsigned = operand.isUnsigned;
  matrix.ints =
      isLhs ? emitter.emitLhs(operand.ints) : emitter.emitRhs(operand.ints);
  matrix.scale = emitVector(operand.scale);
  if (operand.hasZeroPoint())
    matrix.zeroPoint = emitVector(operand.zeroPoint);
  return matrix;
}

static Value emitMatmul(OpBuilder &builder, MatmulEmitter &emitter,
                        Location loc, const QuantizedMatrix &lhs,
                        const QuantizedMatrix &rhs, Value init) {
  UnitAttr unit = builder.getUnitAttr(), none;
  return MatmulOp::create(
      builder, loc, init.getType(), lhs.ints, rhs.ints, lhs.zeroPoint,
      rhs.zeroPoint, init, emitter.isRhsTransposed() ? unit : none,
      lhs.isUnsigned ? unit : none, rhs.isUnsigned ? unit : none);
}

void quantmlir::emitRescaledMatmul(OpBuilder &builder, MatmulEmitter &emitter,
                                   const Contraction &contraction,
                                   const QuantizedMatrix &lhs,
                                   const QuantizedMatrix &rhs) {
  Location loc = contraction.op->getLoc();
  Value zero = emitter.emitZeroAccumulator(lhs.ints, rhs.ints);
  Value accumulator = emitMatmul(builder, emitter, loc, lhs, rhs, zero);
  auto type = cast<RankedTensorType>(zero.getType())
                  .clone(contraction.getResultElementType());
  Value rescaled = RescaleOp::create(
      builder, loc, type, accumulator, lhs.scale, rhs.scale,
      /*bias=*/Value(), /*zero_point=*/IntegerAttr(),
      /*range=*/DenseI64ArrayAttr(), /*clamp_min=*/FloatAttr(),
      /*clamp_max=*/FloatAttr(), /*is_unsigned=*/UnitAttr());
  Value result = emitter.emitResult(rescaled);
  Value init = contraction.init.value;
  if (!isZeroInit(init)) {
    Value empty = tensor::EmptyOp::create(
        builder, loc, tensor::getMixedSizes(builder, loc, init),
        contraction.getResultElementType());
    result = linalg::AddOp::create(builder, loc, ValueRange{result, init},
                                   ValueRange{empty})
                 .getResult(0);
  }
  contraction.op->getResult(0).replaceAllUsesWith(result);
  eraseDeadChain(contraction.op);
}

Value quantmlir::emitIntegerSums(OpBuilder &builder, MatmulEmitter &emitter,
                                 const Contraction &contraction,
                                 const QuantizedMatrix &lhs,
                                 const QuantizedMatrix &rhs) {
  Value init = isZeroInit(contraction.init.value)
                   ? emitter.emitZeroAccumulator(lhs.ints, rhs.ints)
                   : emitter.emitInit();
  Value accumulator =
      emitMatmul(builder, emitter, contraction.op->getLoc(), lhs, rhs, init);
  return emitter.emitResult(accumulator);
}
