//===- Rescale.cpp - tosa.rescale -> quant.rescale_fixed_point ------------===//
//
// TOSA 1.0's RESCALE with `scale32` is what `quant.rescale_fixed_point` is
// documented to be. Inputs of 8 and 16 bits are widened first, which RESCALE
// does, too.
//
//===----------------------------------------------------------------------===//

#include "quant/Import/TOSA/Rescale.h"

#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Dialect/Quant/Utils/Constants.h"
#include "quant/Dialect/Quant/Utils/GenericBuilder.h"
#include "quant/Dialect/Quant/Utils/StorageRange.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tosa/IR/TosaOps.h"

using namespace mlir;
using namespace quantmlir;

/// Input as i32, if it is narrower.
static Value emitWidened(OpBuilder &builder, tosa::RescaleOp op) {
  Value input = op.getInput();
  auto type = cast<RankedTensorType>(input.getType());
  if (type.getElementType().isInteger(32))
    return input;
  auto wide = type.clone(builder.getI32Type());
  Value init = emptyLike(builder, op.getLoc(), wide, input);
  bool isUnsigned = op.getInputUnsigned();
  return elementwise(builder, op.getLoc(), {{input, allDims(type.getRank())}},
                     init,
                     [&](OpBuilder &b, Location loc,
                         ValueRange args) -> SmallVector<Value> {
                       return {extendToI32(b, loc, args[0], isUnsigned)};
                     })
      .getResult(0);
}

namespace {
/// Multiplier and shift as constants: rank 0, or one for each channel.
struct Factors {
  Value multiplier, shift;
};
} // namespace

static std::optional<Factors>
emitFactors(OpBuilder &builder, tosa::RescaleOp op, int64_t numChannels) {
  auto multipliers = getConstantInts(op.getMultiplier());
  auto shifts = getConstantInts(op.getShift());
  size_t expected = op.getPerChannel() ? numChannels : 1;
  if (!multipliers || !shifts || multipliers->size() != expected ||
      shifts->size() != expected ||
      llvm::any_of(*multipliers, [](int64_t m) { return m < 0; }) ||
      llvm::any_of(*shifts, [](int64_t s) { return s < 2 || s > 62; }))
    return std::nullopt;
  SmallVector<int64_t> shape;
  if (op.getPerChannel())
    shape.push_back(numChannels);
  SmallVector<int32_t> m(multipliers->begin(), multipliers->end());
  SmallVector<int8_t> s(shifts->begin(), shifts->end());
  auto multiplierType = RankedTensorType::get(shape, builder.getI32Type());
  auto shiftType = RankedTensorType::get(shape, builder.getI8Type());
  Location loc = op.getLoc();
  return Factors{
      arith::ConstantOp::create(builder, loc,
                                makeI32TensorAttr(multiplierType, m)),
      arith::ConstantOp::create(builder, loc, makeIntTensorAttr(shiftType, s))};
}

static bool isInput(Type type) {
  return type.isSignlessInteger(8) || type.isSignlessInteger(16) ||
         type.isSignlessInteger(32);
}

static bool convertRescale(tosa::RescaleOp op) {
  auto input = dyn_cast<RankedTensorType>(op.getInput().getType());
  auto output = dyn_cast<RankedTensorType>(op.getOutput().getType());
  if (!op.getScale32() || !input || !output || input.getRank() == 0 ||
      !isInput(input.getElementType()) || !isInput(output.getElementType()))
    return false;
  FailureOr<int64_t> inputZero = op.getInputZeroPoint();
  FailureOr<int64_t> outputZero = op.getOutputZeroPoint();
  if (failed(inputZero) || failed(outputZero))
    return false;
  OpBuilder builder(op);
  std::optional<Factors> factors =
      emitFactors(builder, op, input.getShape().back());
  if (!factors)
    return false;
  // INEXACT_ROUND leaves the rounding open.
  bool isDouble = op.getRoundingMode() == tosa::RoundingMode::DOUBLE_ROUND;
  StorageRange range =
      getStorageRange(output.getElementType(), op.getOutputUnsigned());
  Value rescaled = RescaleFixedPointOp::create(
      builder, op.getLoc(), output, emitWidened(builder, op),
      factors->multiplier, factors->shift, /*bias=*/Value(),
      isDouble ? RoundingMode::DOUBLE_ROUND : RoundingMode::SINGLE_ROUND,
      static_cast<uint32_t>(*inputZero), static_cast<uint32_t>(*outputZero),
      builder.getDenseI64ArrayAttr({range.min, range.max}),
      op.getOutputUnsigned());
  op.getOutput().replaceAllUsesWith(rescaled);
  op.erase();
  return true;
}

int64_t quantmlir::convertTosaRescales(Operation *root) {
  SmallVector<tosa::RescaleOp> ops;
  root->walk([&](tosa::RescaleOp op) { ops.push_back(op); });
  return llvm::count_if(ops, convertRescale);
}

//===----------------------------------------------------------------------===//
// DequantizeLinear
//===----------------------------------------------------------------------===//

/// The dimension of a tensor of `rank` along which `factor`, broadcast to it,
/// varies; none for a single element, -1 if there are several.
static std::optional<int64_t> getAxis(RankedTensorType factor, int64_t rank) {
  std::optional<int64_t> axis;
  for (auto [dim, size] : llvm::enumerate(factor.getShape())) {
    if (size == 1)
      continue;
    if (axis || ShapedType::isDynamic(size))
      return -1;
    axis = rank - factor.getRank() + dim;
  }
  return axis;
}

/// `value` as stored integers less a constant zero point.
static Value matchShifted(Value value, int64_t &zeroPoint) {
  zeroPoint = 0;
  if (auto sub = value.getDefiningOp<tosa::SubOp>()) {
    auto constants = getConstantInts(sub.getInput2());
    if (!constants || constants->empty() || !llvm::all_equal(*constants))
      return {};
    zeroPoint = constants->front();
    value = sub.getInput1();
    auto cast = value.getDefiningOp<tosa::CastOp>();
    return cast ? cast.getInput() : Value();
  }
  // From i32 or from the stored integers themselves.
  if (auto cast = value.getDefiningOp<tosa::CastOp>();
      cast && getElementTypeOrSelf(value).isInteger(32))
    return cast.getInput();
  return value;
}

static bool convertTosaDequantize(tosa::MulOp op) {
  auto type = dyn_cast<RankedTensorType>(op.getType());
  auto cast = op.getInput1().getDefiningOp<tosa::CastOp>();
  if (!type || !type.getElementType().isF32() || !cast ||
      cast.getType() != type)
    return false;
  int64_t zeroPoint;
  Value stored = matchShifted(cast.getInput(), zeroPoint);
  auto storedType =
      stored ? dyn_cast<RankedTensorType>(stored.getType()) : nullptr;
  if (!storedType || !storedType.getElementType().isSignlessInteger(8) ||
      storedType.getShape() != type.getShape() || zeroPoint < -128 ||
      zeroPoint > 127)
    return false;
  auto scaleType = llvm::cast<RankedTensorType>(op.getInput2().getType());
  auto scales = getConstantFloats(op.getInput2());
  std::optional<int64_t> axis = getAxis(scaleType, type.getRank());
  if (!scales || axis == -1 ||
      !llvm::all_of(*scales, [](float s) { return std::isfinite(s) && s > 0; }))
    return false;
  OpBuilder builder(op);
  SmallVector<int64_t> axes, shape;
  if (axis) {
    axes.push_back(*axis);
    shape.push_back(type.getDimSize(*axis));
  }
  size_t count = axis ? shape.front() : 1;
  if (scales->size() != count)
    return false;
  Location loc = op.getLoc();
  Value scale = arith::ConstantOp::create(
      builder, loc,
      makeFloatTensorAttr(RankedTensorType::get(shape, builder.getF32Type()),
                          *scales));
  Value zero;
  if (zeroPoint != 0)
    zero = arith::ConstantOp::create(
        builder, loc,
        makeI32TensorAttr(RankedTensorType::get(shape, builder.getI32Type()),
                          SmallVector<int32_t>(count, zeroPoint)));
  Value floats = DequantizeOp::create(builder, loc, type, stored, scale, zero,
                                      builder.getDenseI64ArrayAttr(axes),
                                      /*is_unsigned=*/UnitAttr());
  op.getResult().replaceAllUsesWith(floats);
  op.erase();
  return true;
}

int64_t quantmlir::convertTosaDequantizes(Operation *root) {
  SmallVector<tosa::MulOp> ops;
  root->walk([&](tosa::MulOp op) { ops.push_back(op); });
  return llvm::count_if(ops, convertTosaDequantize);
}
