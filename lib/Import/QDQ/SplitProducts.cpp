//===- SplitProducts.cpp - operands that are dequantized in a body --------===//
//
// After fusion a contraction may compute its operands itself: `sum + x * (s *
// (q - z))` in one body. The factors are sorted by the operand that they belong
// to, and each operand becomes a tensor of its own, which the other importers
// know how to read.
//
//===----------------------------------------------------------------------===//

#include "quant/Import/QDQ/ConvertQDQ.h"

#include "quant/Import/Contraction/ContractionMatcher.h"
#include "quant/Import/Elements/EmitElement.h"
#include "quant/Import/MatmulNames.h"
#include "quant/Import/QDQ/StoredElement.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace quantmlir;

namespace {
/// What is multiplied, and the loops that it varies along.
struct Factor {
  Value value;
  const Element *element;
  llvm::SmallBitVector dims;
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
  if (op && op->getBlock() == block &&
      isa<arith::MulFOp, arith::MulIOp>(op)) {
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

/// Gives each factor to one of two operands; the two that vary most, and not
/// along the same loops, are theirs to begin with.
static bool sortFactors(ArrayRef<Factor> factors,
                        SmallVector<unsigned> (&sides)[2]) {
  auto varies = [&](unsigned i) { return factors[i].dims.count(); };
  SmallVector<unsigned> order =
      llvm::to_vector(llvm::seq<unsigned>(0, factors.size()));
  llvm::stable_sort(order, [&](unsigned a, unsigned b) {
    return varies(a) > varies(b);
  });
  llvm::SmallBitVector dims[2];
  for (unsigned i : order) {
    const llvm::SmallBitVector &own = factors[i].dims;
    bool isPlaced = false;
    for (unsigned side : {0, 1}) {
      if (!sides[side].empty() && own.test(dims[side]))
        continue;
      // The first factor of a side says along which loops it varies.
      if (sides[side].empty())
        dims[side] = own;
      sides[side].push_back(i);
      isPlaced = true;
      break;
    }
    if (!isPlaced)
      return false;
  }
  llvm::sort(sides[0]);
  llvm::sort(sides[1]);
  return !sides[0].empty() && !sides[1].empty();
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
        sizes[loop.getPosition()] = tensor::getMixedSize(
            builder, op->getLoc(), operand.get(), dim);
    }
  }
  return sizes;
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
  MLIRContext *context = op.getContext();
  Elements elements(context, linalgOp.getStaticLoopRanges());
  SmallVector<Factor> factors;
  for (Value value : product->factors) {
    const Element *element = elements.getInBody(linalgOp, value);
    if (!element)
      return;
    factors.push_back({value, element, getDependence(elements, element)});
  }
  SmallVector<unsigned> sides[2];
  if (!sortFactors(factors, sides))
    return;

  OpBuilder builder(op);
  SmallVector<OpFoldResult> sizes = getLoopSizes(builder, linalgOp);
  if (!llvm::all_of(sizes, [](OpFoldResult size) { return bool(size); }))
    return;
  SmallVector<Value> inputs;
  SmallVector<AffineMap> maps;
  for (ArrayRef<unsigned> side : sides) {
    const Element *element = nullptr;
    llvm::SmallBitVector along(sizes.size());
    for (unsigned i : side) {
      const Factor &factor = factors[i];
      along |= factor.dims;
      element = element ? elements.getOperation(
                              product->isFloat ? ElementOpcode::MulF
                                               : ElementOpcode::MulI,
                              element->type, {element, factor.element})
                        : factor.element;
    }
    SmallVector<int64_t> dims;
    SmallVector<AffineExpr> results;
    for (unsigned dim : along.set_bits()) {
      dims.push_back(dim);
      results.push_back(builder.getAffineDimExpr(dim));
    }
    Value tensor = emitElement(builder, op.getLoc(), element, dims, sizes);
    if (!tensor)
      return;
    inputs.push_back(tensor);
    maps.push_back(AffineMap::get(sizes.size(), 0, results, context));
  }
  maps.push_back(op.getIndexingMapsArray().back());
  bool isFloat = product->isFloat;
  auto contraction = linalg::GenericOp::create(
      builder, op.getLoc(), op.getResultTypes(), inputs, op.getOutputs(), maps,
      op.getIteratorTypesArray(),
      [&](OpBuilder &b, Location loc, ValueRange args) {
        Value result;
        if (isFloat)
          result = arith::AddFOp::create(
              b, loc, args[2], arith::MulFOp::create(b, loc, args[0], args[1]));
        else
          result = arith::AddIOp::create(
              b, loc, args[2], arith::MulIOp::create(b, loc, args[0], args[1]));
        linalg::YieldOp::create(b, loc, result);
      });
  if (Attribute name = op->getAttr(kMatmulNameAttr))
    contraction->setAttr(kMatmulNameAttr, name);
  op.getResult(0).replaceAllUsesWith(contraction.getResult(0));
  op.erase();
}

void quantmlir::splitProductBodies(Operation *root) {
  SmallVector<linalg::GenericOp> candidates;
  root->walk([&](linalg::GenericOp op) {
    if (op.getNumReductionLoops() != 0)
      candidates.push_back(op);
  });
  for (linalg::GenericOp op : candidates)
    split(op);
}
