//===- RotateRows.cpp - rows rotated, and quantized, as vectors -----------===//

#include "RotateRows.h"

#include "VectorRotation.h"

#include "quant/Dialect/Quant/Utils/ReciprocalFormula.h"
#include "quant/Dialect/Quant/Utils/RescaleFormula.h"
#include "quant/Target/CPU/Kernel/ContiguousRows.h"
#include "quant/Target/CPU/Parallel/IndependentLoops.h"
#include "quant/Target/IR/QTarget.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace quantmlir;

/// Elements of a vector: four registers of 512 bits.
static constexpr int64_t kRotateLanes = 64;

namespace {

/// Emits the rows of one op.
class RowRotator {
public:
  RowRotator(RotateRowsOp op, OpBuilder &builder)
      : op(op), b(builder), loc(op.getLoc()),
        type(cast<MemRefType>(op.getInput().getType())),
        rotation(op.getRotation()) {
    auto target = qtarget::TargetAttr::lookup(op);
    isFused = target && target.hasFeature("fma");
  }

  /// Loops over all dimensions from `outer.size()` on, which the row is in.
  void emitLoops(SmallVector<Value> &outer);

private:
  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, loc, value);
  }
  Value number(double value, int64_t lanes) {
    auto type = VectorType::get({lanes}, b.getF32Type());
    return arith::ConstantOp::create(
        b, loc, DenseElementsAttr::get(type, static_cast<float>(value)));
  }
  void emitVector(ArrayRef<Value> outer, Value column, int64_t lanes,
                  bool isRotated);
  Value quantize(Value x, int64_t lanes);

  RotateRowsOp op;
  OpBuilder &b;
  Location loc;
  MemRefType type;
  Rotation rotation;
  bool isFused;
};

} // namespace

/// As quant.quantize does.
Value RowRotator::quantize(Value x, int64_t lanes) {
  float scale = op.getScale()->convertToFloat();
  auto zeroPoint = static_cast<float>(op.getZeroPoint());
  ArrayRef<int64_t> range = *op.getRange();
  if (!isFused) {
    Value quotient = arith::DivFOp::create(b, loc, x, number(scale, lanes));
    Value rounded = math::RoundEvenOp::create(b, loc, quotient);
    return saturate(b, loc, rounded, number(zeroPoint, lanes), range[0],
                    range[1], b.getI8Type());
  }
  SmallVector<Value> parameters;
  for (float parameter : getReciprocalParameters(scale, zeroPoint, range))
    parameters.push_back(number(parameter, lanes));
  Value rounded = emitRoundedQuotient(b, loc, x, parameters);
  auto words = cast<VectorType>(rounded.getType());
  Value zero = arith::ConstantOp::create(
      b, loc,
      DenseElementsAttr::get(words, static_cast<int32_t>(op.getZeroPoint())));
  return arith::TruncIOp::create(b, loc,
                                 VectorType::get({lanes}, b.getI8Type()),
                                 arith::AddIOp::create(b, loc, rounded, zero));
}

void RowRotator::emitVector(ArrayRef<Value> outer, Value column, int64_t lanes,
                            bool isRotated) {
  SmallVector<Value> at(outer);
  at.push_back(column);
  Value x = loadFloats(b, loc, op.getInput(), at, lanes);
  if (isRotated)
    x = emitVectorRotation(b, loc, x, rotation, isFused);
  if (op.getScale())
    x = quantize(x, lanes);
  vector::StoreOp::create(b, loc, x, op.getRotated(), at);
}

void RowRotator::emitLoops(SmallVector<Value> &outer) {
  OpBuilder::InsertionGuard guard(b);
  int64_t depth = outer.size(), last = type.getRank() - 1;
  if (depth < last) {
    Value size = memref::DimOp::create(b, loc, op.getInput(), depth);
    auto loop = scf::ForOp::create(b, loc, index(0), size, index(1));
    markIndependent(loop, countInner(type.getShape(), depth + 1));
    b.setInsertionPointToStart(loop.getBody());
    outer.push_back(loop.getInductionVar());
    emitLoops(outer);
    outer.pop_back();
    return;
  }
  for (const RowColumns &part :
       splitColumns(type.getDimSize(last), rotation, kRotateLanes)) {
    int64_t rest = (part.end - part.begin) % part.lanes;
    int64_t whole = part.end - rest;
    if (part.begin < whole) {
      auto loop = scf::ForOp::create(b, loc, index(part.begin), index(whole),
                                     index(part.lanes));
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(loop.getBody());
      emitVector(outer, loop.getInductionVar(), part.lanes, part.isRotated);
    }
    if (rest)
      emitVector(outer, index(whole), rest, part.isRotated);
  }
}

LogicalResult quantmlir::expandRotateRows(RewriterBase &b, RotateRowsOp op) {
  if (!isa<MemRefType>(op.getInput().getType()))
    return op.emitError("expected memrefs, found tensors; bufferize first");
  readContiguousRows(b, op, op.getInputMutable());
  writeContiguousRows(b, op, op.getRotatedMutable());
  b.setInsertionPoint(op);
  SmallVector<Value> outer;
  RowRotator(op, b).emitLoops(outer);
  b.eraseOp(op);
  return success();
}
