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

/// The only user of `value` as an op that adds two tensors elementwise, into
/// its own iteration order. Null when there is none.
static linalg::LinalgOp getElementwiseAdd(Value value) {
  if (!value.hasOneUse())
    return {};
  auto op = dyn_cast<linalg::LinalgOp>(*value.getUsers().begin());
  if (!op || op.getNumDpsInputs() != 2 || op.getNumDpsInits() != 1 ||
      op.getNumReductionLoops() != 0 || !op.hasPureTensorSemantics())
    return {};
  Block *block = op.getBlock();
  Value yielded = block->getTerminator()->getOperand(0);
  auto add = yielded.getDefiningOp<arith::AddFOp>();
  auto isInput = [&](Value v, unsigned i) {
    return v == block->getArgument(i);
  };
  bool addsInputs =
      add && ((isInput(add.getLhs(), 0) && isInput(add.getRhs(), 1)) ||
              (isInput(add.getLhs(), 1) && isInput(add.getRhs(), 0)));
  OpOperand *use = &*value.use_begin();
  if (!addsInputs || op.isDpsInit(use) ||
      !op.getMatchingIndexingMap(use).isIdentity() ||
      !op.getMatchingIndexingMap(op.getDpsInitOperand(0)).isIdentity())
    return {};
  return op;
}

/// The other operand of `add`, if it varies over the last loop only.
static LoopTensor getBias(linalg::LinalgOp add, Value value) {
  unsigned index = add.getDpsInputOperand(0)->get() == value ? 1 : 0;
  OpOperand *operand = add.getDpsInputOperand(index);
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
static tensor::ExpandShapeOp getRowSplit(Value value) {
  if (!value.hasOneUse())
    return {};
  auto expand = dyn_cast<tensor::ExpandShapeOp>(*value.getUsers().begin());
  if (expand && expand.getReassociationIndices().back().size() == 1)
    return expand;
  return {};
}

static void fuseInto(RescaleOp rescale) {
  auto type = rescale.getType();
  if (!type.getElementType().isF32() || rescale.getBias() ||
      rescale.getClampMin() || rescale.getClampMax())
    return;
  tensor::ExpandShapeOp split = getRowSplit(rescale.getResult());
  Value value = split ? split.getResult() : rescale.getResult();
  linalg::LinalgOp add = getElementwiseAdd(value);
  if (!add || add->getResult(0).getType() != value.getType())
    return;
  LoopTensor bias = getBias(add, value);
  if (!bias.value)
    return;

  OpBuilder builder(add);
  dropUnitDims(builder, add->getLoc(), bias);
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
  add->getResult(0).replaceAllUsesWith(result);
  eraseDeadChain(add);
}

void quantmlir::fuseBias(Operation *root) {
  SmallVector<RescaleOp> rescales;
  root->walk([&](RescaleOp op) { rescales.push_back(op); });
  for (RescaleOp rescale : rescales)
    fuseInto(rescale);
}
