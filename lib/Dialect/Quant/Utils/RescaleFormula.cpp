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

Value quantmlir::emitRescale(OpBuilder &b, Location loc, Value acc,
                             const RescaleTerms &terms, Type element) {
  Value scale = terms.rowScale ? terms.rowScale : terms.channelScale;
  if (terms.rowScale && terms.channelScale)
    scale = arith::MulFOp::create(b, loc, terms.rowScale, terms.channelScale);
  bool intBias =
      terms.bias && getElementTypeOrSelf(terms.bias.getType()).isInteger();
  if (intBias)
    acc = arith::AddIOp::create(b, loc, acc, terms.bias);
  Value y =
      arith::SIToFPOp::create(b, loc, shapedLike(acc, b.getF32Type()), acc);
  y = arith::MulFOp::create(b, loc, y, scale);
  if (terms.bias && !intBias)
    y = arith::AddFOp::create(b, loc, y, terms.bias);
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
