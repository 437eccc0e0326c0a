//===- RescaledMatmul.cpp - replace a contraction -------------------------===//

#include "quant/Import/Contraction/RescaledMatmul.h"

#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Import/MatmulNames.h"

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

/// The quantized matmul goes by the name of the contraction.
static void copyName(Operation *from, Value to) {
  if (Attribute name = from->getAttr(kMatmulNameAttr))
    to.getDefiningOp()->setAttr(kMatmulNameAttr, name);
}

/// `matrix`, `[batch.., M, N]`, and the contraction's init where that is not
/// zero take the contraction's place.
static void replaceContraction(OpBuilder &builder, MatmulEmitter &emitter,
                               const Contraction &contraction, Value matrix) {
  Location loc = contraction.op->getLoc();
  Value result = emitter.emitResult(matrix);
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

void quantmlir::emitRescaledMatmul(OpBuilder &builder, MatmulEmitter &emitter,
                                   const Contraction &contraction,
                                   const QuantizedMatrix &lhs,
                                   const QuantizedMatrix &rhs) {
  Location loc = contraction.op->getLoc();
  Value zero = emitter.emitZeroAccumulator(lhs.ints, rhs.ints);
  Value accumulator = emitMatmul(builder, emitter, loc, lhs, rhs, zero);
  copyName(contraction.op, accumulator);
  auto type = cast<RankedTensorType>(zero.getType())
                  .clone(contraction.getResultElementType());
  Value rescaled = RescaleOp::create(
      builder, loc, type, accumulator, lhs.scale, rhs.scale,
      /*bias=*/Value(), /*zero_point=*/IntegerAttr(),
      /*range=*/DenseI64ArrayAttr(), /*clamp_min=*/FloatAttr(),
      /*clamp_max=*/FloatAttr(), /*is_unsigned=*/UnitAttr());
  replaceContraction(builder, emitter, contraction, rescaled);
}

void quantmlir::emitScaledMatmul(OpBuilder &builder, MatmulEmitter &emitter,
                                 const Contraction &contraction,
                                 const QuantizedMatrix &lhs,
                                 const QuantizedMatrix &rhs,
                                 int64_t groupSize) {
  Location loc = contraction.op->getLoc();
  auto lhsType = cast<RankedTensorType>(lhs.ints.getType());
  SmallVector<int64_t> shape(lhsType.getShape());
  shape.back() = cast<RankedTensorType>(rhs.ints.getType()).getDimSize(0);
  UnitAttr unit = builder.getUnitAttr(), none;
  Value scaled = ScaledMatmulOp::create(
      builder, loc,
      RankedTensorType::get(shape, contraction.getResultElementType()),
      lhs.ints, rhs.ints, lhs.zeroPoint, lhs.scale, rhs.scale, rhs.zeroPoint,
      /*rhs_offset=*/Value(), /*bias=*/Value(),
      builder.getI64IntegerAttr(groupSize), lhs.isUnsigned ? unit : none,
      rhs.isUnsigned ? unit : none);
  copyName(contraction.op, scaled);
  replaceContraction(builder, emitter, contraction, scaled);
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
