//===- SplitProducts.cpp - operands that are dequantized in a body --------===//
//
// After fusion a contraction may compute its operands itself: `sum + x * (s *
// (q - z))` in one body. The factors are sorted by the operand that they belong
// to, and each operand becomes a tensor of its own, which the other importers
// know how to read.
//
//===----------------------------------------------------------------------===//

#include "quant/Import/QDQ/ConvertQDQ.h"

#include "Parameters.h"

#include "quant/Import/Contraction/ContractionMatcher.h"
#include "quant/Import/Elements/EmitElement.h"
#include "quant/Import/MatmulNames.h"
#include "quant/Import/QDQ/StoredElement.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace quantmlir;

namespace {
/// What is multiplied, and the loops that it varies along.
struct BodyFactor {
  Value value;
  const Element *element;
  llvm::SmallBitVector dims;
  /// The loops by which the program walks it, those of one step too.
  llvm::SmallBitVector walked;
  /// What it is, where it is stored in integers.
  std::optional<StoredElement> stored;
};

/// `sum + product` of a body.
struct SummedProduct {
  SmallVector<Value> factors;
  bool isFloat = true;
};
} // namespace

static void collectFactors(Value value, Block *block,
                           SmallVectorImpl<Value> &factors) {
  Operation *op = value.getDefiningOp();
  if (op && op->getBlock() == block && isa<arith::MulFOp, arith::MulIOp>(op)) {
    collectFactors(op->getOperand(0), block, factors);
    collectFactors(op->getOperand(1), block, factors);
    return;
  }
  factors.push_back(value);
}

static std::optional<SummedProduct> matchSummedProduct(linalg::GenericOp op) {
  Block *block = op.getBlock();
  Value sum = block->getArguments().back();
  Operation *add = block->getTerminator()->getOperand(0).getDefiningOp();
  if (!add || add->getBlock() != block || op.getNumDpsInits() != 1)
    return std::nullopt;
  SummedProduct product;
  if (auto fma = dyn_cast<math::FmaOp>(add)) {
    if (fma.getC() != sum)
      return std::nullopt;
    collectFactors(fma.getA(), block, product.factors);
    collectFactors(fma.getB(), block, product.factors);
    return product;
  }
  if (!isa<arith::AddFOp, arith::AddIOp>(add))
    return std::nullopt;
  Value value = add->getOperand(0) == sum   ? add->getOperand(1)
                : add->getOperand(1) == sum ? add->getOperand(0)
                                            : Value();
  if (!value)
    return std::nullopt;
  product.isFloat = isa<arith::AddFOp>(add);
  collectFactors(value, block, product.factors);
  return product;
}

/// Sets `steps` to 1 along the loops that index a tensor of which the integers
/// `element` are made.
static void addStoredSteps(Elements &elements, const Element *element,
                           MutableArrayRef<int64_t> steps,
                           llvm::DenseSet<const Element *> &seen) {
  if (!seen.insert(element).second)
    return;
  for (AffineExpr index : element->indices)
    if (auto dim = dyn_cast<AffineDimExpr>(index))
      steps[dim.getPosition()] = 1;
  for (const Element *operand : elements.resolve(element)->operands)
    addStoredSteps(elements, operand, steps, seen);
}

/// Whether `factor` is an operand of the products rather than a parameter: it
/// has an element of its own for each step of every contracted loop. Those of a
/// stored one may all be the same.
static bool isOperand(Elements &elements, linalg::LinalgOp op,
                      const BodyFactor &factor) {
  SmallVector<int64_t> steps = getSteps(elements, factor.element);
  if (factor.stored) {
    llvm::DenseSet<const Element *> seen;
    addStoredSteps(elements, factor.stored->stored, steps, seen);
  }
  for (auto [dim, kind] : llvm::enumerate(op.getIteratorTypesArray()))
    if (kind == utils::IteratorType::reduction &&
        elements.getShape()[dim] != 1 && steps[dim] != 1)
      return false;
  return true;
}

/// Gives each factor to one of the two operands, by the loops that it varies
/// along; to the constant one, or that is stored in integers, where it may
/// belong to either.
static bool sortFactors(Elements &elements, linalg::LinalgOp op,
                        ArrayRef<BodyFactor> factors,
                        SmallVector<unsigned> (&sides)[2]) {
  SmallVector<unsigned> operands;
  for (unsigned i = 0; i < factors.size(); ++i)
    if (isOperand(elements, op, factors[i]))
      operands.push_back(i);
  // Where one product is summed, loops say who is walked along it.
  if (operands.size() > 2)
    llvm::erase_if(operands, [&](unsigned i) {
      for (auto [loop, kind] : llvm::enumerate(op.getIteratorTypesArray()))
        if (kind == utils::IteratorType::reduction &&
            !factors[i].walked.test(loop))
          return true;
      return false;
    });
  // Parameters that are looked up by index are no operands either.
  if (operands.size() > 2)
    llvm::erase_if(operands, [&](unsigned i) {
      return isConstantElement(elements, factors[i].element) &&
             !factors[i].stored;
    });
  if (operands.size() != 2)
    return false;
  // A constant one takes any parameter, negative ones too.
  auto rank = [&](unsigned i) {
    return 2 * isConstantElement(elements, factors[i].element) +
           factors[i].stored.has_value();
  };
  if (rank(operands[1]) > rank(operands[0]))
    std::swap(operands[0], operands[1]);
  for (unsigned i = 0; i < factors.size(); ++i) {
    const unsigned *own = llvm::find(operands, i);
    if (own != operands.end()) {
      sides[own - operands.begin()].push_back(i);
      continue;
    }
    auto belongs = [&](unsigned operand) {
      return !factors[i].dims.test(factors[operand].dims);
    };
    // Loops of one step say which one the program has it with.
    auto isWalkedWith = [&](unsigned operand) {
      return belongs(operand) &&
             !factors[i].walked.test(factors[operand].walked);
    };
    const unsigned *found = llvm::find_if(operands, isWalkedWith);
    if (found == operands.end())
      found = llvm::find_if(operands, belongs);
    if (found == operands.end())
      return false;
    sides[found - operands.begin()].push_back(i);
  }
  return true;
}

/// Adds the loops that walk what `value` is computed from.
static void addWalkedLoops(Value value, linalg::LinalgOp op,
                           llvm::SmallBitVector &loops) {
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    if (argument.getOwner() != op.getBlock())
      return;
    AffineMap map =
        op.getMatchingIndexingMap(op.getMatchingOpOperand(argument));
    for (AffineExpr expr : map.getResults())
      expr.walk([&](AffineExpr part) {
        if (auto dim = dyn_cast<AffineDimExpr>(part))
          loops.set(dim.getPosition());
      });
    return;
  }
  Operation *def = value.getDefiningOp();
  if (def->getBlock() != op.getBlock())
    return;
  if (auto index = dyn_cast<linalg::IndexOp>(def))
    loops.set(index.getDim());
  for (Value operand : def->getOperands())
    addWalkedLoops(operand, op, loops);
}

/// The sizes of the loops of `op`, by its operands.
static SmallVector<OpFoldResult> getLoopSizes(OpBuilder &builder,
                                              linalg::LinalgOp op) {
  SmallVector<OpFoldResult> sizes(op.getNumLoops());
  for (OpOperand &operand : op->getOpOperands()) {
    if (!isa<RankedTensorType>(operand.get().getType()))
      continue;
    for (auto [dim, expr] :
         llvm::enumerate(op.getMatchingIndexingMap(&operand).getResults())) {
      auto loop = dyn_cast<AffineDimExpr>(expr);
      if (loop && !sizes[loop.getPosition()])
        sizes[loop.getPosition()] =
            tensor::getMixedSize(builder, op->getLoc(), operand.get(), dim);
    }
  }
  return sizes;
}

static bool isReduction(linalg::LinalgOp op, unsigned loop) {
  return op.getIteratorTypesArray()[loop] == utils::IteratorType::reduction;
}

/// What a body widens to multiply it, as products of narrow floats widen their
/// operands; `element` where it widens nothing.
static const Element *getUnwidened(Elements &elements, const Element *element) {
  const Element *wide = elements.resolve(element);
  return wide->is(ElementOpcode::ExtF) ? wide->operands[0] : element;
}

static Value widen(OpBuilder &b, Location loc, Value value, Type type) {
  return value.getType() == type
             ? value
             : arith::ExtFOp::create(b, loc, type, value).getResult();
}

/// The factors of `product` as elements; none where one has no such form.
static SmallVector<BodyFactor> getBodyFactors(Elements &elements,
                                              linalg::LinalgOp op,
                                              const SummedProduct &product) {
  SmallVector<BodyFactor> factors;
  for (Value value : product.factors) {
    const Element *element = elements.getInBody(op, value);
    if (!element)
      return {};
    if (product.factors.size() == 2)
      element = getUnwidened(elements, element);
    llvm::SmallBitVector walked(op.getNumLoops());
    addWalkedLoops(value, op, walked);
    factors.push_back({value, element, getDependence(elements, element), walked,
                       matchStored(elements, element)});
  }
  return factors;
}

/// Appends the product of the factors `side` as a tensor of its own, and how it
/// is read. `placed`: loops of operands that have been appended.
static LogicalResult
appendOperand(OpBuilder &builder, linalg::LinalgOp op, Elements &elements,
              bool isFloat, ArrayRef<BodyFactor> factors,
              ArrayRef<unsigned> side, ArrayRef<OpFoldResult> sizes,
              llvm::SmallBitVector &placed, SmallVectorImpl<Value> &inputs,
              SmallVectorImpl<AffineMap> &maps) {
  const Element *element = nullptr;
  llvm::SmallBitVector along(sizes.size());
  for (unsigned i : side) {
    const BodyFactor &factor = factors[i];
    along |= factor.dims;
    // A loop of one step belongs to one operand, or to both if it is
    // contracted.
    for (unsigned dim : factor.walked.set_bits())
      if (elements.getShape()[dim] == 1 &&
          (!placed.test(dim) || isReduction(op, dim)))
        along.set(dim);
    element = element ? elements.getOperation(
                            isFloat ? ElementOpcode::MulF : ElementOpcode::MulI,
                            element->type, {element, factor.element})
                      : factor.element;
  }
  placed |= along;
  SmallVector<int64_t> dims;
  SmallVector<AffineExpr> results;
  for (unsigned dim : along.set_bits()) {
    dims.push_back(dim);
    results.push_back(builder.getAffineDimExpr(dim));
  }
  Value tensor = emitElement(builder, op.getLoc(), element, dims, sizes);
  if (!tensor)
    return failure();
  inputs.push_back(tensor);
  maps.push_back(
      AffineMap::get(sizes.size(), 0, results, builder.getContext()));
  return success();
}

/// `sum + x * y`
static Value emitSummedProduct(OpBuilder &b, Location loc, bool isFloat,
                               Value x, Value y, Value sum) {
  if (!isFloat) {
    Value product = arith::MulIOp::create(b, loc, x, y);
    return arith::AddIOp::create(b, loc, sum, product);
  }
  x = widen(b, loc, x, sum.getType());
  y = widen(b, loc, y, sum.getType());
  Value product = arith::MulFOp::create(b, loc, x, y);
  return arith::AddFOp::create(b, loc, sum, product);
}

static void split(linalg::GenericOp op) {
  ElementKind lhsKind, rhsKind;
  auto linalgOp = cast<linalg::LinalgOp>(op.getOperation());
  if (!op.hasPureTensorSemantics() ||
      succeeded(matchProductBody(linalgOp, lhsKind, rhsKind)))
    return;
  std::optional<SummedProduct> product = matchSummedProduct(op);
  if (!product || product->factors.size() < 2)
    return;
  Elements elements(op.getContext(), linalgOp.getStaticLoopRanges());
  SmallVector<BodyFactor> factors =
      getBodyFactors(elements, linalgOp, *product);
  SmallVector<unsigned> sides[2];
  if (factors.empty() || !sortFactors(elements, linalgOp, factors, sides))
    return;

  OpBuilder builder(op);
  SmallVector<OpFoldResult> sizes = getLoopSizes(builder, linalgOp);
  if (!llvm::all_of(sizes, [](OpFoldResult size) { return bool(size); }))
    return;
  SmallVector<Value> inputs;
  SmallVector<AffineMap> maps;
  llvm::SmallBitVector placed(sizes.size());
  for (ArrayRef<unsigned> side : sides)
    if (failed(appendOperand(builder, linalgOp, elements, product->isFloat,
                             factors, side, sizes, placed, inputs, maps)))
      return;
  maps.push_back(op.getIndexingMapsArray().back());
  auto contraction = linalg::GenericOp::create(
      builder, op.getLoc(), op.getResultTypes(), inputs, op.getOutputs(), maps,
      op.getIteratorTypesArray(),
      [&](OpBuilder &b, Location loc, ValueRange args) {
        Value result = emitSummedProduct(b, loc, product->isFloat, args[0],
                                         args[1], args[2]);
        linalg::YieldOp::create(b, loc, result);
      });
  if (Attribute name = op->getAttr(kMatmulNameAttr))
    contraction->setAttr(kMatmulNameAttr, name);
  op.getResult(0).replaceAllUsesWith(contraction.getResult(0));
  op.erase();
}

/// Whether a named product converts integers to floats in its body, as
/// `linalg.matmul` of i8 into f32 does.
static bool convertsIntegers(linalg::LinalgOp op) {
  auto isInteger = [](Value value) {
    return isa<IntegerType>(getElementTypeOrSelf(value.getType()));
  };
  return isa<linalg::ContractionOpInterface>(op.getOperation()) &&
         !isa<linalg::GenericOp>(op) && op.hasPureTensorSemantics() &&
         op.getNumDpsInits() == 1 && !isInteger(op.getDpsInits().front()) &&
         llvm::any_of(op.getDpsInputs(), isInteger);
}

void quantmlir::splitProductBodies(Operation *root) {
  SmallVector<linalg::LinalgOp> candidates;
  root->walk([&](linalg::LinalgOp op) {
    if (op.getNumReductionLoops() != 0 &&
        (isa<linalg::GenericOp>(op) || convertsIntegers(op)))
      candidates.push_back(op);
  });
  IRRewriter rewriter(root->getContext());
  for (linalg::LinalgOp op : candidates) {
    auto generic = dyn_cast<linalg::GenericOp>(op.getOperation());
    if (!generic) {
      Attribute name = op->getAttr(kMatmulNameAttr);
      rewriter.setInsertionPoint(op);
      FailureOr<linalg::GenericOp> made =
          linalg::generalizeNamedOp(rewriter, op);
      if (failed(made))
        continue;
      generic = *made;
      if (name)
        generic->setAttr(kMatmulNameAttr, name);
    }
    split(generic);
  }
}
