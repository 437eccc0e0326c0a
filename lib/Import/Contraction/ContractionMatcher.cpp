//===- ContractionMatcher.cpp - one view of every matmul form -------------===//
//
// The match is structural: projected-permutation maps say which loop walks
// which dimension, the body says that products are summed up. Upstream's
// `inferContractionDims` wants at least one m, n and k loop and so leaves out
// matrix-vector products; its body match accepts any unary op on the way.
//
//===----------------------------------------------------------------------===//

#include "quant/Import/Contraction/ContractionMatcher.h"

#include "quant/Dialect/Quant/Utils/ConstantData.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/DenseSet.h"

using namespace mlir;
using namespace quantmlir;

int64_t LoopTensor::getLoopRank() const {
  return llvm::count_if(loops, [](int64_t loop) { return loop != kUnitDim; });
}

bool LoopTensor::isConstant() const {
  return matchPattern(value, m_Constant());
}

LogicalResult Contraction::classify() {
  batch.clear(), m.clear(), n.clear(), k.clear();
  for (int64_t loop = 0, e = op.getNumLoops(); loop != e; ++loop) {
    bool inLhs = llvm::is_contained(lhs.loops, loop);
    bool inRhs = llvm::is_contained(rhs.loops, loop);
    bool inResult = llvm::is_contained(init.loops, loop);
    if (inLhs + inRhs + inResult < 2)
      return failure();
    if (!inResult)
      k.push_back(loop);
    else if (!inRhs)
      m.push_back(loop);
    else if (!inLhs)
      n.push_back(loop);
    else
      batch.push_back(loop);
  }
  return success(!k.empty());
}

void Contraction::swapOperands() {
  std::swap(lhs, rhs);
  std::swap(lhsKind, rhsKind);
  std::swap(m, n);
}

namespace {
/// A factor of the product: a block argument, widened or not.
struct Factor {
  unsigned argNumber;
  ElementKind kind;
};
} // namespace

/// Follows the widening ops from `value` up to an input of `block`.
static FailureOr<Factor> matchFactor(Value value, Block *block) {
  std::optional<ElementKind> kind;
  while (Operation *def = value.getDefiningOp()) {
    ElementKind step;
    if (isa<arith::ExtFOp>(def))
      step = ElementKind::Float;
    else if (isa<arith::ExtSIOp>(def))
      step = ElementKind::SignedInt;
    else if (isa<arith::ExtUIOp>(def))
      step = ElementKind::UnsignedInt;
    else
      return failure();
    if (kind && *kind != step)
      return failure();
    kind = step;
    value = def->getOperand(0);
  }
  auto arg = dyn_cast<BlockArgument>(value);
  if (!arg || arg.getOwner() != block || arg.getArgNumber() > 1)
    return failure();
  if (!kind)
    kind = isa<FloatType>(arg.getType()) ? ElementKind::Float
                                         : ElementKind::SignedInt;
  return Factor{arg.getArgNumber(), *kind};
}

/// The same for `widen(input) - zero point`, with the zero points of inputs 0
/// and 1 as inputs 2 and 3.
static FailureOr<Factor> matchShiftedFactor(Value value, Block *block) {
  auto sub = value.getDefiningOp<arith::SubIOp>();
  if (!sub)
    return failure();
  FailureOr<Factor> factor = matchFactor(sub.getLhs(), block);
  if (failed(factor) ||
      sub.getRhs() != block->getArgument(factor->argNumber + 2))
    return failure();
  return factor;
}

/// The op that multiplies where `value` is `sum` plus a product; null where it
/// is not.
static Operation *matchProductAddedTo(Value sum, Value value) {
  Operation *add = value.getDefiningOp();
  if (auto fma = dyn_cast_or_null<math::FmaOp>(add))
    return fma.getC() == sum ? fma : nullptr;
  if (!isa_and_nonnull<arith::AddFOp, arith::AddIOp>(add))
    return nullptr;
  Value product = add->getOperand(1);
  if (add->getOperand(0) != sum) {
    if (product != sum)
      return nullptr;
    product = add->getOperand(0);
  }
  // A product of floats may be widened; one of integers may have wrapped.
  if (auto ext = product.getDefiningOp<arith::ExtFOp>())
    product = ext.getIn();
  Operation *mul = product.getDefiningOp();
  return isa_and_nonnull<arith::MulFOp, arith::MulIOp>(mul) ? mul : nullptr;
}

LogicalResult quantmlir::matchProductBody(linalg::LinalgOp op, ElementKind &lhs,
                                          ElementKind &rhs) {
  Block *block = op.getBlock();
  bool hasZeroPoints = op.getNumDpsInputs() == 4;
  if ((op.getNumDpsInputs() != 2 && !hasZeroPoints) ||
      block->getTerminator()->getNumOperands() != 1)
    return failure();
  Operation *mul = matchProductAddedTo(block->getArguments().back(),
                                       block->getTerminator()->getOperand(0));
  if (!mul)
    return failure();
  auto match = hasZeroPoints ? matchShiftedFactor : matchFactor;
  FailureOr<Factor> a = match(mul->getOperand(0), block);
  FailureOr<Factor> b = match(mul->getOperand(1), block);
  if (failed(a) || failed(b) || a->argNumber == b->argNumber)
    return failure();
  if (a->argNumber == 1)
    std::swap(*a, *b);
  lhs = a->kind;
  rhs = b->kind;
  return success();
}

/// Reads the loops of an operand off its indexing map.
static LogicalResult readLoops(linalg::LinalgOp op, OpOperand &operand,
                               LoopTensor &tensor) {
  AffineMap map = op.getMatchingIndexingMap(&operand);
  tensor.value = operand.get();
  if (!isa<RankedTensorType>(tensor.value.getType()))
    return failure();
  for (auto [dim, expr] : llvm::enumerate(map.getResults())) {
    if (auto loop = dyn_cast<AffineDimExpr>(expr)) {
      if (llvm::is_contained(tensor.loops, loop.getPosition()))
        return failure();
      tensor.loops.push_back(loop.getPosition());
      continue;
    }
    auto constant = dyn_cast<AffineConstantExpr>(expr);
    if (!constant || constant.getValue() != 0 ||
        tensor.getType().getDimSize(dim) != 1)
      return failure();
    tensor.loops.push_back(kUnitDim);
  }
  return success();
}

/// `value` without conversions to wider or narrower types.
static Value stripCasts(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (!isa<arith::ExtFOp, arith::TruncFOp, arith::ExtSIOp, arith::ExtUIOp,
             arith::TruncIOp>(op))
      break;
    value = op->getOperand(0);
  }
  return value;
}

/// Whether `value` is made of `block`'s arguments and of elements that it looks
/// up, by conversions, negation, less a zero point or a mean, masks, products
/// and division by scales alone, with constants and what is computed outside
/// among them. `factors` gets the arguments and the tensors, except the scales.
static bool isProduct(Value value, Block *block,
                      llvm::SmallDenseSet<Value> &factors) {
  value = stripCasts(value);
  if (value.getParentBlock() != block)
    return true;
  if (isa<BlockArgument>(value)) {
    factors.insert(value);
    return true;
  }
  Operation *op = value.getDefiningOp();
  if (op->hasTrait<OpTrait::ConstantLike>())
    return true;
  if (auto extract = dyn_cast<tensor::ExtractOp>(op)) {
    factors.insert(extract.getTensor());
    return true;
  }
  if (isa<arith::SIToFPOp, arith::UIToFPOp, arith::SubIOp, arith::SubFOp,
          arith::NegFOp, arith::DivFOp>(op))
    return isProduct(op->getOperand(0), block, factors);
  // A mask: the product, or nothing.
  if (auto select = dyn_cast<arith::SelectOp>(op))
    return isProduct(select.getTrueValue(), block, factors) &&
           isProduct(select.getFalseValue(), block, factors);
  return isa<arith::MulFOp, arith::MulIOp>(op) &&
         isProduct(op->getOperand(0), block, factors) &&
         isProduct(op->getOperand(1), block, factors);
}

/// Whether `value` is `sum`, or what is left of it: a decaying one.
static bool isPriorSum(Value value, Value sum) {
  value = stripCasts(value);
  Operation *op = value.getDefiningOp();
  if (value == sum || !isa_and_nonnull<arith::MulFOp, arith::MulIOp>(op))
    return value == sum;
  return llvm::any_of(op->getOperands(), [&](Value operand) {
    return stripCasts(operand) == sum;
  });
}

/// Whether `value` is a product of at least two factors, `sum` not among them,
/// or such a one plus or less something else.
static bool hasProduct(Value value, Value sum, Block *block) {
  llvm::SmallDenseSet<Value> factors;
  if (isProduct(value, block, factors))
    return factors.size() >= 2 && !factors.contains(sum);
  Operation *op = stripCasts(value).getDefiningOp();
  return isa_and_nonnull<arith::AddFOp, arith::SubFOp, arith::AddIOp,
                         arith::SubIOp>(op) &&
         (hasProduct(op->getOperand(0), sum, block) ||
          hasProduct(op->getOperand(1), sum, block));
}

/// Whether `value` is `sum` plus, or less, a product of at least two factors.
static bool accumulatesProducts(Value value, Value sum, Block *block) {
  Operation *add = stripCasts(value).getDefiningOp();
  if (auto fma = dyn_cast_or_null<math::FmaOp>(add)) {
    llvm::SmallDenseSet<Value> factors;
    return isPriorSum(fma.getC(), sum) &&
           isProduct(fma.getA(), block, factors) &&
           isProduct(fma.getB(), block, factors) && factors.size() >= 2 &&
           !factors.contains(sum);
  }
  auto isSumAnd = [&](int64_t summand) {
    return isPriorSum(add->getOperand(summand), sum) &&
           hasProduct(add->getOperand(1 - summand), sum, block);
  };
  if (isa_and_nonnull<arith::SubFOp, arith::SubIOp>(add))
    return isSumAnd(0);
  return isa_and_nonnull<arith::AddFOp, arith::AddIOp>(add) &&
         (isSumAnd(0) || isSumAnd(1));
}

/// Whether a body that is not matched adds products of both inputs all the
/// same: of narrowed or masked operands, with a constant factor, into a wider
/// sum; or subtracts them.
static bool resemblesContraction(linalg::LinalgOp op) {
  Block *block = op.getBlock();
  bool multiplies = llvm::any_of(block->getOperations(), [](Operation &inner) {
    return isa<arith::MulFOp, arith::MulIOp, math::FmaOp>(inner);
  });
  if (!isa<linalg::GenericOp>(op) || !multiplies)
    return false;
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  // A vector times itself, a sum of squares, is none.
  if (op.getNumDpsInputs() == 2 && maps[0] == maps[1])
    return false;
  auto sums = block->getArguments().take_back(op.getNumDpsInits());
  return llvm::any_of(
      llvm::zip(block->getTerminator()->getOperands(), sums), [&](auto pair) {
        auto [value, sum] = pair;
        return accumulatesProducts(value, sum, block);
      });
}

FailureOr<Contraction> quantmlir::matchContraction(Operation *op,
                                                   std::string &reason) {
  reason.clear();
  auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
  if (!linalgOp || linalgOp.getNumReductionLoops() == 0)
    return failure();
  if (linalgOp.getNumDpsInits() != 1) {
    if (resemblesContraction(linalgOp))
      reason = "it has several results";
    return failure();
  }
  Contraction c;
  c.op = linalgOp;
  if (failed(matchProductBody(linalgOp, c.lhsKind, c.rhsKind))) {
    if (isa<linalg::ContractionOpInterface>(op) ||
        resemblesContraction(linalgOp))
      reason = "its body is no sum of products, or narrows its operands";
    return failure();
  }
  if (linalg::isaConvolutionOpInterface(linalgOp))
    return failure();
  if (!linalgOp.hasPureTensorSemantics()) {
    reason = "it works on buffers, not on tensors";
    return failure();
  }
  if (failed(readLoops(linalgOp, *linalgOp.getDpsInputOperand(0), c.lhs)) ||
      failed(readLoops(linalgOp, *linalgOp.getDpsInputOperand(1), c.rhs)) ||
      failed(readLoops(linalgOp, *linalgOp.getDpsInitOperand(0), c.init)) ||
      llvm::is_contained(c.init.loops, kUnitDim)) {
    reason = "its indexing maps are not projected permutations";
    return failure();
  }
  if (failed(c.classify())) {
    reason = "a loop walks one operand only";
    return failure();
  }
  // Whoever merges dimensions multiplies their sizes.
  for (const LoopTensor *tensor : {&c.lhs, &c.rhs, &c.init})
    if (!countBytes(tensor->getType())) {
      reason = "an operand has 2^63 bytes or more";
      return failure();
    }
  return c;
}
