//===- FuseBias.cpp - bias additions into quant.rescale -------------------===//
//
// Exporters add the bias after the matmul: as an elementwise op whose second
// operand is `[N]`, or a copy of it for each row, and often on the matmul's
// result with its rows split again by a `tensor.expand_shape`.
//
//===----------------------------------------------------------------------===//

#include "quant/Import/Contraction/FuseBias.h"

#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Import/Contraction/ContractionMatcher.h"
#include "quant/Import/Contraction/MatmulEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace quantmlir;

namespace {
/// An elementwise op that first adds two of its inputs: the matmul's result,
/// in the op's own iteration order, and what may be its bias.
struct ElementwiseAdd {
  linalg::LinalgOp op;
  arith::AddFOp add;
  BlockArgument sum, bias;

  /// Whether the op does nothing else.
  bool isWhole() const {
    Block *block = sum.getOwner();
    return block->getNumArguments() == 3 &&
           block->getTerminator()->getOperand(0) == add->getResult(0);
  }
};
} // namespace

/// The only user of `value` as such an op.
static std::optional<ElementwiseAdd> matchAdd(Value value) {
  if (!value.hasOneUse())
    return std::nullopt;
  OpOperand *use = &*value.use_begin();
  auto op = dyn_cast<linalg::LinalgOp>(use->getOwner());
  if (!op || op.getNumDpsInits() != 1 || op.getNumReductionLoops() != 0 ||
      !op.hasPureTensorSemantics() || op.isDpsInit(use) ||
      !op.getMatchingIndexingMap(use).isIdentity() ||
      !op.getMatchingIndexingMap(op.getDpsInitOperand(0)).isIdentity())
    return std::nullopt;
  BlockArgument sum = op.getMatchingBlockArgument(use);
  if (!sum.hasOneUse())
    return std::nullopt;
  auto add = dyn_cast<arith::AddFOp>(*sum.getUsers().begin());
  if (!add)
    return std::nullopt;
  auto bias = dyn_cast<BlockArgument>(add.getLhs() == sum ? add.getRhs()
                                                          : add.getLhs());
  if (!bias || bias == sum || bias.getOwner() != op.getBlock() ||
      !bias.hasOneUse() || op.isDpsInit(&op->getOpOperand(bias.getArgNumber())))
    return std::nullopt;
  return ElementwiseAdd{op, add, sum, bias};
}

/// `operand` of an elementwise op, if it varies over the last loop only.
static LoopTensor getBias(linalg::LinalgOp add, OpOperand *operand) {
  AffineMap map = add.getMatchingIndexingMap(operand);
  if (!map.isProjectedPermutation(/*allowZeroInResults=*/true) ||
      !isa<RankedTensorType>(operand->get().getType()))
    return {};
  LoopTensor bias{operand->get(), {}};
  for (AffineExpr expr : map.getResults()) {
    auto loop = dyn_cast<AffineDimExpr>(expr);
    bias.loops.push_back(loop ? int64_t(loop.getPosition()) : kUnitDim);
  }
  // Looked through a widening, the values would be added in another type.
  for (LoopTensor next = bias; lookThroughMovement(next);)
    if (next.getType().getElementType().isF32())
      bias = next;
    else
      break;
  int64_t last = add.getNumLoops() - 1;
  for (auto [dim, loop] : llvm::enumerate(bias.loops))
    if (loop != last && loop != kUnitDim) {
      // A row dimension of size 1 is no variation.
      if (bias.getType().getDimSize(dim) != 1)
        return {};
      loop = kUnitDim;
    }
  return bias.getLoopRank() == 1 ? bias : LoopTensor();
}

/// The one user of `value` that splits its rows and leaves its columns.
static Operation *getRowSplit(Value value) {
  if (!value.hasOneUse())
    return nullptr;
  Operation *user = *value.getUsers().begin();
  if (auto expand = dyn_cast<tensor::ExpandShapeOp>(user))
    return expand.getReassociationIndices().back().size() == 1 ? user : nullptr;
  auto reshape = dyn_cast<tensor::ReshapeOp>(user);
  if (!reshape || reshape.getSource() != value)
    return nullptr;
  auto source = cast<RankedTensorType>(value.getType());
  auto result = dyn_cast<RankedTensorType>(reshape.getType());
  bool keepsColumns = result && result.getRank() >= source.getRank() &&
                      !source.isDynamicDim(source.getRank() - 1) &&
                      source.getShape().back() == result.getShape().back();
  return keepsColumns ? user : nullptr;
}

/// Takes the addition out of an op that does more than that.
static void removeAdd(const ElementwiseAdd &match, Value sum) {
  auto op = cast<linalg::GenericOp>(match.op);
  unsigned index = match.bias.getArgNumber();
  op->setOperand(match.sum.getArgNumber(), sum);
  match.add->getResult(0).replaceAllUsesWith(match.sum);
  Operation *bias = op->getOperand(index).getDefiningOp();
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  maps.erase(maps.begin() + index);
  arith::AddFOp add = match.add;
  add.erase();
  op.getBlock()->eraseArgument(index);
  op.getInputsMutable().erase(index);
  op.setIndexingMapsAttr(OpBuilder(op).getAffineMapArrayAttr(maps));
  if (bias)
    eraseDeadChain(bias);
}

static void fuseInto(RescaleOp rescale) {
  auto type = cast<RankedTensorType>(rescale.getResult().getType());
  if (!type.getElementType().isF32() || rescale.getBias() ||
      rescale.getResidual() || rescale.getClampMin() || rescale.getClampMax())
    return;
  Operation *split = getRowSplit(rescale.getResult());
  Value value = split ? Value(split->getResult(0)) : rescale.getResult();
  std::optional<ElementwiseAdd> match = matchAdd(value);
  if (!match)
    return;
  bool isWhole = match->isWhole();
  if (isWhole ? match->op->getResult(0).getType() != value.getType()
              : !isa<linalg::GenericOp>(match->op))
    return;
  LoopTensor bias =
      getBias(match->op, &match->op->getOpOperand(match->bias.getArgNumber()));
  if (!bias.value)
    return;

  OpBuilder builder(match->op);
  dropUnitDims(builder, match->op->getLoc(), bias);
  // Sizes must be known to agree: a bias of one element is broadcast.
  if (bias.getType().isDynamicDim(0) ||
      bias.getType().getDimSize(0) != type.getShape().back())
    return;
  auto fused = cast<RescaleOp>(builder.clone(*rescale));
  fused.getBiasMutable().assign(bias.value);
  Value result = fused.getResult();
  if (split) {
    IRMapping mapping;
    mapping.map(rescale.getResult(), result);
    result = builder.clone(*split, mapping)->getResult(0);
  }
  if (isWhole) {
    match->op->getResult(0).replaceAllUsesWith(result);
    eraseDeadChain(match->op);
    return;
  }
  removeAdd(*match, result);
  eraseDeadChain(split ? split : rescale.getOperation());
}

void quantmlir::fuseBias(Operation *root) {
  SmallVector<RescaleOp> rescales;
  root->walk([&](RescaleOp op) { rescales.push_back(op); });
  for (RescaleOp rescale : rescales)
    fuseInto(rescale);
}
