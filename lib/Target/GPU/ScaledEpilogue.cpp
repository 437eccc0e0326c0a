//===- ScaledEpilogue.cpp - after the groups of a matmul ------------------===//

#include "quant/Target/GPU/ScaledEpilogue.h"
#include "quant/Target/GPU/KernelEpilogue.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace quantmlir;
using namespace quantmlir::device;

/// The one number of `operand`, or that of row `m`; both types have 4 bytes.
Value ScaledEpilogue::loadRowValue(unsigned argument, Value operand, Value m) {
  if (!operand)
    return {};
  Value pointer = k.globalPointer(func.getArgument(argument));
  if (memrefType(operand).getRank() == 1)
    pointer = k.offset(pointer, m, sizeof(float));
  return k.load(pointer, memrefType(operand).getElementType(), sizeof(float));
}

Value ScaledEpilogue::loadRowScale(Value m) {
  return loadRowValue(kScaledRowScale, op.getRowScale(), m);
}

Value ScaledEpilogue::loadRowZeroPoint(Value m) {
  return loadRowValue(kRowZeroPoint, op.getLhsZeroPoint(), m);
}

Value ScaledEpilogue::loadBias(Value n, int64_t count) {
  if (!op.getBias())
    return {};
  Type f32 = k.b.getF32Type();
  Value pointer = k.offset(k.globalPointer(func.getArgument(kScaledBias)), n,
                           sizeof(float));
  return k.load(pointer, count == 1 ? f32 : k.vec(count, f32),
                count * sizeof(float));
}

void ScaledEpilogue::store(Value m, Value n, Value t, Value rowScale,
                           Value bias) {
  auto vector = dyn_cast<VectorType>(t.getType());
  if (rowScale && vector)
    rowScale = vector::BroadcastOp::create(k.b, k.loc, vector, rowScale);
  if (rowScale)
    t = arith::MulFOp::create(k.b, k.loc, t, rowScale);
  if (bias)
    t = arith::AddFOp::create(k.b, k.loc, t, bias);
  Type element = memrefType(op.getInit()).getElementType();
  if (!element.isF32()) {
    Type type = vector ? Type(vector.clone(element)) : element;
    t = arith::TruncFOp::create(k.b, k.loc, type, t);
  }
  int64_t columns = memrefType(op.getInit()).getDimSize(1);
  storeColumns(k, k.globalPointer(func.getArgument(kScaledResult)), columns, m,
               n, t);
}
