//===- VectorRotation.cpp - vectors of a row, loaded and rotated ----------===//
//
// A stage adds to each lane, or subtracts it from, its partner: a shuffle, and
// a fused multiply-add whose factors are 1 and -1, which is the sum or the
// difference to the bit. Between lanes of different registers the shuffle is
// none, and LLVM makes additions of the multiply-adds.
//
//===----------------------------------------------------------------------===//

#include "VectorRotation.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace quantmlir;

static Value constantVector(OpBuilder &b, Location loc, Attribute element,
                            int64_t lanes) {
  auto type = VectorType::get({lanes}, cast<TypedAttr>(element).getType());
  return arith::ConstantOp::create(b, loc,
                                   DenseElementsAttr::get(type, element));
}

Value quantmlir::loadFloats(OpBuilder &b, Location loc, Value memory,
                            ValueRange indices, int64_t lanes) {
  Type element = cast<MemRefType>(memory.getType()).getElementType();
  Value x = vector::LoadOp::create(b, loc, VectorType::get({lanes}, element),
                                   memory, indices);
  if (element.isF32())
    return x;
  auto type = VectorType::get({lanes}, b.getF32Type());
  if (element.isF16())
    return arith::ExtFOp::create(b, loc, type, x);
  // A bf16 is the upper half of an f32. (LLVM 22 stops at some vectors of
  // bf16.)
  Value upper = arith::BitcastOp::create(
      b, loc, VectorType::get({lanes}, b.getI16Type()), x);
  auto words = VectorType::get({lanes}, b.getI32Type());
  upper = arith::ExtUIOp::create(b, loc, words, upper);
  upper = arith::ShLIOp::create(
      b, loc, upper, constantVector(b, loc, b.getI32IntegerAttr(16), lanes));
  return arith::BitcastOp::create(b, loc, type, upper);
}

/// A vector of `factors`, 1 or -1 each, multiplied with `x` without a rounding,
/// plus `addend`, if there is one.
static Value emitSigned(OpBuilder &b, Location loc, Value x,
                        ArrayRef<float> factors, Value addend, bool isFused) {
  auto type = cast<VectorType>(x.getType());
  if (addend && isFused) {
    Value signs = arith::ConstantOp::create(
        b, loc, DenseElementsAttr::get(type, factors));
    return math::FmaOp::create(b, loc, x, signs, addend);
  }
  SmallVector<int32_t> flips;
  for (float factor : factors)
    flips.push_back(factor < 0 ? std::numeric_limits<int32_t>::min() : 0);
  VectorType words = VectorType::get(type.getShape(), b.getI32Type());
  Value mask = arith::ConstantOp::create(
      b, loc, DenseElementsAttr::get(words, ArrayRef<int32_t>(flips)));
  Value bits = arith::BitcastOp::create(b, loc, words, x);
  Value turned = arith::BitcastOp::create(
      b, loc, type, arith::XOrIOp::create(b, loc, bits, mask));
  return addend ? arith::AddFOp::create(b, loc, addend, turned).getResult()
                : turned;
}

Value quantmlir::emitVectorRotation(OpBuilder &b, Location loc, Value x,
                                    const Rotation &rotation, bool isFused) {
  int64_t lanes = cast<VectorType>(x.getType()).getDimSize(0);
  assert(lanes % rotation.size == 0 && "expected whole blocks");
  SmallVector<float> factors(lanes);
  if (rotation.seed) {
    for (int64_t i = 0; i < lanes; ++i)
      factors[i] = reference::getRotationSign(i % rotation.size, rotation.seed);
    x = emitSigned(b, loc, x, factors, Value(), isFused);
  }
  SmallVector<int64_t> partners(lanes);
  for (int64_t distance = 1; distance < rotation.size; distance *= 2) {
    for (int64_t i = 0; i < lanes; ++i) {
      partners[i] = i ^ distance;
      factors[i] = i & distance ? -1 : 1;
    }
    Value other = vector::ShuffleOp::create(b, loc, x, x, partners);
    x = emitSigned(b, loc, x, factors, other, isFused);
  }
  float factor = reference::getRotationFactor(rotation.size);
  return arith::MulFOp::create(
      b, loc, x, constantVector(b, loc, b.getF32FloatAttr(factor), lanes));
}

SmallVector<RowColumns>
quantmlir::splitColumns(int64_t k, const Rotation &rotation, int64_t lanes) {
  SmallVector<RowColumns> parts;
  int64_t rotated = rotation.getRotated(k);
  if (rotated)
    parts.push_back({0, rotated, std::max(lanes, rotation.size), true});
  if (rotated < k)
    parts.push_back({rotated, k, lanes, false});
  return parts;
}
