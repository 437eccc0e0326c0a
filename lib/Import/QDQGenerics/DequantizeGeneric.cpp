//===- DequantizeGeneric.cpp - DequantizeLinear as linalg.generic ---------===//

#include "quant/Import/QDQGenerics/QDQGenerics.h"

#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Dialect/Quant/Utils/Constants.h"
#include "quant/Import/Contraction/MatmulEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace quantmlir;

namespace {
/// An integer of the body: a stored one, widened or not.
struct WidenedInt {
  Value narrow;
  bool isUnsigned = false;
};
} // namespace

static WidenedInt lookThroughExtension(Value value) {
  WidenedInt widened{value, false};
  while (Operation *def = widened.narrow.getDefiningOp()) {
    if (isa<arith::ExtUIOp>(def))
      widened.isUnsigned = true;
    else if (!isa<arith::ExtSIOp>(def))
      break;
    widened.narrow = def->getOperand(0);
  }
  return widened;
}

/// Zero points that are held as floats, and are integers.
static std::optional<SmallVector<int32_t>>
readFloatZeroPoints(ArrayRef<float> constants) {
  SmallVector<int32_t> zeroPoints;
  for (float constant : constants) {
    if (!(std::abs(constant) <= 256) || constant != std::trunc(constant))
      return std::nullopt;
    zeroPoints.push_back(static_cast<int32_t>(constant));
  }
  return zeroPoints;
}

/// Reads the zero points as numbers; they must be constant.
static std::optional<SmallVector<int32_t>>
readZeroPoints(const BodyParameter &parameter, bool isUnsigned) {
  SmallVector<int32_t> zeroPoints;
  if (!parameter.isTensor) {
    FloatAttr real;
    if (matchPattern(parameter.value, m_Constant(&real)))
      return readFloatZeroPoints(static_cast<float>(real.getValueAsDouble()));
    APInt constant;
    if (!matchPattern(parameter.value, m_ConstantInt(&constant)) ||
        !constant.isSignedIntN(32))
      return std::nullopt;
    zeroPoints.push_back(isUnsigned ? constant.getZExtValue()
                                    : constant.getSExtValue());
    return zeroPoints;
  }
  auto type = cast<RankedTensorType>(parameter.value.getType());
  if (isa<FloatType>(type.getElementType())) {
    auto constants = getConstantFloats(parameter.value);
    return constants ? readFloatZeroPoints(*constants) : std::nullopt;
  }
  auto constants = getConstantInts(parameter.value);
  unsigned bits = type.getElementTypeBitWidth();
  if (!constants || (bits != 8 && bits != 4))
    return std::nullopt;
  int64_t mask = (int64_t(1) << bits) - 1;
  for (int64_t constant : *constants)
    zeroPoints.push_back(isUnsigned ? (constant & mask) : constant);
  return zeroPoints;
}

/// The zero point in `sub = ext(q) - zero point`, as numbers and loops.
static std::optional<SmallVector<int32_t>>
matchZeroPoint(linalg::GenericOp op, Value value, BodyParameter &parameter) {
  WidenedInt widened = lookThroughExtension(value);
  std::optional<BodyParameter> found = matchParameter(op, widened.narrow);
  if (!found)
    return std::nullopt;
  parameter = *found;
  return readZeroPoints(parameter, widened.isUnsigned);
}

namespace {
/// `yield factor * fp(integer)`.
struct ScaledInt {
  Operation *conversion;
  Value integer, factor;
  /// A zero point that is subtracted as a float; may be null.
  Value floatZero;
};
} // namespace

static std::optional<ScaledInt> matchScaledInt(linalg::GenericOp op) {
  Value yielded = op.getBlock()->getTerminator()->getOperand(0);
  auto mul = yielded.getDefiningOp<arith::MulFOp>();
  if (!mul || !isa<Float32Type, Float16Type, BFloat16Type>(mul.getType()))
    return std::nullopt;
  // The conversion, less a zero point or not.
  auto getConversion = [](Value value) -> Operation * {
    if (auto sub = value.getDefiningOp<arith::SubFOp>())
      value = sub.getLhs();
    Operation *def = value.getDefiningOp();
    return isa_and_nonnull<arith::SIToFPOp, arith::UIToFPOp>(def) ? def
                                                                  : nullptr;
  };
  Value converted = mul.getLhs(), factor = mul.getRhs();
  if (!getConversion(converted))
    std::swap(converted, factor);
  Operation *conversion = getConversion(converted);
  if (!conversion)
    return std::nullopt;
  auto sub = converted.getDefiningOp<arith::SubFOp>();
  return ScaledInt{conversion, conversion->getOperand(0), factor,
                   sub ? sub.getRhs() : Value()};
}

/// The input that `value` is an element of, walked in the op's own order.
static Value matchWholeInput(linalg::GenericOp op, Value value) {
  std::optional<BodyParameter> input = matchParameter(op, value);
  if (!input || !input->isTensor || input->hasUnitDims ||
      static_cast<int64_t>(input->axes.size()) != op.getNumLoops())
    return {};
  return input->value;
}

bool quantmlir::convertDequantizeGeneric(linalg::GenericOp op) {
  std::optional<ScaledInt> scaled = matchScaledInt(op);
  if (!scaled)
    return false;
  auto sub = scaled->integer.getDefiningOp<arith::SubIOp>();
  // A difference of two bytes needs more than their bits, and a sign.
  if (sub && (!isa<arith::SIToFPOp>(scaled->conversion) ||
              sub.getType().getIntOrFloatBitWidth() < 16))
    return false;
  WidenedInt stored =
      lookThroughExtension(sub ? sub.getLhs() : scaled->integer);
  if (!sub && stored.narrow == scaled->integer)
    stored.isUnsigned = isa<arith::UIToFPOp>(scaled->conversion);
  Value input = matchWholeInput(op, stored.narrow);
  Type element = stored.narrow.getType();
  if (!input || !(element.isInteger(8) || element.isInteger(4)))
    return false;

  SmallVector<int32_t> zeroPoints;
  BodyParameter zeroPoint;
  if (sub && scaled->floatZero)
    return false;
  if (sub || scaled->floatZero) {
    auto found =
        matchZeroPoint(op, sub ? sub.getRhs() : scaled->floatZero, zeroPoint);
    if (!found)
      return false;
    zeroPoints = *found;
  }
  // As in the stored type, so that a matmul can take it over.
  int64_t half = int64_t(1) << (element.getIntOrFloatBitWidth() - 1);
  int64_t min = stored.isUnsigned ? 0 : -half;
  if (!llvm::all_of(zeroPoints,
                    [&](int64_t z) { return z >= min && z < min + 2 * half; }))
    return false;
  std::optional<BodyParameter> scale = matchParameter(op, scaled->factor);
  bool hasZeroPoint = llvm::any_of(zeroPoints, [](int32_t z) { return z; });
  // f16 holds every difference, and f32 every product with one; so that it is
  // rounded once, as here. bf16 holds 8 bits: what is stored, no differences.
  if (hasZeroPoint && scaled->factor.getType().isBF16())
    return false;
  // Our op has one list of axes for both.
  if (!scale || (hasZeroPoint && zeroPoint.axes != scale->axes))
    return false;

  OpBuilder builder(op);
  Value scaleTensor = emitScale(builder, op.getLoc(), *scale);
  if (!scaleTensor)
    return false;
  Value zeroPointTensor;
  if (hasZeroPoint) {
    auto type = cast<RankedTensorType>(scaleTensor.getType())
                    .clone(builder.getI32Type());
    if (!type.hasStaticShape() ||
        type.getNumElements() != static_cast<int64_t>(zeroPoints.size()))
      return false;
    zeroPointTensor = arith::ConstantOp::create(
        builder, op.getLoc(), makeI32TensorAttr(type, zeroPoints));
  }
  Value floats = DequantizeOp::create(
      builder, op.getLoc(), op->getResult(0).getType(), input, scaleTensor,
      zeroPointTensor, builder.getDenseI64ArrayAttr(scale->axes),
      stored.isUnsigned ? builder.getUnitAttr() : UnitAttr());
  op->getResult(0).replaceAllUsesWith(floats);
  eraseDeadChain(op);
  return true;
}

bool quantmlir::convertRescaleGeneric(linalg::GenericOp op) {
  std::optional<ScaledInt> scaled = matchScaledInt(op);
  if (!scaled || scaled->floatZero || !scaled->factor.getType().isF32() ||
      !isa<arith::SIToFPOp>(scaled->conversion) ||
      !scaled->integer.getType().isInteger(32) || op.getNumLoops() == 0)
    return false;
  Value sums = matchWholeInput(op, scaled->integer);
  std::optional<BodyParameter> scale = matchParameter(op, scaled->factor);
  // One scale, or one for each column.
  if (!sums || !scale || scale->axes.size() > 1 ||
      (scale->axes.size() == 1 && scale->axes.front() != op.getNumLoops() - 1))
    return false;
  OpBuilder builder(op);
  Value scaleTensor = emitScale(builder, op.getLoc(), *scale);
  if (!scaleTensor)
    return false;
  Value floats = RescaleOp::create(
      builder, op.getLoc(), op->getResult(0).getType(), sums,
      /*row_scale=*/Value(), scaleTensor, /*bias=*/Value(),
      /*residual=*/Value(),
      /*zero_point=*/IntegerAttr(), /*range=*/DenseI64ArrayAttr(),
      /*clamp_min=*/FloatAttr(), /*clamp_max=*/FloatAttr(),
      /*is_unsigned=*/UnitAttr());
  op->getResult(0).replaceAllUsesWith(floats);
  eraseDeadChain(op);
  return true;
}
