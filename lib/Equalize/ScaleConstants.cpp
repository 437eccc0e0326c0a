//===- ScaleConstants.cpp - multiply into a program's constants -----------===//
//
// A walk from a tensor to what it is computed from. Multiplying along one
// dimension by positive numbers commutes with data movement that keeps the
// dimension, with sums if every summand is multiplied, with products if one
// factor is, with ReLU, and with a matmul if its weight's output features are.
//
//===----------------------------------------------------------------------===//

#include "quant/Equalize/ScaleConstants.h"

#include "quant/Dialect/Quant/Utils/Constants.h"
#include "quant/Import/Contraction/ContractionMatcher.h"
#include "quant/Import/Contraction/MatmulEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

#include <limits>

using namespace mlir;
using namespace quantmlir;

/// Uses that read the value, not only its sizes.
static unsigned countReads(Value value) {
  return llvm::count_if(value.getUsers(), [](Operation *user) {
    return !isa<tensor::DimOp>(user);
  });
}

/// The source dimension of a reshape that keeps `dim` as it is.
static FailureOr<int64_t> getKeptDim(Operation *reshape, int64_t dim) {
  if (auto op = dyn_cast<tensor::CollapseShapeOp>(reshape)) {
    ReassociationIndices group = op.getReassociationIndices()[dim];
    if (group.size() == 1)
      return group.front();
  }
  if (auto op = dyn_cast<tensor::ExpandShapeOp>(reshape))
    for (auto [source, group] : llvm::enumerate(op.getReassociationIndices()))
      if (group.size() == 1 && group.front() == dim)
        return static_cast<int64_t>(source);
  return failure();
}

/// The dimension of `operand` that the loop of the result's dimension walks.
static FailureOr<int64_t> getOperandDim(linalg::LinalgOp op, OpOperand &operand,
                                        int64_t resultDim) {
  AffineMap out = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  AffineMap in = op.getMatchingIndexingMap(&operand);
  std::optional<unsigned> dim = in.getResultPosition(out.getResult(resultDim));
  if (!dim)
    return failure();
  return static_cast<int64_t>(*dim);
}

/// An op on tensors, of one result, without a reduction.
static bool isElementwise(linalg::LinalgOp op) {
  return op && op.hasPureTensorSemantics() && op.getNumDpsInits() == 1 &&
         op.getNumReductionLoops() == 0 &&
         op.getMatchingIndexingMap(op.getDpsInitOperand(0)).isPermutation();
}

FailureOr<ScaledConstant> quantmlir::findConstant(OpOperand &use, int64_t dim) {
  Value value = use.get();
  Operation *op = value.getDefiningOp();
  if (!op || countReads(value) != 1)
    return failure();
  if (matchPattern(value, m_Constant()))
    return ScaledConstant{&use, dim};
  if (isa<tensor::CollapseShapeOp, tensor::ExpandShapeOp>(op)) {
    FailureOr<int64_t> source = getKeptDim(op, dim);
    if (failed(source))
      return failure();
    return findConstant(op->getOpOperand(0), *source);
  }
  auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
  if (!isElementwise(linalgOp) || linalgOp.getNumDpsInputs() != 1 ||
      linalgOp.getBlock()->getTerminator()->getOperand(0) !=
          linalgOp.getBlock()->getArgument(0))
    return failure();
  OpOperand &input = *linalgOp.getDpsInputOperand(0);
  FailureOr<int64_t> source = getOperandDim(linalgOp, input, dim);
  if (failed(source))
    return failure();
  return findConstant(input, *source);
}

//===----------------------------------------------------------------------===//
// What a tensor is computed from
//===----------------------------------------------------------------------===//

namespace {

/// Collects constants; every member returns false, and leaves the collection
/// as it was, where the value cannot be multiplied.
class Collector {
public:
  bool scale(Value value, int64_t dim, unsigned numUses);

  SmallVector<ScaledConstant> constants;

private:
  bool scaleOperand(OpOperand &operand, int64_t dim);
  bool scaleElement(linalg::LinalgOp op, Value element, int64_t dim,
                    unsigned numUses = 1);
  bool scaleMatmul(linalg::LinalgOp op, int64_t dim);

  template <typename Fn>
  bool attempt(Fn fn) {
    size_t size = constants.size();
    if (fn())
      return true;
    constants.truncate(size);
    return false;
  }
};

} // namespace

bool Collector::scaleOperand(OpOperand &operand, int64_t dim) {
  FailureOr<ScaledConstant> constant = findConstant(operand, dim);
  if (failed(constant))
    return scale(operand.get(), dim, /*numUses=*/1);
  constants.push_back(*constant);
  return true;
}

/// Whether nothing is larger than the constant `bound`.
static bool isNoBound(Value bound) {
  FloatAttr constant;
  return matchPattern(bound, m_Constant(&constant)) &&
         constant.getValueAsDouble() >= std::numeric_limits<float>::max();
}

namespace {
/// What ReLU is taken of, and how often ReLU reads it.
struct Rectified {
  Value value;
  unsigned numUses;
};
} // namespace

/// `def` as ReLU: a maximum with 0, with an upper bound that bounds nothing, or
/// a selection of what is above 0.
static std::optional<Rectified> matchRelu(Operation *def) {
  auto isZero = [](Value value) {
    return matchPattern(value, m_AnyZeroFloat());
  };
  if (isa<arith::MaximumFOp, arith::MaxNumFOp>(def) &&
      isZero(def->getOperand(1)))
    return Rectified{def->getOperand(0), 1};
  if (isa<arith::MaximumFOp, arith::MaxNumFOp>(def) &&
      isZero(def->getOperand(0)))
    return Rectified{def->getOperand(1), 1};
  if (isa<arith::MinimumFOp, arith::MinNumFOp>(def) &&
      isNoBound(def->getOperand(1)))
    return Rectified{def->getOperand(0), 1};
  auto select = dyn_cast<arith::SelectOp>(def);
  auto compare = select ? select.getCondition().getDefiningOp<arith::CmpFOp>()
                        : arith::CmpFOp();
  if (!compare || !compare->hasOneUse() || !isZero(select.getFalseValue()) ||
      !isZero(compare.getRhs()) || compare.getLhs() != select.getTrueValue())
    return std::nullopt;
  switch (compare.getPredicate()) {
  case arith::CmpFPredicate::OGT:
  case arith::CmpFPredicate::OGE:
  case arith::CmpFPredicate::UGT:
  case arith::CmpFPredicate::UGE:
    return Rectified{select.getTrueValue(), 2};
  default:
    return std::nullopt;
  }
}

/// A value in the body of an elementwise op, which is read so often.
bool Collector::scaleElement(linalg::LinalgOp op, Value element, int64_t dim,
                             unsigned numUses) {
  if (element.getNumUses() != numUses)
    return false;
  if (auto argument = dyn_cast<BlockArgument>(element)) {
    OpOperand &operand = op->getOpOperand(argument.getArgNumber());
    if (argument.getOwner() != op.getBlock() || op.isDpsInit(&operand))
      return false;
    FailureOr<int64_t> source = getOperandDim(op, operand, dim);
    return succeeded(source) && scaleOperand(operand, *source);
  }
  Operation *def = element.getDefiningOp();
  if (def->getBlock() != op.getBlock())
    return false;
  auto recurse = [&](unsigned i) {
    return attempt([&] { return scaleElement(op, def->getOperand(i), dim); });
  };
  if (isa<arith::MulFOp>(def))
    return recurse(0) || recurse(1);
  if (isa<arith::AddFOp, arith::SubFOp>(def))
    return attempt([&] { return recurse(0) && recurse(1); });
  if (std::optional<Rectified> relu = matchRelu(def))
    return attempt(
        [&] { return scaleElement(op, relu->value, dim, relu->numUses); });
  if (isa<arith::DivFOp, arith::NegFOp, arith::ExtFOp, arith::TruncFOp>(def))
    return recurse(0);
  return false;
}

/// The weight of a matmul whose result's dimension is one of its features.
bool Collector::scaleMatmul(linalg::LinalgOp op, int64_t dim) {
  std::string reason;
  FailureOr<Contraction> c = matchContraction(op, reason);
  if (failed(c) || !c->isFloat() || !isZeroInit(c->init.value))
    return false;
  int64_t loop = c->init.loops[dim];
  for (const LoopTensor *tensor : {&c->rhs, &c->lhs})
    for (auto [operandDim, other] : llvm::enumerate(tensor->loops)) {
      if (other != loop || llvm::is_contained(c->batch, loop))
        continue;
      for (OpOperand &operand : op->getOpOperands()) {
        if (operand.get() != tensor->value || op.isDpsInit(&operand))
          continue;
        FailureOr<ScaledConstant> constant = findConstant(operand, operandDim);
        if (failed(constant))
          return false;
        constants.push_back(*constant);
        return true;
      }
    }
  return false;
}

bool Collector::scale(Value value, int64_t dim, unsigned numUses) {
  Operation *op = value.getDefiningOp();
  if (!op || countReads(value) != numUses)
    return false;
  if (isa<tensor::CollapseShapeOp, tensor::ExpandShapeOp>(op)) {
    FailureOr<int64_t> source = getKeptDim(op, dim);
    return succeeded(source) &&
           scale(op->getOperand(0), *source, /*numUses=*/1);
  }
  auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
  if (!linalgOp)
    return false;
  if (linalgOp.getNumReductionLoops() != 0)
    return scaleMatmul(linalgOp, dim);
  if (!isElementwise(linalgOp))
    return false;
  return attempt([&] {
    return scaleElement(
        linalgOp, linalgOp.getBlock()->getTerminator()->getOperand(0), dim);
  });
}

FailureOr<SmallVector<ScaledConstant>>
quantmlir::findScalableConstants(Value value, int64_t dim, unsigned numUses) {
  Collector collector;
  if (!collector.scale(value, dim, numUses) || collector.constants.empty())
    return failure();
  // Without data there is nothing to multiply.
  for (const ScaledConstant &constant : collector.constants)
    if (!FloatConstant::get(constant.use->get()))
      return failure();
  return collector.constants;
}

void quantmlir::multiplyConstant(const ScaledConstant &constant,
                                 ArrayRef<float> factors) {
  Value value = constant.use->get();
  std::optional<FloatConstant> floats = FloatConstant::get(value);
  auto type = cast<RankedTensorType>(value.getType());
  assert(floats &&
         type.getDimSize(constant.dim) == static_cast<int64_t>(factors.size()));
  int64_t inner = 1;
  for (int64_t size : type.getShape().drop_front(constant.dim + 1))
    inner *= size;
  int64_t size = factors.size();
  std::vector<float> product(floats->size());
  for (int64_t i = 0, e = product.size(); i < e; ++i)
    product[i] = (*floats)[i] * factors[i / inner % size];
  OpBuilder builder(constant.use->getOwner());
  Value result = arith::ConstantOp::create(
      builder, value.getLoc(), makeFloatTensorAttr(type, product, "equalized"));
  Operation *old = value.getDefiningOp();
  constant.use->set(result);
  if (isOpTriviallyDead(old))
    old->erase();
}
