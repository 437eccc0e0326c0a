//===- AttentionReshapes.cpp - reshapes between two products --------------===//
//
// Exporters merge heads for a product and keep sizes of 1 for a broadcast.
// Tiles of rows reach through neither: merged heads become loops of the ops,
// and sizes of 1 are not read or not made.
//
//===----------------------------------------------------------------------===//

#include "AttentionReshapes.h"

#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;
using namespace quantmlir;

bool quantmlir::isReshape(Operation *op) {
  return isa_and_nonnull<tensor::ExpandShapeOp, tensor::CollapseShapeOp>(op);
}

Operation *quantmlir::getBehindReshapes(Value value) {
  Operation *op = value.getDefiningOp();
  while (isReshape(op))
    op = op->getOperand(0).getDefiningOp();
  return op;
}

bool quantmlir::isProduct(Operation *op) {
  auto product = dyn_cast_if_present<linalg::LinalgOp>(op);
  return product && product.hasPureTensorSemantics() &&
         product.getNumDpsInputs() == 2 &&
         linalg::isaContractionOpInterface(product) &&
         isa<FloatType>(getElementTypeOrSelf(op->getResult(0)));
}

namespace {
/// Keeps the attributes (names of products) of ops that are written anew.
struct KeepAttributes : RewriterBase::Listener {
  void notifyOperationReplaced(Operation *op, ValueRange values) override {
    if (!isa<linalg::LinalgOp>(op) || values.empty())
      return;
    Operation *by = getBehindReshapes(values.front());
    if (isa_and_nonnull<linalg::LinalgOp>(by))
      for (NamedAttribute attribute : op->getDiscardableAttrs())
        by->setDiscardableAttr(attribute.getName(), attribute.getValue());
  }
};
} // namespace

OpOperand *quantmlir::findReshape(const Attention &attention) {
  auto findIn = [&](Operation *op) -> OpOperand * {
    for (OpOperand &operand : op->getOpOperands())
      if (isReshape(operand.get().getDefiningOp()) &&
          attention.between.contains(getBehindReshapes(operand.get())))
        return &operand;
    return nullptr;
  };
  if (OpOperand *found = findIn(attention.product))
    return found;
  for (Operation *op : attention.between)
    if (OpOperand *found = findIn(op))
      return found;
  return nullptr;
}

/// Which index of `source`, read by `map`, is which of `reshaped`, where sizes
/// of 1 are all that differs; null: they are not.
static AffineMap readBehind(AffineMap map, RankedTensorType source,
                            RankedTensorType reshaped,
                            ArrayRef<ReassociationIndices> groups) {
  bool expands = source.getRank() < reshaped.getRank();
  RankedTensorType wide = expands ? reshaped : source;
  auto zero = getAffineConstantExpr(0, map.getContext());
  SmallVector<AffineExpr> results(source.getRank(), zero);
  for (auto [i, group] : llvm::enumerate(groups)) {
    std::optional<int64_t> one;
    if (group.size() == 1)
      one = group.front();
    for (int64_t dim : group)
      if (wide.getDimSize(dim) != 1) {
        if (one && *one != dim)
          return AffineMap();
        one = dim;
      }
    if (one)
      results[expands ? i : *one] = map.getResult(expands ? *one : i);
  }
  return AffineMap::get(map.getNumDims(), 0, results, map.getContext());
}

/// Lets the owner of `operand` read what is behind a reshape that only adds or
/// takes sizes of 1.
static bool readBehind(RewriterBase &b, OpOperand &operand) {
  auto op = dyn_cast<linalg::GenericOp>(operand.getOwner());
  Operation *reshape = operand.get().getDefiningOp();
  if (!op || op.isDpsInit(&operand))
    return false;
  SmallVector<ReassociationIndices> groups =
      isa<tensor::ExpandShapeOp>(reshape)
          ? cast<tensor::ExpandShapeOp>(reshape).getReassociationIndices()
          : cast<tensor::CollapseShapeOp>(reshape).getReassociationIndices();
  Value source = reshape->getOperand(0);
  AffineMap map =
      readBehind(op.getMatchingIndexingMap(&operand),
                 cast<RankedTensorType>(source.getType()),
                 cast<RankedTensorType>(operand.get().getType()), groups);
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  maps[operand.getOperandNumber()] = map;
  // Each loop has to find its size.
  if (!map || !inversePermutation(concatAffineMaps(maps, b.getContext())))
    return false;
  b.modifyOpInPlace(op, [&] {
    operand.set(source);
    op.setIndexingMapsAttr(b.getAffineMapArrayAttr(maps));
  });
  return true;
}

linalg::GenericOp quantmlir::findKeptSize(const Attention &attention) {
  for (Operation *op : attention.between)
    if (auto generic = dyn_cast<linalg::GenericOp>(op))
      for (OpOperand &init : generic.getDpsInitsMutable())
        if (!generic.getMatchingIndexingMap(&init).isProjectedPermutation())
          return generic;
  return nullptr;
}

bool quantmlir::dropKeptSizes(RewriterBase &b, linalg::GenericOp op) {
  b.setInsertionPoint(op);
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  SmallVector<Value> inits;
  SmallVector<SmallVector<ReassociationIndices>> groupsOf;
  for (OpOperand &init : op.getDpsInitsMutable()) {
    AffineMap &map = maps[init.getOperandNumber()];
    auto type = cast<RankedTensorType>(init.get().getType());
    SmallVector<AffineExpr> kept;
    SmallVector<ReassociationIndices> groups;
    for (auto [dim, index] : llvm::enumerate(map.getResults())) {
      bool isKept = !isa<AffineConstantExpr>(index);
      if (!isKept && type.getDimSize(dim) != 1)
        return false;
      if (isKept)
        kept.push_back(index);
      if (groups.empty() || (isKept && kept.size() > 1))
        groups.emplace_back();
      groups.back().push_back(dim);
    }
    if (kept.empty())
      groups.clear();
    groupsOf.push_back(groups);
    Value small = init.get();
    if (kept.size() != map.getNumResults())
      small = tensor::CollapseShapeOp::create(b, op.getLoc(), small, groups);
    map = AffineMap::get(map.getNumDims(), 0, kept, op.getContext());
    if (!map.isProjectedPermutation())
      return false;
    inits.push_back(small);
  }
  auto fresh = linalg::GenericOp::create(
      b, op.getLoc(), ValueRange(inits).getTypes(), op.getInputs(), inits, maps,
      op.getIteratorTypesArray());
  b.inlineRegionBefore(op.getRegion(), fresh.getRegion(),
                       fresh.getRegion().begin());
  SmallVector<Value> results;
  for (auto [old, result, groups] :
       llvm::zip_equal(op.getResults(), fresh.getResults(), groupsOf))
    results.push_back(
        old.getType() == result.getType()
            ? Value(result)
            : tensor::ExpandShapeOp::create(
                  b, op.getLoc(), old.getType(), result, groups,
                  tensor::getMixedSizes(
                      b, op.getLoc(),
                      op.getDpsInitOperand(old.getResultNumber())->get())));
  b.replaceOp(op, results);
  return true;
}

void quantmlir::fillTiles(RewriterBase &b, linalg::LinalgOp op) {
  for (OpOperand &init : op.getDpsInitsMutable()) {
    auto fill =
        dyn_cast_if_present<linalg::FillOp>(getBehindReshapes(init.get()));
    if (!fill || fill->getResult(0) == init.get())
      continue;
    b.setInsertionPoint(op);
    Value empty = tensor::EmptyOp::create(
        b, op.getLoc(), tensor::getMixedSizes(b, op.getLoc(), init.get()),
        getElementTypeOrSelf(init.get()));
    Value filled =
        linalg::FillOp::create(b, op.getLoc(), fill.getInputs(), empty)
            .getResult(0);
    b.modifyOpInPlace(op, [&] { init.set(filled); });
  }
}

bool quantmlir::takeOut(RewriterBase &b, OpOperand &operand) {
  Operation *reshape = operand.get().getDefiningOp(), *op = operand.getOwner();
  Operation *behind = getBehindReshapes(operand.get());
  if (!isProduct(op) && !isProduct(behind) && readBehind(b, operand))
    return true;
  RewritePatternSet patterns(op->getContext());
  linalg::populateFoldReshapeOpsByExpansionPatterns(
      patterns, [](OpOperand *) { return true; });
  KeepAttributes listener;
  GreedyRewriteConfig config;
  config.setListener(&listener)
      .setStrictness(GreedyRewriteStrictness::ExistingOps)
      .enableFolding(false);
  bool changed = false;
  Operation *root = isa<tensor::ExpandShapeOp>(reshape) ? reshape : op;
  (void)applyOpPatternsGreedily(root, std::move(patterns), config, &changed);
  return changed;
}
