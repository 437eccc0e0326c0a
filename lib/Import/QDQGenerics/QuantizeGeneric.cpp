//===- QuantizeGeneric.cpp - QuantizeLinear as linalg.generic -------------===//

#include "quant/Import/QDQGenerics/QDQGenerics.h"

#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Import/Contraction/MatmulEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace quantmlir;

/// The integer that a float constant is.
static std::optional<int64_t> getIntegral(Value value) {
  FloatAttr constant;
  if (!matchPattern(value, m_Constant(&constant)))
    return std::nullopt;
  double number = constant.getValueAsDouble();
  if (!(number >= -256 && number <= 256) ||
      number != static_cast<int64_t>(number))
    return std::nullopt;
  return static_cast<int64_t>(number);
}

/// Takes one bound off `value`: `maximumf(value, bound)` or `minimumf`.
template <typename OpTy>
static std::optional<int64_t> matchBound(Value &value) {
  auto op = value.getDefiningOp<OpTy>();
  if (!op)
    return std::nullopt;
  if (std::optional<int64_t> bound = getIntegral(op.getRhs())) {
    value = op.getLhs();
    return bound;
  }
  std::optional<int64_t> bound = getIntegral(op.getLhs());
  value = op.getRhs();
  return bound;
}

/// A zero point that is added as a float: a constant, or a scalar integer that
/// is converted. Null when it is neither.
static Value emitZeroPoint(OpBuilder &builder, linalg::GenericOp op,
                           Value value, int64_t min, int64_t max) {
  Location loc = op.getLoc();
  auto type = RankedTensorType::get({}, builder.getI32Type());
  if (std::optional<int64_t> constant = getIntegral(value)) {
    if (*constant < min || *constant > max)
      return {};
    return arith::ConstantOp::create(
        builder, loc,
        DenseElementsAttr::get(type, builder.getI32IntegerAttr(*constant)));
  }
  auto convert = value.getDefiningOp<arith::SIToFPOp>();
  if (!convert)
    return {};
  std::optional<BodyParameter> scalar = matchParameter(op, convert.getIn());
  if (!scalar || scalar->isTensor)
    return {};
  Value integer = scalar->value;
  unsigned width = integer.getType().getIntOrFloatBitWidth();
  if (width > 32)
    integer =
        arith::TruncIOp::create(builder, loc, builder.getI32Type(), integer);
  else if (width < 32)
    return {};
  return tensor::FromElementsOp::create(builder, loc, type, integer);
}

bool quantmlir::convertQuantizeGeneric(linalg::GenericOp op) {
  Operation *conversion =
      op.getBlock()->getTerminator()->getOperand(0).getDefiningOp();
  if (!isa_and_nonnull<arith::FPToSIOp, arith::FPToUIOp>(conversion))
    return false;
  bool isUnsigned = isa<arith::FPToUIOp>(conversion);
  Type element = conversion->getResult(0).getType();
  if (!element.isInteger(8) && !element.isInteger(4))
    return false;

  // The clamp, in either order; it must keep the conversion in range.
  Value value = conversion->getOperand(0);
  std::optional<int64_t> max = matchBound<arith::MinimumFOp>(value);
  std::optional<int64_t> min = matchBound<arith::MaximumFOp>(value);
  if (!max)
    max = matchBound<arith::MinimumFOp>(value);
  int64_t bits = element.getIntOrFloatBitWidth();
  int64_t lowest = isUnsigned ? 0 : -(int64_t(1) << (bits - 1));
  int64_t highest = lowest + (int64_t(1) << bits) - 1;
  if (!min || !max || *min < lowest || *max > highest || *min >= *max)
    return false;

  auto add = value.getDefiningOp<arith::AddFOp>();
  Value rounded = value, zero;
  if (add) {
    bool isFirst = add.getLhs().getDefiningOp<math::RoundEvenOp>() != nullptr;
    rounded = isFirst ? add.getLhs() : add.getRhs();
    zero = isFirst ? add.getRhs() : add.getLhs();
  }
  auto round = rounded.getDefiningOp<math::RoundEvenOp>();
  auto div =
      round ? round.getOperand().getDefiningOp<arith::DivFOp>() : nullptr;
  if (!div)
    return false;
  std::optional<BodyParameter> input = matchParameter(op, div.getLhs());
  std::optional<BodyParameter> scale = matchParameter(op, div.getRhs());
  if (!input || !input->isTensor || !scale || !div.getType().isF32() ||
      static_cast<int64_t>(input->axes.size()) != op.getNumLoops() ||
      (zero && !scale->axes.empty()))
    return false;

  OpBuilder builder(op);
  Value scaleTensor = emitScale(builder, op.getLoc(), *scale);
  Value zeroPoint =
      zero ? emitZeroPoint(builder, op, zero, *min, *max) : Value();
  if (!scaleTensor || (zero && !zeroPoint))
    return false;
  Value ints = QuantizeOp::create(
      builder, op.getLoc(), op->getResult(0).getType(), input->value,
      scaleTensor, zeroPoint, builder.getDenseI64ArrayAttr(scale->axes),
      builder.getDenseI64ArrayAttr({*min, *max}),
      isUnsigned ? builder.getUnitAttr() : UnitAttr());
  op->getResult(0).replaceAllUsesWith(ints);
  eraseDeadChain(op);
  return true;
}
