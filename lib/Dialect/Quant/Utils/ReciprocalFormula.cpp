//===- ReciprocalFormula.cpp - quantize without a division ----------------===//

#include "quant/Dialect/Quant/Utils/ReciprocalFormula.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/bit.h"

using namespace mlir;
using namespace quantmlir;

/// 1.5 * 2^23 and its bits.
static constexpr double kRoundingShift = 12582912.0;
static constexpr int64_t kRoundingShiftBits = 0x4B400000;

std::array<float, kNumReciprocalParameters>
quantmlir::getReciprocalParameters(float scale, float zeroPoint,
                                   ArrayRef<int64_t> range) {
  int32_t exponent = std::min(llvm::bit_cast<int32_t>(scale) & kExponentMask,
                              kLargestExponent);
  float power = llvm::bit_cast<float>(kPowerSum - exponent);
  float scaled = scale * power;
  auto bound = [&](int64_t q) {
    return (static_cast<float>(q) - zeroPoint) * scaled;
  };
  return {power, scaled, 1.0f / scaled, bound(range[0]), bound(range[1])};
}

/// A constant of `type`, a number or a vector.
static Value constantOf(OpBuilder &b, Location loc, Type type,
                        TypedAttr value) {
  if (auto shaped = dyn_cast<ShapedType>(type))
    value = DenseElementsAttr::get(shaped, value);
  return arith::ConstantOp::create(b, loc, value);
}

Value quantmlir::emitRoundedQuotient(OpBuilder &b, Location loc, Value x,
                                     ValueRange parameters) {
  auto select = [&](arith::CmpFPredicate predicate, Value bound, Value x) {
    Value isBound = arith::CmpFOp::create(b, loc, predicate, bound, x);
    return arith::SelectOp::create(b, loc, isBound, bound, x).getResult();
  };
  x = arith::MulFOp::create(b, loc, x, parameters[kPower]);
  x = select(arith::CmpFPredicate::OLT, parameters[kUpper], x);
  x = select(arith::CmpFPredicate::OGT, parameters[kLower], x);
  Value q = arith::MulFOp::create(b, loc, x, parameters[kReciprocal]);
  for (int i = 0; i < 2; ++i) {
    Value minus = arith::NegFOp::create(b, loc, q);
    Value remainder = math::FmaOp::create(b, loc, minus, parameters[kScale], x);
    q = math::FmaOp::create(b, loc, remainder, parameters[kReciprocal], q);
  }
  Value shift =
      constantOf(b, loc, x.getType(), b.getF32FloatAttr(kRoundingShift));
  Value shifted = arith::AddFOp::create(b, loc, q, shift);
  Value isNumber =
      arith::CmpFOp::create(b, loc, arith::CmpFPredicate::ORD, q, q);
  shifted = arith::SelectOp::create(b, loc, isNumber, shifted, shift);
  Type integer = b.getI32Type();
  if (auto vector = dyn_cast<VectorType>(x.getType()))
    integer = vector.clone(integer);
  Value bits = arith::BitcastOp::create(b, loc, integer, shifted);
  return arith::SubIOp::create(
      b, loc, bits,
      constantOf(b, loc, integer, b.getI32IntegerAttr(kRoundingShiftBits)));
}
