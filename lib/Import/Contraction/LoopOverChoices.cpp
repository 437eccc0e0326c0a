//===- LoopOverChoices.cpp - a weight of several for each row -------------===//
//
// `w[idx]` with an expert for each token gives a batch of weights: one product
// in each, of one row. As a loop over the batch each product has one weight of
// the constant that is chosen by an index, and no weight is copied.
//
//===----------------------------------------------------------------------===//

#include "quant/Import/Contraction/ChosenWeight.h"

#include "quant/Import/Contraction/DropUnitLoops.h"
#include "quant/Import/Contraction/MatmulEmitter.h"
#include "quant/Import/Elements/Element.h"
#include "quant/Import/Elements/Evaluate.h"
#include "quant/Import/QDQ/StoredElement.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/SCF/Transforms/TileUsingInterface.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;
using namespace quantmlir;

namespace {
/// Looks for what is read of constants at indices of the run time.
class ChoiceFinder {
public:
  explicit ChoiceFinder(RankedTensorType type)
      : elements(type.getContext(), type.getShape()), dims(type.getRank()) {}

  /// The dimensions of `tensor` along which weights are chosen.
  llvm::SmallBitVector find(Value tensor) {
    visit(elements.getRoot(tensor));
    return dims;
  }

private:
  void visit(const Element *element) {
    element = elements.resolve(element);
    if (!seen.insert(element).second)
      return;
    if (element->kind == Element::Kind::Gather && isWeights(element->value))
      for (const Element *index : element->operands)
        if (!isConstantElement(elements, index))
          dims |= getDependence(elements, index);
    for (const Element *operand : element->operands)
      visit(operand);
  }

  /// What is left of them must be a matrix at least.
  static bool isWeights(Value value) {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    return type && type.getRank() >= 3 && matchPattern(value, m_Constant());
  }

  Elements elements;
  llvm::SmallBitVector dims;
  llvm::DenseSet<const Element *> seen;
};
} // namespace

/// The elementwise ops that compute `value`; returns whether one of them looks
/// up elements of other tensors.
static bool findProducers(Value value, llvm::DenseSet<Operation *> &producers) {
  auto op = value.getDefiningOp<linalg::LinalgOp>();
  if (!op || op.getNumReductionLoops() != 0 || !producers.insert(op).second)
    return false;
  bool looksUp = !op.getBlock()->getOps<tensor::ExtractOp>().empty();
  for (Value operand : op.getDpsInputs())
    looksUp |= findProducers(operand, producers);
  return looksUp;
}

/// The parallel loops in which each step chooses a weight of its own; also the
/// ops that compute the weights.
static SmallVector<int64_t>
findChoosingLoops(const Contraction &c,
                  llvm::DenseSet<Operation *> &producers) {
  linalg::LinalgOp op = c.op;
  SmallVector<int64_t> sizes = op.getStaticLoopRanges();
  for (const LoopTensor &tensor : {c.lhs, c.rhs}) {
    llvm::SmallBitVector dims =
        ChoiceFinder(tensor.getType()).find(tensor.value);
    SmallVector<int64_t> choosing;
    for (unsigned dim : dims.set_bits())
      if (sizes[tensor.loops[dim]] != 1)
        choosing.push_back(tensor.loops[dim]);
    producers.clear();
    bool isSummed = llvm::any_of(
        choosing, [&](int64_t loop) { return llvm::is_contained(c.k, loop); });
    if (!choosing.empty() && !isSummed &&
        findProducers(tensor.value, producers))
      return choosing;
  }
  return {};
}

/// `op` with loops of their own for dimensions that were merged in front of it:
/// several experts for each token. Null where there are none that choose.
static linalg::LinalgOp splitMerged(linalg::LinalgOp op) {
  auto isMerged = [](Value operand) {
    auto collapse = operand.getDefiningOp<tensor::CollapseShapeOp>();
    return collapse && ChoiceFinder(cast<RankedTensorType>(operand.getType()))
                           .find(operand)
                           .any();
  };
  if (op->use_empty() || llvm::none_of(op.getDpsInputs(), isMerged))
    return {};
  OpOperand &use = *op->getResult(0).use_begin();
  DictionaryAttr attributes = op->getDiscardableAttrDictionary();
  RewritePatternSet patterns(op.getContext());
  linalg::populateFoldReshapeOpsByExpansionPatterns(
      patterns, [&](OpOperand *operand) { return isMerged(operand->get()); });
  (void)applyOpPatternsGreedily(
      op.getOperation(), std::move(patterns),
      GreedyRewriteConfig().setStrictness(
          GreedyRewriteStrictness::ExistingAndNewOps));
  Operation *split = use.get().getDefiningOp();
  if (auto collapse = dyn_cast_or_null<tensor::CollapseShapeOp>(split))
    split = collapse.getSrc().getDefiningOp();
  auto product = dyn_cast_or_null<linalg::LinalgOp>(split);
  if (!product || product.getNumReductionLoops() == 0)
    return {};
  product->setDiscardableAttrs(attributes);
  return product;
}

/// Has `op` start from a fill, which goes into the loop with it.
static void fillWithZero(OpBuilder &builder, linalg::LinalgOp op) {
  OpOperand *init = op.getDpsInitOperand(0);
  Location loc = op.getLoc();
  Type element = getElementTypeOrSelf(init->get().getType());
  Value zero =
      arith::ConstantOp::create(builder, loc, builder.getZeroAttr(element));
  Value empty = tensor::EmptyOp::create(
      builder, loc, tensor::getMixedSizes(builder, loc, init->get()), element);
  init->set(linalg::FillOp::create(builder, loc, zero, empty).getResult(0));
}

void quantmlir::loopOverChoices(Operation *root) {
  SmallVector<linalg::LinalgOp> products;
  root->walk([&](linalg::LinalgOp op) {
    // Upstream's tiling divides by sizes, and there is nothing to multiply.
    if (op.getNumReductionLoops() != 0 &&
        !llvm::is_contained(op.getStaticLoopRanges(), 0))
      products.push_back(op);
  });
  IRRewriter rewriter(root->getContext());
  for (linalg::LinalgOp op : products) {
    if (linalg::LinalgOp split = splitMerged(op))
      op = split;
    std::string reason;
    FailureOr<Contraction> c = matchContraction(op, reason);
    llvm::DenseSet<Operation *> producers;
    if (failed(c))
      continue;
    SmallVector<int64_t> loops = findChoosingLoops(*c, producers);
    if (loops.empty())
      continue;
    rewriter.setInsertionPoint(op);
    if (isZeroInit(c->init.value))
      fillWithZero(rewriter, op);
    SmallVector<OpFoldResult> sizes(op.getNumLoops(), rewriter.getIndexAttr(0));
    for (int64_t loop : loops)
      sizes[loop] = rewriter.getIndexAttr(1);
    scf::SCFTileAndFuseOptions options;
    options.tilingOptions.setTileSizes(sizes);
    options.setFusionControlFn(
        [&](tensor::ExtractSliceOp, OpResult producer, bool isInit)
            -> std::optional<scf::SCFTileAndFuseOptions::ControlFnResult> {
          bool isFill = isInit && isa<linalg::FillOp>(producer.getOwner());
          if (!isFill && !producers.contains(producer.getOwner()))
            return std::nullopt;
          return scf::SCFTileAndFuseOptions::ControlFnResult{};
        });
    FailureOr<scf::SCFTileAndFuseResult> tiled =
        scf::tileConsumerAndFuseProducersUsingSCF(
            rewriter, cast<TilingInterface>(op.getOperation()), options);
    if (failed(tiled))
      continue;
    dropLoops(rewriter, tiled->tiledAndFusedOps.front(), loops);
    op->getResult(0).replaceAllUsesWith(
        tiled->replacements.lookup(op->getResult(0)));
    eraseDeadChain(op);
  }
}
