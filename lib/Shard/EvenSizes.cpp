//===- EvenSizes.cpp - dimensions that are no multiple of the ranks -------===//

#include "EvenSizes.h"

#include "ConstantParts.h"
#include "ShardLoops.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Shard/Interfaces/ShardingInterface.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

#include "quant/Dialect/Quant/Utils/GenericBuilder.h"

using namespace mlir;
using namespace quantmlir;

//===----------------------------------------------------------------------===//
// Zeros
//===----------------------------------------------------------------------===//

static bool isZeroAttr(Attribute attr) {
  return attr &&
         (matchPattern(attr, m_AnyZeroFloat()) || matchPattern(attr, m_Zero()));
}

/// What the body of `op` makes of zeros in the operands that `loop` indexes, by
/// folding one op after the other.
static bool bodyKeepsZeros(linalg::LinalgOp op, unsigned loop) {
  Builder b(op.getContext());
  AffineExpr dim = getAffineDimExpr(loop, op.getContext());
  DenseMap<Value, Attribute> known;
  for (OpOperand &operand : op->getOpOperands()) {
    BlockArgument argument = op.getMatchingBlockArgument(&operand);
    if (op.getMatchingIndexingMap(&operand).getResultPosition(dim))
      known[argument] = b.getZeroAttr(argument.getType());
  }
  auto lookUp = [&](Value value) -> Attribute {
    Attribute attr;
    if (matchPattern(value, m_Constant(&attr)))
      return attr;
    return known.lookup(value);
  };
  for (Operation &inner : op.getBlock()->without_terminator()) {
    SmallVector<OpFoldResult> results;
    auto operands = llvm::map_to_vector(inner.getOperands(), lookUp);
    if (inner.getNumRegions() || failed(inner.fold(operands, results)))
      continue;
    for (auto [result, folded] : llvm::zip(inner.getResults(), results))
      known[result] = isa<Attribute>(folded) ? cast<Attribute>(folded)
                                             : lookUp(cast<Value>(folded));
  }
  return llvm::all_of(op.getBlock()->getTerminator()->getOperands(),
                      [&](Value value) { return isZeroAttr(lookUp(value)); });
}

bool quantmlir::keepsZeros(Operation *op, unsigned loop) {
  return llvm::TypeSwitch<Operation *, bool>(op)
      .Case([&](linalg::FillOp fill) {
        return matchPattern(fill.getInputs().front(), m_AnyZeroFloat()) ||
               matchPattern(fill.getInputs().front(), m_Zero());
      })
      .Case([&](linalg::LinalgOp linalgOp) {
        return bodyKeepsZeros(linalgOp, loop);
      })
      .Case([](RescaleOp rescale) {
        auto isInside = [](std::optional<APFloat> bound, bool below) {
          return !bound || bound->isZero() || bound->isNegative() == below;
        };
        return isInside(rescale.getClampMin(), true) &&
               isInside(rescale.getClampMax(), false);
      })
      .Case<MatmulOp, ScaledMatmulOp, ChooseQParamsOp, QuantizeOp, UnpackInt4Op,
            UnpackInt2Op, tensor::ExpandShapeOp, tensor::CollapseShapeOp>(
          [](auto) { return true; })
      .Default([](Operation *) { return false; });
}

//===----------------------------------------------------------------------===//
// Padding
//===----------------------------------------------------------------------===//

namespace {
/// Pads the dimensions of one plan.
class Evener {
public:
  Evener(func::FuncOp function, const ShardPlan &plan, int64_t ranks)
      : function(function), plan(plan), ranks(ranks) {}

  void run();

private:
  std::optional<unsigned> getCutDim(Operation *op, unsigned mapIndex);
  bool isPaddedBy(Value value, unsigned dim);
  void padOperand(OpOperand &operand, unsigned dim);
  void padResult(OpResult result, unsigned dim);
  int64_t getEvenSize(int64_t size) {
    return llvm::divideCeil(size, ranks) * ranks;
  }

  func::FuncOp function;
  const ShardPlan &plan;
  int64_t ranks;
};
} // namespace

/// The dimension that the plan cuts of the operand or result.
std::optional<unsigned> Evener::getCutDim(Operation *op, unsigned mapIndex) {
  std::optional<unsigned> loop = plan.getCut(op);
  if (!loop)
    return std::nullopt;
  AffineMap map =
      cast<shard::ShardingInterface>(op).getIndexingMaps()[mapIndex];
  return map.getResultPosition(getAffineDimExpr(*loop, op->getContext()));
}

/// Whether `value` is a result that is cut along `dim`, and so is padded
/// itself.
bool Evener::isPaddedBy(Value value, unsigned dim) {
  auto result = dyn_cast<OpResult>(value);
  return result &&
         getCutDim(result.getOwner(), result.getOwner()->getNumOperands() +
                                          result.getResultNumber()) == dim;
}

/// Scales are f32 tensors that are multiplied or divided by.
static bool isScale(OpOperand &operand) {
  Operation *op = operand.getOwner();
  Value value = operand.get();
  return llvm::TypeSwitch<Operation *, bool>(op)
      .Case([&](RescaleOp op) {
        return value == op.getRowScale() || value == op.getChannelScale();
      })
      .Case([&](ScaledMatmulOp op) {
        return value == op.getRhsScale() || value == op.getRowScale() ||
               value == op.getLhsScale();
      })
      .Case<QuantizeOp, DequantizeOp>(
          [&](auto op) { return value == op.getScale(); })
      .Default([](Operation *) { return false; });
}

void Evener::padOperand(OpOperand &operand, unsigned dim) {
  Value value = operand.get();
  RankedTensorType type = tensorType(value);
  if (isPaddedBy(value, dim))
    return;
  SmallVector<int64_t> shape(type.getShape());
  shape[dim] = getEvenSize(shape[dim]);
  RankedTensorType padded = type.clone(shape);
  OpBuilder b(operand.getOwner());
  Location loc = operand.getOwner()->getLoc();
  double padding = isScale(operand) ? 1 : 0;
  ElementsAttr attr;
  if (matchPattern(value, m_Constant(&attr)))
    attr = padConstant(attr, padded, dim, padding);
  if (attr)
    return operand.set(arith::ConstantOp::create(b, loc, attr));
  if (value.getDefiningOp<tensor::EmptyOp>())
    return operand.set(
        tensor::EmptyOp::create(b, loc, shape, type.getElementType()));
  TypedAttr scalar = b.getZeroAttr(type.getElementType());
  if (padding != 0)
    scalar = b.getF32FloatAttr(1);
  Value whole = filled(b, loc, padded, value, {}, scalar);
  SmallVector<OpFoldResult> offsets(type.getRank(), b.getIndexAttr(0)),
      sizes = getAsIndexOpFoldResult(b.getContext(), type.getShape()),
      strides(type.getRank(), b.getIndexAttr(1));
  operand.set(tensor::InsertSliceOp::create(b, loc, value, whole, offsets,
                                            sizes, strides));
}

void Evener::padResult(OpResult result, unsigned dim) {
  Operation *op = result.getOwner();
  RankedTensorType type = tensorType(result);
  SmallVector<int64_t> shape(type.getShape());
  shape[dim] = getEvenSize(shape[dim]);
  result.setType(type.clone(shape));
  if (auto expand = dyn_cast<tensor::ExpandShapeOp>(op))
    expand.setStaticOutputShape(shape);
  // Who does not run over the padded dimension has what there was before.
  Value part;
  for (OpOperand &use : llvm::make_early_inc_range(result.getUses())) {
    if (use.getOwner()->getBlock() == op->getBlock() &&
        getCutDim(use.getOwner(), use.getOperandNumber()) == dim)
      continue;
    if (!part) {
      OpBuilder b(op->getContext());
      b.setInsertionPointAfter(op);
      SmallVector<OpFoldResult> offsets(type.getRank(), b.getIndexAttr(0)),
          sizes = getAsIndexOpFoldResult(b.getContext(), type.getShape()),
          strides(type.getRank(), b.getIndexAttr(1));
      part = tensor::ExtractSliceOp::create(b, op->getLoc(), type, result,
                                            offsets, sizes, strides);
    }
    use.set(part);
  }
}

void Evener::run() {
  SmallVector<Operation *> ops;
  for (Operation &op : function.front())
    if (std::optional<unsigned> loop = plan.getCut(&op)) {
      auto maps = cast<shard::ShardingInterface>(op).getIndexingMaps();
      if (getLoopSize(&op, maps, *loop) % ranks != 0)
        ops.push_back(&op);
    }
  for (Operation *op : ops) {
    for (OpOperand &operand : op->getOpOperands())
      if (auto dim = getCutDim(op, operand.getOperandNumber()))
        padOperand(operand, *dim);
    for (OpResult result : op->getResults())
      if (auto dim =
              getCutDim(op, op->getNumOperands() + result.getResultNumber()))
        padResult(result, *dim);
  }
}

void quantmlir::evenSizes(func::FuncOp function, const ShardPlan &plan,
                          int64_t ranks) {
  Evener(function, plan, ranks).run();
}
