//===- QuantizedOperand.cpp - a matmul operand as stored integers ---------===//

#include "quant/Import/Contraction/QuantizedOperand.h"

#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Dialect/Quant/Utils/Constants.h"
#include "quant/Import/Contraction/ConstantLayout.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace quantmlir;

int64_t QuantizedOperand::getMaxMagnitude() const {
  int64_t bits = ints.getType().getElementTypeBitWidth();
  // With any zero point of the same type, or unsigned, all bits count.
  if (hasZeroPoint() || isUnsigned)
    return (int64_t(1) << bits) - 1;
  return int64_t(1) << (bits - 1);
}

std::optional<QuantizedOperand>
quantmlir::matchDequantized(const LoopTensor &tensor) {
  LoopTensor floats = traceMovement(tensor);
  auto op = floats.value.getDefiningOp<DequantizeOp>();
  if (!op)
    return std::nullopt;
  QuantizedOperand operand;
  operand.isUnsigned = op.getIsUnsigned();
  // A dimension of size 1 holds one number, whatever walks it.
  SmallVector<int64_t> loops;
  for (auto [dim, axis] : llvm::enumerate(op.getAxes()))
    loops.push_back(op.getScale().getType().getDimSize(dim) == 1
                        ? kUnitDim
                        : floats.loops[axis]);
  operand.scale = {op.getScale(), loops};
  if (Value zeroPoint = op.getZeroPoint();
      zeroPoint && !isZeroConstant(zeroPoint))
    operand.zeroPoint = {zeroPoint, loops};
  operand.ints = traceMovement({op.getInput(), floats.loops});
  return operand;
}

/// Has `loop`, which has one step, walk a dimension of `tensor`.
static void walkUnitLoop(OpBuilder &builder, Location loc, LoopTensor &tensor,
                         int64_t loop) {
  RankedTensorType type = tensor.getType();
  for (auto [dim, walked] : llvm::enumerate(tensor.loops))
    if (walked == kUnitDim && type.getDimSize(dim) == 1) {
      walked = loop;
      return;
    }
  tensor.loops.push_back(loop);
  SmallVector<int64_t> shape(type.getShape());
  shape.push_back(1);
  RankedTensorType expanded = type.clone(shape);
  if (Value constant = reshapeConstant(builder, loc, tensor.value, expanded)) {
    tensor.value = constant;
    return;
  }
  SmallVector<ReassociationIndices> groups;
  for (int64_t dim = 0; dim < type.getRank(); ++dim)
    groups.push_back({dim});
  if (!groups.empty())
    groups.back().push_back(type.getRank());
  tensor.value = tensor::ExpandShapeOp::create(builder, loc, expanded,
                                               tensor.value, groups);
}

void quantmlir::walkUnitLoops(OpBuilder &builder, const Contraction &c,
                              LoopTensor &tensor, ArrayRef<int64_t> loops) {
  SmallVector<int64_t> extents = linalg::LinalgOp(c.op).getStaticLoopRanges();
  for (int64_t loop : loops)
    if (loop != kUnitDim && extents[loop] == 1 &&
        !llvm::is_contained(tensor.loops, loop))
      walkUnitLoop(builder, c.op->getLoc(), tensor, loop);
}

LogicalResult quantmlir::setOperands(OpBuilder &builder, Contraction &c,
                                     LoopTensor lhs, LoopTensor rhs) {
  walkUnitLoops(builder, c, lhs, c.lhs.loops);
  // A batch of one stays the rows' alone.
  SmallVector<int64_t> own;
  llvm::copy_if(c.rhs.loops, std::back_inserter(own), [&](int64_t loop) {
    return !llvm::is_contained(c.batch, loop);
  });
  walkUnitLoops(builder, c, rhs, own);
  c.lhs = std::move(lhs);
  c.rhs = std::move(rhs);
  return c.classify();
}

bool quantmlir::isRankZeroOrOver(const LoopTensor &vector,
                                 ArrayRef<int64_t> wanted) {
  if (vector.loops.empty())
    return true;
  if (vector.getLoopRank() != static_cast<int64_t>(wanted.size()))
    return false;
  return llvm::all_of(wanted, [&](int64_t loop) {
    return llvm::is_contained(vector.loops, loop);
  });
}

/// Makes a parameter over some of the loops `wanted` one over all of them, by
/// repeating it; `like` is a tensor that they walk.
static void spreadParameter(OpBuilder &builder, const Contraction &contraction,
                            LoopTensor &vector, ArrayRef<int64_t> wanted,
                            const LoopTensor &like) {
  bool isWithin = llvm::all_of(vector.loops, [&](int64_t loop) {
    return loop == kUnitDim || llvm::is_contained(wanted, loop);
  });
  if (vector.getLoopRank() == 0 || !isWithin)
    return;
  Location loc = contraction.op->getLoc();
  LoopTensor spread;
  SmallVector<OpFoldResult> sizes;
  SmallVector<int64_t> added;
  for (int64_t loop : wanted) {
    const auto *walked = llvm::find(like.loops, loop);
    if (llvm::is_contained(vector.loops, loop) || walked == like.loops.end())
      continue;
    added.push_back(spread.loops.size());
    spread.loops.push_back(loop);
    sizes.push_back(tensor::getMixedSize(builder, loc, like.value,
                                         walked - like.loops.begin()));
  }
  if (added.empty())
    return;
  llvm::append_range(spread.loops, vector.loops);
  llvm::append_range(sizes, tensor::getMixedSizes(builder, loc, vector.value));
  Value empty = tensor::EmptyOp::create(builder, loc, sizes,
                                        vector.getType().getElementType());
  spread.value =
      linalg::BroadcastOp::create(builder, loc, vector.value, empty, added)
          ->getResult(0);
  vector = std::move(spread);
}

void quantmlir::spreadParameters(OpBuilder &builder,
                                 const Contraction &contraction,
                                 QuantizedOperand &operand,
                                 ArrayRef<int64_t> wanted,
                                 const LoopTensor &like) {
  for (LoopTensor *parameter : {&operand.scale, &operand.zeroPoint})
    if (parameter->value)
      spreadParameter(builder, contraction, *parameter, wanted, like);
}

void quantmlir::dropUnitBatch(Contraction &c) {
  Contraction original = c;
  for (auto [dim, loop] : llvm::enumerate(c.rhs.loops))
    if (llvm::is_contained(c.batch, loop) &&
        c.rhs.getType().getDimSize(dim) == 1)
      loop = kUnitDim;
  if (failed(c.classify()))
    c = original;
}

bool quantmlir::isParameterOver(const Contraction &contraction,
                                const LoopTensor &vector,
                                ArrayRef<int64_t> wanted) {
  if (vector.getLoopRank() == 0)
    return true;
  SmallVector<int64_t> extents =
      linalg::LinalgOp(contraction.op).getStaticLoopRanges();
  bool isWithin = llvm::all_of(vector.loops, [&](int64_t loop) {
    return loop == kUnitDim || llvm::is_contained(wanted, loop);
  });
  return isWithin && llvm::all_of(wanted, [&](int64_t loop) {
           return extents[loop] == 1 || llvm::is_contained(vector.loops, loop);
         });
}

int64_t quantmlir::getMaxSafeK(int64_t lhsMagnitude, int64_t rhsMagnitude) {
  // A code book may be nothing but zeros.
  return INT32_MAX / std::max<int64_t>(1, lhsMagnitude * rhsMagnitude);
}

std::string quantmlir::explainEmpty(const Contraction &contraction) {
  linalg::LinalgOp op = contraction.op;
  return llvm::is_contained(op.getStaticLoopRanges(), 0)
             ? "there is nothing to multiply: a dimension has size 0"
             : "";
}

std::string quantmlir::explainOverflow(const Contraction &contraction,
                                       int64_t lhsMagnitude,
                                       int64_t rhsMagnitude) {
  int64_t size = 1;
  for (int64_t loop : contraction.k) {
    int64_t extent = ShapedType::kDynamic;
    for (const LoopTensor *tensor : {&contraction.lhs, &contraction.rhs})
      if (const auto *it = llvm::find(tensor->loops, loop);
          it != tensor->loops.end() && ShapedType::isDynamic(extent))
        extent = tensor->getType().getDimSize(it - tensor->loops.begin());
    if (ShapedType::isDynamic(extent))
      return "the contracted dimension D is dynamic, so that its sums cannot "
             "be proven to fit in i32";
    size *= extent;
  }
  int64_t bound = getMaxSafeK(lhsMagnitude, rhsMagnitude);
  if (size <= bound)
    return "";
  return "D = " + std::to_string(size) +
         " products may overflow i32, safe is " + std::to_string(bound);
}
