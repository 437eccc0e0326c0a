//===- AttentionSteps.cpp - what attention's reference shares -------------===//

#include "AttentionSteps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "quant/Dialect/Quant/Utils/GenericBuilder.h"

#include <limits>

using namespace mlir;
using namespace quantmlir;

Value AttentionSteps::index(int64_t v) {
  return arith::ConstantIndexOp::create(b, loc, v);
}

Value AttentionSteps::extract(Value tensor, ArrayRef<Value> at) {
  return tensor::ExtractOp::create(b, loc, tensor, at);
}

Value AttentionSteps::fill(ArrayRef<OpFoldResult> sizes, Type type,
                           function_ref<Value(Indices)> element) {
  Value empty = tensor::EmptyOp::create(b, loc, sizes, type);
  OpBuilder::InsertionGuard guard(b);
  auto body = [&](OpBuilder &, Location, ValueRange) -> SmallVector<Value> {
    SmallVector<Value> at;
    for (size_t i = 0; i < sizes.size(); ++i)
      at.push_back(linalg::IndexOp::create(b, loc, i));
    return {element(at)};
  };
  return elementwise(b, loc, {}, empty, body).getResult(0);
}

Value AttentionSteps::build(Value last, Type type,
                            function_ref<Value(Indices)> element) {
  SmallVector<OpFoldResult> sizes = rows;
  sizes.push_back(last);
  return fill(sizes, type, element);
}

Value AttentionSteps::buildRows(Type type,
                                function_ref<Value(Indices)> element) {
  return fill(rows, type, element);
}

Value AttentionSteps::loop(Value begin, Value end, int64_t by, Value init,
                           Step step) {
  auto loop = scf::ForOp::create(b, loc, begin, end, index(by), init);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value next = step(loop.getInductionVar(), loop.getRegionIterArg(0));
  scf::YieldOp::create(b, loc, next);
  return loop.getResult(0);
}

Value AttentionSteps::sees(const AttentionSegment &segment, Indices row,
                           Value t) {
  if (!segment.areNew)
    return arith::ConstantOp::create(b, loc, b.getBoolAttr(true));
  return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ule, t, row[2]);
}

Value AttentionSteps::emitLargest() {
  return buildRows(b.getF32Type(), [&](Indices row) -> Value {
    Value largest =
        constantFloat(b, loc, -std::numeric_limits<float>::infinity());
    for (const AttentionSegment &segment : segments)
      largest = loop(
          index(0), segment.size, 1, largest,
          [&](Value t, Value most) -> Value {
            Value score = extract(segment.scores, {row[0], row[1], row[2], t});
            return arith::MaximumFOp::create(b, loc, most, score);
          });
    return largest;
  });
}

Value AttentionSteps::emitPowers(const AttentionSegment &segment,
                                 Value largest) {
  return build(segment.size, b.getF32Type(), [&](Indices at) -> Value {
    Value x = arith::SubFOp::create(b, loc, extract(segment.scores, at),
                                    extract(largest, at.drop_back()));
    Value power = math::ExpOp::create(b, loc, x);
    return arith::SelectOp::create(b, loc, sees(segment, at, at[3]), power,
                                   constantFloat(b, loc, 0));
  });
}

Value AttentionSteps::emitTotal(int64_t lanes) {
  Value sums = build(index(lanes), b.getF32Type(), [&](Indices at) -> Value {
    Value sum = constantFloat(b, loc, 0);
    for (const AttentionSegment &segment : segments)
      sum = loop(
          at[3], segment.size, lanes, sum,
          [&](Value t, Value carried) -> Value {
            Value power = extract(segment.powers, {at[0], at[1], at[2], t});
            return arith::AddFOp::create(b, loc, carried, power);
          });
    return sum;
  });
  return buildRows(b.getF32Type(), [&](Indices row) -> Value {
    SmallVector<Value> parts;
    for (int64_t lane = 0; lane < lanes; ++lane)
      parts.push_back(extract(sums, {row[0], row[1], row[2], index(lane)}));
    for (int64_t half = lanes / 2; half > 0; half /= 2)
      for (int64_t lane = 0; lane < half; ++lane)
        parts[lane] =
            arith::AddFOp::create(b, loc, parts[lane], parts[lane + half]);
    return parts[0];
  });
}

Value AttentionSteps::hide(const AttentionSegment &segment, Indices at,
                           Value score) {
  Value least = constantFloat(b, loc, -std::numeric_limits<float>::infinity());
  return arith::SelectOp::create(b, loc, sees(segment, at, at[3]), score,
                                 least);
}
