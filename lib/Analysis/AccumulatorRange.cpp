//===- AccumulatorRange.cpp - bound of an integer matmul's sum ------------===//

#include "quant/Analysis/AccumulatorRange.h"

#include "quant/Dialect/Quant/Utils/Constants.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/Interfaces/ValueBoundsOpInterface.h"

using namespace mlir;
using namespace quantmlir;

/// The value whose elements `value` rearranges, or picks some of.
static Value skipShapeOps(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (!isa<tensor::CastOp, tensor::CollapseShapeOp, tensor::ExpandShapeOp,
             tensor::ExtractSliceOp, linalg::TransposeOp, linalg::BroadcastOp>(
            op))
      break;
    value = op->getOperand(0);
  }
  return value;
}

/// Smallest and largest value of a constant that is not empty.
static std::optional<StorageRange> getConstantRange(Value value) {
  std::optional<IntConstant> ints = IntConstant::get(value);
  if (!ints || ints->size() == 0)
    return std::nullopt;
  StorageRange range{(*ints)[0], (*ints)[0]};
  for (int64_t i = 1, e = ints->isSplat() ? 1 : ints->size(); i < e; ++i) {
    range.min = std::min(range.min, (*ints)[i]);
    range.max = std::max(range.max, (*ints)[i]);
  }
  return range;
}

/// Largest |q - z| of one operand.
static int64_t getMaxDistance(Value operand, Value zeroPoint, bool isUnsigned) {
  StorageRange stored = getKnownRange(skipShapeOps(operand), isUnsigned);
  if (!zeroPoint)
    return stored.getMaxDistance({0, 0});
  zeroPoint = skipShapeOps(zeroPoint);
  if (std::optional<StorageRange> constant = getConstantRange(zeroPoint))
    return stored.getMaxDistance(*constant);
  if (auto choose = zeroPoint.getDefiningOp<ChooseQParamsOp>())
    return stored.getMaxDistance({choose.getRange()[0], choose.getRange()[1]});
  return stored.getMaxDistance(
      getStorageRange(getElementTypeOrSelf(operand), isUnsigned));
}

/// The same of the right operand of `op`.
template <typename OpT>
static int64_t getMaxRhs(OpT op) {
  return getMaxDistance(op.getRhs(), op.getRhsZeroPoint(), op.getRhsUnsigned());
}

/// Largest magnitude of a product of one element of each side, at least 1.
template <typename OpT>
static int64_t getMaxProduct(OpT op, int64_t rhs) {
  int64_t lhs =
      getMaxDistance(op.getLhs(), op.getLhsZeroPoint(), op.getLhsUnsigned());
  return std::max<int64_t>(1, lhs * rhs);
}

/// K where it is static, or bounded by what made the operands.
static std::optional<int64_t> getBoundOfK(MatmulOp op) {
  if (int64_t k = op.getK(); !ShapedType::isDynamic(k))
    return k;
  for (auto [operand, dim] :
       {std::make_pair(Value(op.getLhs()), op.getNumBatchDims() + 1),
        std::make_pair(Value(op.getRhs()), op.getRhsKDim())}) {
    FailureOr<int64_t> bound = ValueBoundsConstraintSet::computeConstantBound(
        presburger::BoundType::UB, {operand, dim},
        /*stopCondition=*/nullptr, /*closedUB=*/true);
    if (succeeded(bound))
      return *bound;
  }
  return std::nullopt;
}

std::optional<int64_t> AccumulatorBound::getMaxSum() const {
  if (!k)
    return std::nullopt;
  return llvm::SaturatingMultiplyAdd<uint64_t>(*k, maxProduct, init) >
                 static_cast<uint64_t>(std::numeric_limits<int64_t>::max())
             ? std::numeric_limits<int64_t>::max()
             : *k * maxProduct + init;
}

int64_t AccumulatorBound::getLargestSafeK() const {
  return std::max<int64_t>(0, kMaxAccumulator - init) / maxProduct;
}

bool AccumulatorBound::fits() const {
  return k && *k <= getLargestSafeK() && init <= kMaxAccumulator;
}

AccumulatorBound quantmlir::computeAccumulatorBound(MatmulOp op) {
  AccumulatorBound bound;
  bound.k = getBoundOfK(op);
  bound.maxProduct = getMaxProduct(op, getMaxRhs(op));
  if (std::optional<StorageRange> init = getConstantRange(op.getInit())) {
    bound.init = init->getMaxDistance({0, 0});
  } else if (auto previous = op.getInit().getDefiningOp<MatmulOp>()) {
    // A chain of partial sums; the first one without a bound is refused where
    // it stands.
    bound.init =
        computeAccumulatorBound(previous).getMaxSum().value_or(kMaxAccumulator);
  }
  return bound;
}

AccumulatorBound quantmlir::computeAccumulatorBound(ScaledMatmulOp op) {
  AccumulatorBound bound;
  bound.k = op.getLongestGroup();
  bound.maxProduct = getMaxProduct(
      op, op.getRhsCodebook() ? op.getRhsRange().getMaxDistance({0, 0})
                              : getMaxRhs(op));
  return bound;
}
