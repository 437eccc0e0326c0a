//===- LaneBuilder.cpp - vectors of so many lanes -------------------------===//

#include "LaneBuilder.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace quantmlir;

Value LaneBuilder::roundUp(Value size, int64_t unit) const {
  return times(arith::CeilDivUIOp::create(b, loc, size, index(unit)), unit);
}

Value LaneBuilder::roundDown(Value size, int64_t unit) const {
  Value rest = arith::RemUIOp::create(b, loc, size, index(unit));
  return arith::SubIOp::create(b, loc, size, rest);
}

Value LaneBuilder::broadcast(Value scalar, int64_t lanes) const {
  return vector::BroadcastOp::create(
      b, loc, VectorType::get({lanes}, scalar.getType()), scalar);
}

Value LaneBuilder::number(double value, int64_t lanes) const {
  auto type = VectorType::get({lanes}, b.getF32Type());
  return arith::ConstantOp::create(
      b, loc, DenseElementsAttr::get(type, static_cast<float>(value)));
}

Value LaneBuilder::word(int64_t value, int64_t lanes) const {
  auto type = VectorType::get({lanes}, b.getI32Type());
  return arith::ConstantOp::create(
      b, loc, DenseElementsAttr::get(type, static_cast<int32_t>(value)));
}

Value LaneBuilder::maskOf(Value begin, Value end, int64_t lanes) const {
  Value left = arith::SubIOp::create(b, loc, end, begin);
  // Vectors that begin behind the end have none.
  Value none =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, end, begin);
  left = arith::SelectOp::create(b, loc, none, index(0), left);
  return vector::CreateMaskOp::create(
      b, loc, VectorType::get({lanes}, b.getI1Type()), left);
}

Value LaneBuilder::loadLanes(Value memory, ValueRange at, Type type,
                             int64_t lanes, Value mask) const {
  auto vector = VectorType::get({lanes}, type);
  if (!mask)
    return vector::LoadOp::create(b, loc, vector, memory, at);
  Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(vector));
  return vector::MaskedLoadOp::create(b, loc, vector, memory, at, mask, zero);
}

Value LaneBuilder::addLanes(Value x) const {
  int64_t lanes = cast<VectorType>(x.getType()).getNumElements();
  for (int64_t half = lanes / 2; half > 0; half /= 2) {
    Value parts[2];
    for (int64_t i : {0, 1})
      parts[i] = vector::ExtractStridedSliceOp::create(
          b, loc, x, ArrayRef<int64_t>{i * half}, ArrayRef<int64_t>{half},
          ArrayRef<int64_t>{1});
    x = arith::AddFOp::create(b, loc, parts[0], parts[1]);
  }
  return vector::ExtractOp::create(b, loc, x, 0);
}
