//===- ConvertQDQ.cpp - quantize and dequantize as arithmetic -------------===//
//
// Results are asked from the last op to the first, so that the longest chain of
// ops is read as one; what it was made of is dead then.
//
//===----------------------------------------------------------------------===//

#include "quant/Import/QDQ/ConvertQDQ.h"

#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Dialect/Quant/Utils/Constants.h"
#include "quant/Import/Contraction/MatmulEmitter.h"
#include "quant/Import/Contraction/StoredSource.h"
#include "quant/Import/Elements/EmitElement.h"
#include "quant/Import/Elements/Evaluate.h"
#include "quant/Import/Elements/Gather.h"
#include "quant/Import/QDQ/EmitStored.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;
using namespace quantmlir;

bool quantmlir::isElementwise(linalg::GenericOp op) {
  return op.getNumDpsInits() == 1 && op.getNumReductionLoops() == 0 &&
         op.hasPureTensorSemantics() &&
         op.getMatchingIndexingMap(op.getDpsInitOperand(0)).isIdentity();
}

//===----------------------------------------------------------------------===//
// Roots
//===----------------------------------------------------------------------===//

/// An elementwise op that computes something.
static bool isComputation(Operation *op) {
  auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
  return linalgOp && linalgOp->getNumResults() == 1 &&
         linalgOp.getNumReductionLoops() == 0 &&
         linalgOp.hasPureTensorSemantics() &&
         !llvm::hasSingleElement(*linalgOp.getBlock());
}

/// A movement by which stored constants may pass: they are moved when the
/// program is compiled.
static bool isConstantMovement(Operation *op) {
  if (!isa<tensor::CollapseShapeOp, tensor::ExpandShapeOp,
           tensor::ExtractSliceOp, tensor::ConcatOp, tensor::InsertSliceOp,
           tensor::PadOp>(op))
    return false;
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  return type.hasStaticShape() && isa<FloatType>(type.getElementType()) &&
         !op->getOperand(0).getDefiningOp<DequantizeOp>();
}

/// The sizes of what `op` computes, known before it.
static SmallVector<OpFoldResult> getSizes(OpBuilder &builder, Operation *op) {
  if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op))
    return tensor::getMixedSizes(builder, op->getLoc(),
                                 linalgOp.getDpsInits().front());
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  SmallVector<OpFoldResult> sizes;
  for (int64_t size : type.getShape())
    sizes.push_back(builder.getIndexAttr(size));
  return sizes;
}

/// Whether a plain conversion is asked for: where products are taken of it.
static bool feedsContraction(Value value) {
  return llvm::any_of(value.getUsers(), [](Operation *user) {
    auto linalgOp = dyn_cast<linalg::LinalgOp>(user);
    return !linalgOp || linalgOp.getNumReductionLoops() != 0 ||
           llvm::hasSingleElement(*linalgOp.getBlock());
  });
}

//===----------------------------------------------------------------------===//
// Dequantize
//===----------------------------------------------------------------------===//

/// Repeats `value`, over the coordinates `dims`, along all others.
static Value repeat(const ElementSite &site, Value value,
                    ArrayRef<int64_t> dims) {
  SmallVector<int64_t> missing;
  for (int64_t dim = 0, e = site.sizes.size(); dim < e; ++dim)
    if (!llvm::is_contained(dims, dim))
      missing.push_back(dim);
  if (missing.empty())
    return value;
  Value empty = tensor::EmptyOp::create(site.builder, site.loc, site.sizes,
                                        getElementTypeOrSelf(value.getType()));
  return linalg::BroadcastOp::create(site.builder, site.loc, value, empty,
                                     missing)
      ->getResult(0);
}

/// What was brought together goes back to where the program has it.
static Value reorder(const ElementSite &site, Value value,
                     const StoredTensor &stored) {
  if (stored.orderedDim < 0)
    return value;
  return emitGather(
      site.builder, site.loc,
      {value, stored.orderedDim, invertPermutationVector(stored.order)});
}

/// What was split into groups is merged, and a padded tail cut off.
static Value merge(const ElementSite &site, Value value,
                   const StoredTensor &stored) {
  if (stored.groups.empty())
    return value;
  OpBuilder &builder = site.builder;
  Value merged =
      tensor::CollapseShapeOp::create(builder, site.loc, value, stored.groups);
  auto type = cast<RankedTensorType>(merged.getType());
  if (type.getDimSize(stored.splitDim) == stored.mergedSize)
    return merged;
  SmallVector<OpFoldResult> offsets(type.getRank(), builder.getIndexAttr(0)),
      strides(type.getRank(), builder.getIndexAttr(1)), sizes;
  for (auto [dim, size] : llvm::enumerate(type.getShape()))
    sizes.push_back(builder.getIndexAttr(
        static_cast<int64_t>(dim) == stored.splitDim ? stored.mergedSize
                                                     : size));
  return tensor::ExtractSliceOp::create(builder, site.loc, merged, offsets,
                                        sizes, strides);
}

static Value emitDequantize(const ElementSite &site, const StoredTensor &stored,
                            Type element) {
  OpBuilder &builder = site.builder;
  Value scale = stored.scale;
  if (!scale) {
    SmallVector<int64_t> shape;
    for (int64_t axis : stored.axes)
      shape.push_back(
          cast<RankedTensorType>(stored.ints.getType()).getDimSize(axis));
    auto type = RankedTensorType::get(shape, builder.getF32Type());
    if (!type.hasStaticShape())
      return {};
    scale = arith::ConstantOp::create(
        builder, site.loc,
        makeFloatTensorAttr(type,
                            std::vector<float>(type.getNumElements(), 1.0f)));
  }
  auto type = cast<RankedTensorType>(stored.ints.getType()).clone(element);
  Value floats = DequantizeOp::create(
      builder, site.loc, type, stored.ints, scale, stored.zeroPoint,
      builder.getDenseI64ArrayAttr(stored.axes),
      stored.isUnsigned ? builder.getUnitAttr() : UnitAttr());
  floats = reorder(site, merge(site, floats, stored), stored);
  return repeat(site, floats, stored.dims);
}

/// `value` as `type`, which may know other sizes.
static void replace(OpBuilder &builder, Value old, Value value) {
  if (value.getType() != old.getType())
    value = tensor::CastOp::create(builder, old.getLoc(), old.getType(), value);
  old.replaceAllUsesWith(value);
}

/// Whether integers of the run time are moved after they were given parameters
/// that vary: there may be no such parameters for what was moved.
static bool losesParameters(Elements &elements, const StoredElement &stored) {
  const Element *ints = stored.stored;
  bool isActivation = ints->kind == Element::Kind::Tensor
                          ? isQuantizedHere(ints->value)
                          : ints->is(ElementOpcode::FPToSI) ||
                                matchQuantized(elements, ints).has_value();
  if (!ints->type.isInteger() || isActivation)
    return false;
  auto varies = [&](const Element *parameter) {
    return getDependence(elements, parameter).any();
  };
  return llvm::any_of(
             stored.factors,
             [&](const auto &factor) { return varies(factor.value); }) ||
         llvm::any_of(stored.zeros,
                      [&](const auto &zero) { return varies(zero.value); });
}

void quantmlir::groupAlongSum(Operation *dequantize) {
  Value root = dequantize->getResult(0);
  OpBuilder builder(dequantize);
  Elements elements(builder.getContext(),
                    cast<RankedTensorType>(root.getType()).getShape());
  ElementSite site{builder, dequantize->getLoc(), elements,
                   tensor::getMixedSizes(builder, dequantize->getLoc(),
                                         dequantize->getOperand(0)),
                   /*reason=*/nullptr, root,
                   /*summed=*/
                   llvm::SmallBitVector(elements.getShape().size(),
                                        /*t=*/true)};
  std::optional<StoredElement> stored =
      matchStored(elements, elements.getRoot(root));
  std::optional<StoredTensor> tensor =
      stored ? emitStored(site, *stored) : std::nullopt;
  if (!tensor || tensor->groups.empty())
    return;
  if (Value floats =
          emitDequantize(site, *tensor, getElementTypeOrSelf(root.getType())))
    replace(builder, root, floats);
}

/// Whether `root`, which stands for `stored`, is rounded to a narrower type and
/// widened again: other numbers.
static bool isRoundedBetween(Elements &elements, Value root,
                             const StoredElement &stored) {
  bool isWidened = llvm::any_of(root.getUsers(), [](Operation *user) {
    auto op = dyn_cast<linalg::LinalgOp>(user);
    return op && op.getNumReductionLoops() == 0 &&
           !op.getBlock()->getOps<arith::ExtFOp>().empty();
  });
  if (!isWidened)
    return false;
  const Element *element = elements.resolve(elements.getRoot(root));
  return element->is(ElementOpcode::TruncF) ||
         !isExactIn(elements, element->type, stored);
}

static bool convertDequantize(const ElementSite &site, Value root) {
  Type type = getElementTypeOrSelf(root.getType());
  Elements &elements = site.elements;
  if (!isa<Float32Type, Float16Type, BFloat16Type>(type))
    return false;
  std::optional<StoredElement> stored =
      matchStored(elements, elements.getRoot(root));
  if (!stored || isRoundedBetween(elements, root, *stored))
    return false;
  bool isMoved = !isComputation(root.getDefiningOp());
  if ((isMoved && !isConstantElement(elements, stored->stored) &&
       !losesParameters(elements, *stored)) ||
      (stored->factors.empty() && !feedsContraction(root)))
    return false;
  std::optional<StoredTensor> tensor = emitStored(site, *stored);
  Value floats = tensor ? emitDequantize(site, *tensor, type) : Value();
  if (!floats)
    return false;
  replace(site.builder, root, floats);
  return true;
}

//===----------------------------------------------------------------------===//
// Quantize and rescale
//===----------------------------------------------------------------------===//

static bool convertQuantize(const ElementSite &site, Value root) {
  Type type = getElementTypeOrSelf(root.getType());
  if (!type.isInteger(8) && !type.isInteger(4))
    return false;
  const Element *element = site.elements.getRoot(root);
  std::optional<QuantizedElement> quantized =
      matchQuantized(site.elements, element);
  Value ints = quantized ? emitQuantized(site, element, *quantized) : Value();
  if (!ints)
    return false;
  replace(site.builder, root, ints);
  return true;
}

/// `scale * fp(sum)` of sums in i32, with one scale or one for each column.
static bool convertRescale(const ElementSite &site, Value root) {
  Elements &elements = site.elements;
  OpBuilder &builder = site.builder;
  const Element *element = elements.resolve(elements.getRoot(root));
  auto dims = llvm::to_vector(llvm::seq<int64_t>(0, site.sizes.size()));
  if (!element->is(ElementOpcode::MulF) || !element->type.isF32() ||
      dims.empty())
    return false;
  for (unsigned side : {0, 1}) {
    const Element *sum = elements.resolve(element->operands[side]);
    if (!sum->is(ElementOpcode::SIToFP) ||
        !sum->operands[0]->type.isInteger(32))
      continue;
    Value sums =
        getWholeTensor(builder, site.loc, sum->operands[0], dims, site.sizes);
    std::optional<ElementParameters> parameters =
        sums ? emitScale(site, element->operands[1 - side]) : std::nullopt;
    if (!parameters || parameters->dims.size() > 1 ||
        (parameters->dims.size() == 1 &&
         parameters->dims.front() != dims.back()))
      return false;
    auto type =
        cast<RankedTensorType>(sums.getType()).clone(builder.getF32Type());
    Value floats = RescaleOp::create(
        builder, site.loc, type, sums, /*row_scale=*/Value(), parameters->scale,
        /*bias=*/Value(), /*residual=*/Value(),
        /*zero_point=*/IntegerAttr(), /*range=*/DenseI64ArrayAttr(),
        /*clamp_min=*/FloatAttr(), /*clamp_max=*/FloatAttr(),
        /*is_unsigned=*/UnitAttr());
    replace(builder, root, floats);
    return true;
  }
  return false;
}

//===----------------------------------------------------------------------===//
// The whole program
//===----------------------------------------------------------------------===//

using SummedDims = llvm::DenseMap<Value, llvm::SmallBitVector>;

/// The dimensions that products sum over, of their operands and of what those
/// were moved from.
static SummedDims findSummedDims(Operation *root) {
  SummedDims summed;
  root->walk([&](linalg::LinalgOp op) {
    std::string reason;
    if (op.getNumReductionLoops() == 0)
      return;
    FailureOr<Contraction> c = matchContraction(op, reason);
    if (failed(c))
      return;
    for (LoopTensor tensor : {c->lhs, c->rhs})
      do {
        llvm::SmallBitVector dims(tensor.loops.size());
        for (auto [dim, loop] : llvm::enumerate(tensor.loops))
          if (llvm::is_contained(c->k, loop))
            dims.set(dim);
        summed.try_emplace(tensor.value, dims);
      } while (lookThroughMovement(tensor));
  });
  return summed;
}

void quantmlir::convertQDQ(Operation *root) {
  SmallVector<Operation *> candidates;
  root->walk([&](Operation *op) {
    if (isComputation(op) || isConstantMovement(op))
      candidates.push_back(op);
  });
  SummedDims summed = findSummedDims(root);
  for (Operation *op : llvm::reverse(candidates)) {
    if (op->use_empty())
      continue;
    OpBuilder builder(op);
    Value result = op->getResult(0);
    Elements elements(op->getContext(),
                      cast<RankedTensorType>(result.getType()).getShape());
    ElementSite site{builder,
                     op->getLoc(),
                     elements,
                     getSizes(builder, op),
                     /*reason=*/nullptr,
                     result,
                     summed.lookup(result)};
    if (convertDequantize(site, result) || isConstantMovement(op))
      continue;
    if (!convertRescale(site, result))
      convertQuantize(site, result);
  }
  for (Operation *op : llvm::reverse(candidates))
    if (isOpTriviallyDead(op))
      op->erase();
}

void quantmlir::foldConstantQuantizes(Operation *root) {
  SmallVector<Operation *> constants;
  root->walk([&](QuantizeOp op) {
    if (matchPattern(op.getInput(), m_Constant()))
      constants.push_back(op);
  });
  if (constants.empty())
    return;
  RewritePatternSet patterns(root->getContext());
  QuantizeOp::getCanonicalizationPatterns(patterns, root->getContext());
  (void)applyOpPatternsGreedily(constants, std::move(patterns),
                                GreedyRewriteConfig().setStrictness(
                                    GreedyRewriteStrictness::ExistingOps));
}
