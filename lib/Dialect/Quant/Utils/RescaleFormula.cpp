//===- RescaleFormula.cpp - the formulas of rescale and saturate ----------===//

#include "quant/Dialect/Quant/Utils/RescaleFormula.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace quantmlir;

/// `element`, in the shape of `like`.
static Type shapedLike(Value like, Type element) {
  if (auto vector = dyn_cast<VectorType>(like.getType()))
    return vector.clone(element);
  return element;
}

/// An f32 constant in the shape of `like`.
static Value constantLike(OpBuilder &b, Location loc, Value like,
                          const APFloat &value) {
  TypedAttr attr = b.getFloatAttr(b.getF32Type(), value);
  if (auto vector = dyn_cast<VectorType>(like.getType()))
    attr = DenseElementsAttr::get(vector.clone(b.getF32Type()), attr);
  return arith::ConstantOp::create(b, loc, attr);
}
/// A whole number as f32.
static Value constantLike(OpBuilder &b, Location loc, Value like,
                          int64_t value) {
  return constantLike(b, loc, like, APFloat(static_cast<float>(value)));
}

Value quantmlir::saturate(OpBuilder &b, Location loc, Value rounded,
                          Value zeroPoint, int64_t lo, int64_t hi,
                          Type element) {
  Value shifted = rounded;
  if (zeroPoint)
    shifted = arith::AddFOp::create(b, loc, rounded, zeroPoint);
  // `fptosi` of NaN or of a value out of range is poison: both are handled
  // while the value is a float.
  Value isNaN = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::UNO,
                                      rounded, rounded);
  Value ifNaN = zeroPoint ? zeroPoint : constantLike(b, loc, rounded, 0);
  Value number = arith::SelectOp::create(b, loc, isNaN, ifNaN, shifted);
  Value clamped = arith::MinimumFOp::create(
      b, loc,
      arith::MaximumFOp::create(b, loc, number,
                                constantLike(b, loc, rounded, lo)),
      constantLike(b, loc, rounded, hi));
  Value wide = arith::FPToSIOp::create(
      b, loc, shapedLike(rounded, b.getI32Type()), clamped);
  return arith::TruncIOp::create(b, loc, shapedLike(rounded, element), wide);
}

/// An integer constant of `bits` in the shape of `like`.
static Value integerLike(OpBuilder &b, Location loc, Value like, int64_t value,
                         unsigned bits) {
  Type element = b.getIntegerType(bits);
  TypedAttr attr = b.getIntegerAttr(element, value);
  if (auto vector = dyn_cast<VectorType>(like.getType()))
    attr = DenseElementsAttr::get(vector.clone(element), attr);
  return arith::ConstantOp::create(b, loc, attr);
}

/// TOSA 1.0 apply_scale_32, in i64.
static Value applyScale32(OpBuilder &b, Location loc, Value value,
                          const RescaleTerms &terms) {
  auto wide = [&](Value v) -> Value {
    return arith::ExtSIOp::create(b, loc, shapedLike(v, b.getI64Type()), v);
  };
  auto constant = [&](int64_t v) { return integerLike(b, loc, value, v, 64); };
  Value one = constant(1);
  Value shift = wide(terms.shift);
  Value round = arith::ShLIOp::create(
      b, loc, one, arith::SubIOp::create(b, loc, shift, one));
  if (terms.doubleRound) {
    Value isNegative =
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, value,
                              integerLike(b, loc, value, 0, 32));
    Value half = arith::SelectOp::create(
        b, loc, isNegative, constant(-(1LL << 30)), constant(1LL << 30));
    Value isLarge = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sgt,
                                          shift, constant(31));
    Value extra = arith::SelectOp::create(b, loc, isLarge, half, constant(0));
    round = arith::AddIOp::create(b, loc, round, extra);
  }
  Value product =
      arith::MulIOp::create(b, loc, wide(value), wide(terms.multiplier));
  return arith::ShRSIOp::create(
      b, loc, arith::AddIOp::create(b, loc, product, round), shift);
}

/// Adds the output zero point and clamps in i64, so that nothing wraps.
static Value emitFixedPoint(OpBuilder &b, Location loc, Value acc,
                            const RescaleTerms &terms, Type element) {
  if (terms.bias)
    acc = arith::AddIOp::create(b, loc, acc, terms.bias);
  Value value = applyScale32(b, loc, acc, terms);
  auto constant = [&](int64_t v) { return integerLike(b, loc, acc, v, 64); };
  if (terms.zeroPoint != 0)
    value = arith::AddIOp::create(b, loc, value, constant(terms.zeroPoint));
  value = arith::MaxSIOp::create(b, loc, value, constant(terms.range[0]));
  value = arith::MinSIOp::create(b, loc, value, constant(terms.range[1]));
  return arith::TruncIOp::create(b, loc, shapedLike(acc, element), value);
}

Value quantmlir::emitRescaled(OpBuilder &b, Location loc, Value y,
                              const RescaleTerms &terms, Type element) {
  if (terms.bias)
    y = arith::AddFOp::create(b, loc, y, terms.bias);
  if (terms.residual)
    y = arith::AddFOp::create(b, loc, y, terms.residual);
  if (terms.clampMin)
    y = arith::MaximumFOp::create(b, loc, y,
                                  constantLike(b, loc, y, *terms.clampMin));
  if (terms.clampMax)
    y = arith::MinimumFOp::create(b, loc, y,
                                  constantLike(b, loc, y, *terms.clampMax));
  if (element.isF32())
    return y;
  if (isa<FloatType>(element))
    return arith::TruncFOp::create(b, loc, shapedLike(y, element), y);
  Value zeroPoint;
  if (terms.zeroPoint != 0)
    zeroPoint = constantLike(b, loc, y, terms.zeroPoint);
  Value rounded = math::RoundEvenOp::create(b, loc, y);
  return saturate(b, loc, rounded, zeroPoint, terms.range[0], terms.range[1],
                  element);
}

Value quantmlir::emitRescale(OpBuilder &b, Location loc, Value acc,
                             const RescaleTerms &terms, Type element) {
  if (terms.multiplier)
    return emitFixedPoint(b, loc, acc, terms, element);
  if (!terms.rowScale && !terms.channelScale)
    return acc;
  Value scale = terms.rowScale ? terms.rowScale : terms.channelScale;
  if (terms.rowScale && terms.channelScale)
    scale = arith::MulFOp::create(b, loc, terms.rowScale, terms.channelScale);
  RescaleTerms rest = terms;
  if (terms.bias && getElementTypeOrSelf(terms.bias.getType()).isInteger()) {
    acc = arith::AddIOp::create(b, loc, acc, terms.bias);
    rest.bias = {};
  }
  Value y =
      arith::SIToFPOp::create(b, loc, shapedLike(acc, b.getF32Type()), acc);
  y = arith::MulFOp::create(b, loc, y, scale);
  return emitRescaled(b, loc, y, rest, element);
}
