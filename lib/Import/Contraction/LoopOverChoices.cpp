//===- LoopOverChoices.cpp - a weight of several for each row -------------===//
//
// `w[idx]` with an expert for each token gives a batch of weights: one product
// in each, of one row. As a loop over the batch each product has one weight of
// the constant that is chosen by an index, and no weight is copied.
//
//===----------------------------------------------------------------------===//

#include "quant/Import/Contraction/ChosenWeight.h"

#include "quant/Import/Contraction/MatmulEmitter.h"
#include "quant/Import/Elements/Element.h"
#include "quant/Import/Elements/Evaluate.h"
#include "quant/Import/QDQ/StoredElement.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/Transforms/TileUsingInterface.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"

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

/// The elementwise ops that compute `value`.
static void findProducers(Value value, llvm::DenseSet<Operation *> &producers) {
  auto op = value.getDefiningOp<linalg::LinalgOp>();
  if (!op || op.getNumReductionLoops() != 0 || !producers.insert(op).second)
    return;
  for (Value operand : op.getDpsInputs())
    findProducers(operand, producers);
}

/// The batch loops in which each step chooses a weight of its own; also the ops
/// that compute the batch of weights.
static SmallVector<int64_t>
findChoosingLoops(const Contraction &c,
                  llvm::DenseSet<Operation *> &producers) {
  SmallVector<int64_t> choosing;
  linalg::LinalgOp op = c.op;
  SmallVector<int64_t> sizes = op.getStaticLoopRanges();
  for (const LoopTensor &tensor : {c.lhs, c.rhs}) {
    llvm::SmallBitVector dims =
        ChoiceFinder(tensor.getType()).find(tensor.value);
    for (unsigned dim : dims.set_bits()) {
      int64_t loop = tensor.loops[dim];
      if (llvm::is_contained(c.batch, loop) && sizes[loop] != 1)
        choosing.push_back(loop);
    }
    if (!choosing.empty()) {
      findProducers(tensor.value, producers);
      return choosing;
    }
  }
  return choosing;
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
    if (op.getNumReductionLoops() != 0)
      products.push_back(op);
  });
  IRRewriter rewriter(root->getContext());
  for (linalg::LinalgOp op : products) {
    std::string reason;
    FailureOr<Contraction> c = matchContraction(op, reason);
    llvm::DenseSet<Operation *> producers;
    if (failed(c) || c->batch.empty())
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
    op->getResult(0).replaceAllUsesWith(
        tiled->replacements.lookup(op->getResult(0)));
    eraseDeadChain(op);
  }
}
