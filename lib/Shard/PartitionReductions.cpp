//===- PartitionReductions.cpp - ops cut along what they reduce -----------===//

#include "PartitionReductions.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include "quant/Dialect/Quant/Utils/Constants.h"
#include "quant/Dialect/Quant/Utils/GenericBuilder.h"

#include <limits>

using namespace mlir;
using namespace quantmlir;

static Value allReduce(OpBuilder &b, Location loc, Value part,
                       const RankGroup &group, shard::ReductionKind kind) {
  return shard::AllReduceOp::create(b, loc, part, group.grid, group.axes, kind)
      .getResult();
}

//===----------------------------------------------------------------------===//
// Sums
//===----------------------------------------------------------------------===//

/// Whether the tensor of which `init` was made holds zeros.
static bool isZeroInit(Value init) {
  if (isZeroConstant(init))
    return true;
  while (auto shardOp = init.getDefiningOp<shard::ShardOp>())
    init = shardOp.getSrc();
  auto fill = init.getDefiningOp<linalg::FillOp>();
  return isZeroConstant(init) ||
         (fill && matchPattern(fill.getInputs().front(), m_Zero()));
}

SmallVector<Value> quantmlir::partitionReduced(MatmulOp op,
                                               ArrayRef<Value> operands,
                                               ArrayRef<RankedTensorType> types,
                                               const RankGroup &group,
                                               OpBuilder &b) {
  Location loc = op.getLoc();
  RankedTensorType type = types.front();
  // What the sum starts with counts once, not once a rank.
  bool startsAtZero = isZeroInit(op.getInit());
  Value init = operands.back();
  IRMapping map;
  map.map(op->getOperands(), operands);
  if (!startsAtZero)
    map.map(op.getInit(), filled(b, loc, type, init, allDims(type.getRank()),
                                 b.getI32IntegerAttr(0)));
  Operation *part = b.clone(*op, map);
  part->getResult(0).setType(type);
  Value sum =
      allReduce(b, loc, part->getResult(0), group, shard::ReductionKind::Sum);
  if (startsAtZero)
    return {sum};
  SmallVector<int64_t> dims = allDims(type.getRank());
  auto total = elementwise(
      b, loc, {{sum, dims}, {init, dims}}, emptyLike(b, loc, type, sum),
      [](OpBuilder &b, Location loc, ValueRange args) -> SmallVector<Value> {
        return {arith::AddIOp::create(b, loc, args[0], args[1])};
      });
  return {total.getResult(0)};
}

//===----------------------------------------------------------------------===//
// Ranges
//===----------------------------------------------------------------------===//

/// `sign * value` where that is finite and > 0, else 0; without a sign, the
/// magnitude.
static Value oneSided(OpBuilder &b, Location loc, Value value,
                      std::optional<float> sign) {
  Value side;
  if (!sign)
    side = math::AbsFOp::create(b, loc, value);
  else if (*sign < 0)
    side = arith::NegFOp::create(b, loc, value);
  else
    side = value;
  // Ordered comparisons: NaN is in no range.
  Value limit = constantFloat(b, loc, std::numeric_limits<float>::max());
  Value zero = constantFloat(b, loc, 0);
  Value finite =
      arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OLE, side, limit);
  Value positive =
      arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OGT, side, zero);
  Value counts = arith::AndIOp::create(b, loc, finite, positive);
  return arith::SelectOp::create(b, loc, counts, side, zero);
}

/// The largest of `input`'s elements on one side of 0, as f32, for each index
/// of `axes`.
static Value reduceSide(OpBuilder &b, Location loc, Value input,
                        RankedTensorType type, ArrayRef<int64_t> axes,
                        std::optional<float> sign) {
  Value zeros = filled(b, loc, type, input, axes, b.getF32FloatAttr(0));
  return reduceOver(b, loc, input, axes, zeros,
                    [&](OpBuilder &b, Location loc,
                        ValueRange args) -> SmallVector<Value> {
                      Value side =
                          oneSided(b, loc, extendToF32(b, loc, args[0]), sign);
                      return {arith::MaximumFOp::create(b, loc, side, args[1])};
                    })
      .getResult(0);
}

/// `value` as a slice of a last dimension that has `number`.
static Value insertLast(OpBuilder &b, Location loc, Value value, Value into,
                        int64_t number) {
  RankedTensorType type = tensorType(into);
  SmallVector<OpFoldResult> offsets(type.getRank(), b.getIndexAttr(0)),
      sizes = getAsIndexOpFoldResult(b.getContext(), type.getShape()),
      strides(type.getRank(), b.getIndexAttr(1));
  offsets.back() = b.getIndexAttr(number);
  sizes.back() = b.getIndexAttr(1);
  return tensor::InsertSliceOp::create(b, loc, value, into, offsets, sizes,
                                       strides);
}

/// [magnitude], or [-lowest, highest], in a last dimension after `axes`.
static Value collectSides(OpBuilder &b, ChooseQParamsOp op, Value input,
                          RankedTensorType type) {
  Location loc = op.getLoc();
  SmallVector<std::optional<float>> signs = {std::nullopt};
  if (op.getZeroPoint())
    signs = {-1.0f, 1.0f};
  SmallVector<int64_t> shape(type.getShape());
  shape.push_back(signs.size());
  Value sides = tensor::EmptyOp::create(b, loc, shape, type.getElementType());
  for (auto [i, sign] : llvm::enumerate(signs))
    sides = insertLast(
        b, loc, reduceSide(b, loc, input, type, op.getAxes(), sign), sides, i);
  return sides;
}

/// The first number of each pair with its sign again.
static Value restoreSign(OpBuilder &b, Location loc, Value pairs) {
  RankedTensorType type = tensorType(pairs);
  int64_t last = type.getRank() - 1;
  return elementwise(b, loc, {{pairs, allDims(type.getRank())}},
                     emptyLike(b, loc, type, pairs),
                     [&](OpBuilder &b, Location loc,
                         ValueRange args) -> SmallVector<Value> {
                       Value index = linalg::IndexOp::create(b, loc, last);
                       Value zero = arith::ConstantIndexOp::create(b, loc, 0);
                       Value isLowest = arith::CmpIOp::create(
                           b, loc, arith::CmpIPredicate::eq, index, zero);
                       Value lowest = arith::NegFOp::create(b, loc, args[0]);
                       return {arith::SelectOp::create(b, loc, isLowest, lowest,
                                                       args[0])};
                     })
      .getResult(0);
}

SmallVector<Value> quantmlir::partitionReduced(ChooseQParamsOp op,
                                               ArrayRef<Value> operands,
                                               ArrayRef<RankedTensorType> types,
                                               const RankGroup &group,
                                               OpBuilder &b) {
  Location loc = op.getLoc();
  Value sides =
      allReduce(b, loc, collectSides(b, op, operands.front(), types.front()),
                group, shard::ReductionKind::Max);
  if (op.getZeroPoint())
    sides = restoreSign(b, loc, sides);
  // A range of two numbers gives the parameters of the range of all.
  SmallVector<int64_t> axes = allDims(types.front().getRank());
  SmallVector<Type> results(types.begin(), types.end());
  auto chosen =
      ChooseQParamsOp::create(b, loc, results, sides, axes, op.getRange());
  return llvm::to_vector_of<Value>(chosen->getResults());
}
