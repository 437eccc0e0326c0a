//===- VectorQuotient.cpp - floats over the scale that they share ---------===//

#include "VectorQuotient.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace quantmlir;

/// The bits of 2^-90 and 2^90.
static constexpr int64_t kLeastUsual = (127 - 90) << 23;
static constexpr int64_t kMostUsual = (127 + 90) << 23;

static Value wordOf(OpBuilder &b, Location loc, int64_t value) {
  return arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(value));
}

ScaleReciprocal quantmlir::emitReciprocal(OpBuilder &b, Location loc,
                                          Value scale) {
  Value one = arith::ConstantOp::create(b, loc, b.getF32FloatAttr(1));
  Value y = arith::DivFOp::create(b, loc, one, scale);
  Value minus = arith::NegFOp::create(b, loc, y);
  Value missing = math::FmaOp::create(b, loc, minus, scale, one);
  return {scale, y, arith::MulFOp::create(b, loc, missing, y)};
}

Value quantmlir::emitQuotient(OpBuilder &b, Location loc, Value x,
                              const ScaleReciprocal &reciprocal) {
  auto splat = [&](Value scalar) -> Value {
    return vector::BroadcastOp::create(b, loc, x.getType(), scalar);
  };
  Value low = arith::MulFOp::create(b, loc, x, splat(reciprocal.z));
  Value q = math::FmaOp::create(b, loc, x, splat(reciprocal.y), low);
  Value minus = arith::NegFOp::create(b, loc, q);
  Value remainder =
      math::FmaOp::create(b, loc, minus, splat(reciprocal.scale), x);
  return math::FmaOp::create(b, loc, remainder, splat(reciprocal.y), q);
}

Value quantmlir::emitIsUsual(OpBuilder &b, Location loc, Value scale) {
  Value bits = arith::BitcastOp::create(b, loc, b.getI32Type(), scale);
  Value above =
      arith::SubIOp::create(b, loc, bits, wordOf(b, loc, kLeastUsual));
  return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, above,
                               wordOf(b, loc, kMostUsual - kLeastUsual));
}

Value quantmlir::emitMagnitudeBits(OpBuilder &b, Location loc, Value x,
                                   bool onlyFinite) {
  auto type = cast<VectorType>(x.getType()).clone(b.getI32Type());
  auto words = [&](int32_t value) -> Value {
    return arith::ConstantOp::create(b, loc,
                                     DenseElementsAttr::get(type, value));
  };
  Value magnitude =
      arith::AndIOp::create(b, loc, arith::BitcastOp::create(b, loc, type, x),
                            words(std::numeric_limits<int32_t>::max()));
  if (!onlyFinite)
    return magnitude;
  Value isFinite =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, magnitude,
                            words(static_cast<int32_t>(kInfinityBits)));
  return arith::SelectOp::create(b, loc, isFinite, magnitude, words(0));
}
