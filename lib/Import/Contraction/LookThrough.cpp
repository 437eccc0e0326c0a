//===- LookThrough.cpp - find the weight behind data movement -------------===//
//
// Exporters put a transpose, a broadcast over the batch, or a change of shape
// by unit dimensions between a weight and its matmul. Because an operand is
// described by the loops that walk its dimensions, looking through such an op
// is a renaming of loops, and no data needs to move.
//
//===----------------------------------------------------------------------===//

#include "quant/Import/Contraction/ContractionMatcher.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace quantmlir;

/// Whether the body yields its only input, as it is or widened to a larger
/// float type.
static bool isCopyBody(linalg::LinalgOp op) {
  Block *block = op.getBlock();
  if (block->getTerminator()->getNumOperands() != 1)
    return false;
  Value yielded = block->getTerminator()->getOperand(0);
  if (auto ext = yielded.getDefiningOp<arith::ExtFOp>())
    yielded = ext.getIn();
  return yielded == block->getArgument(0);
}

/// A linalg op (`transpose`, `broadcast`, `copy`, `generic`) that copies its
/// input to where the maps say.
static bool lookThroughCopy(LoopTensor &tensor, linalg::LinalgOp op) {
  if (op.getNumDpsInputs() != 1 || op.getNumDpsInits() != 1 ||
      op.getNumReductionLoops() != 0 || !op.hasPureTensorSemantics() ||
      !isCopyBody(op))
    return false;
  OpOperand *input = op.getDpsInputOperand(0);
  auto inputType = dyn_cast<RankedTensorType>(input->get().getType());
  AffineMap to = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  AffineMap from = op.getMatchingIndexingMap(input);
  if (!inputType || !to.isPermutation() ||
      !from.isProjectedPermutation(/*allowZeroInResults=*/true))
    return false;
  SmallVector<int64_t> loops;
  for (auto [dim, expr] : llvm::enumerate(from.getResults())) {
    if (auto loop = dyn_cast<AffineDimExpr>(expr)) {
      loops.push_back(tensor.loops[*to.getResultPosition(loop)]);
      continue;
    }
    if (!isa<AffineConstantExpr>(expr) || inputType.getDimSize(dim) != 1)
      return false;
    loops.push_back(kUnitDim);
  }
  tensor = {input->get(), std::move(loops)};
  return true;
}

/// Positions of the dimensions in `group` that are not of static size 1; all
/// of size 1 count as their first one.
static SmallVector<int64_t> getNonUnitDims(RankedTensorType type,
                                           ArrayRef<int64_t> group) {
  SmallVector<int64_t> dims;
  // Upstream's verifier reads the numbers of dimensions as 32 bits.
  if (llvm::any_of(
          group, [&](int64_t dim) { return dim < 0 || dim >= type.getRank(); }))
    return dims;
  for (int64_t dim : group)
    if (type.getDimSize(dim) != 1)
      dims.push_back(dim);
  if (dims.empty() && !group.empty())
    dims.push_back(group.front());
  return dims;
}

/// `tensor.expand_shape` that only inserts unit dimensions.
static bool lookThroughExpand(LoopTensor &tensor, tensor::ExpandShapeOp op) {
  SmallVector<int64_t> loops;
  for (const ReassociationIndices &group : op.getReassociationIndices()) {
    SmallVector<int64_t> dims = getNonUnitDims(op.getResultType(), group);
    if (dims.size() != 1)
      return false;
    loops.push_back(tensor.loops[dims.front()]);
  }
  tensor = {op.getSrc(), std::move(loops)};
  return true;
}

/// `tensor.collapse_shape` that only removes unit dimensions.
static bool lookThroughCollapse(LoopTensor &tensor,
                                tensor::CollapseShapeOp op) {
  SmallVector<int64_t> loops(op.getSrcType().getRank(), kUnitDim);
  for (auto [dim, group] : llvm::enumerate(op.getReassociationIndices())) {
    SmallVector<int64_t> dims = getNonUnitDims(op.getSrcType(), group);
    if (dims.size() != 1)
      return false;
    loops[dims.front()] = tensor.loops[dim];
  }
  tensor = {op.getSrc(), std::move(loops)};
  return true;
}

bool quantmlir::lookThroughMovement(LoopTensor &tensor) {
  Operation *def = tensor.value.getDefiningOp();
  if (auto cast = dyn_cast_or_null<tensor::CastOp>(def)) {
    if (!isa<RankedTensorType>(cast.getSource().getType()))
      return false;
    tensor.value = cast.getSource();
    return true;
  }
  if (auto expand = dyn_cast_or_null<tensor::ExpandShapeOp>(def))
    return lookThroughExpand(tensor, expand);
  if (auto collapse = dyn_cast_or_null<tensor::CollapseShapeOp>(def))
    return lookThroughCollapse(tensor, collapse);
  if (auto linalgOp = dyn_cast_or_null<linalg::LinalgOp>(def))
    return lookThroughCopy(tensor, linalgOp);
  return false;
}

LoopTensor quantmlir::traceMovement(LoopTensor tensor) {
  while (lookThroughMovement(tensor)) {
  }
  return tensor;
}
