//===- PrepareOps.cpp - ops as upstream partitions them -------------------===//

#include "PrepareOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/ReshapeOpsUtils.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/DialectResourceBlobManager.h"

using namespace mlir;
using namespace quantmlir;

/// Upstream partitions no constant whose elements differ, nor one of rank 0,
/// unless its attribute is a resource.
static void makeResource(arith::ConstantOp op) {
  auto dense = dyn_cast<DenseIntOrFPElementsAttr>(op.getValue());
  if (!dense || (dense.isSplat() && dense.getType().getRank() != 0) ||
      !isa<RankedTensorType>(dense.getType()) ||
      dense.getElementType().isInteger(1))
    return;
  op.setValueAttr(DenseResourceElementsAttr::get(
      dense.getType(), "quant_const",
      HeapAsmResourceBlob::allocateAndCopyWithAlign(
          dense.getRawData(), /*align=*/64, /*dataIsMutable=*/false)));
}

namespace {
/// How a tensor loses the dimensions of size 1 that are indexed by a constant.
struct DroppedDims {
  RankedTensorType type;
  SmallVector<ReassociationIndices> groups;
  AffineMap map;
};
} // namespace

/// None where `map` indexes no dimension so.
static std::optional<DroppedDims> dropConstantIndices(Type operand,
                                                      AffineMap map) {
  auto type = dyn_cast<RankedTensorType>(operand);
  if (!type)
    return std::nullopt;
  SmallVector<int64_t> sizes;
  SmallVector<AffineExpr> exprs;
  for (auto [expr, size] : llvm::zip_equal(map.getResults(), type.getShape())) {
    if (isa<AffineConstantExpr>(expr) && size == 1)
      continue;
    exprs.push_back(expr);
    sizes.push_back(size);
  }
  if (exprs.size() == map.getNumResults())
    return std::nullopt;
  auto groups = getReassociationIndicesForCollapse(type.getShape(), sizes);
  if (!groups)
    return std::nullopt;
  return DroppedDims{
      type.clone(sizes), std::move(*groups),
      AffineMap::get(map.getNumDims(), 0, exprs, map.getContext())};
}

/// Upstream takes only maps that are loops, each once, also of an op that every
/// rank computes.
static void indexByLoops(linalg::GenericOp op) {
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  bool changed = false;
  for (OpOperand &operand : op->getOpOperands()) {
    AffineMap &map = maps[operand.getOperandNumber()];
    auto dropped = dropConstantIndices(operand.get().getType(), map);
    if (!dropped)
      continue;
    changed = true;
    map = dropped->map;
    OpBuilder builder(op);
    Type whole = operand.get().getType();
    operand.set(tensor::CollapseShapeOp::create(
        builder, op.getLoc(), dropped->type, operand.get(), dropped->groups));
    if (!op.isDpsInit(&operand))
      continue;
    OpResult result = op.getTiedOpResult(&operand);
    result.setType(dropped->type);
    builder.setInsertionPointAfter(op);
    auto expanded = tensor::ExpandShapeOp::create(builder, op.getLoc(), whole,
                                                  result, dropped->groups);
    result.replaceAllUsesExcept(expanded, expanded);
  }
  if (changed)
    op.setIndexingMapsAttr(
        OpBuilder(op.getContext()).getAffineMapArrayAttr(maps));
}

/// Each use has a fill of its own: one that several ops share would have to be
/// cut alike for all of them.
static void separateUses(linalg::FillOp op) {
  if (!op.getOutputs().front().getDefiningOp<tensor::EmptyOp>() ||
      op.getNumResults() != 1)
    return;
  for (OpOperand &use :
       llvm::make_early_inc_range(llvm::drop_begin(op.getResult(0).getUses())))
    use.set(OpBuilder(op).clone(*op)->getResult(0));
}

void quantmlir::prepareForPartition(func::FuncOp function) {
  function.walk([](arith::ConstantOp op) { makeResource(op); });
  for (auto op : llvm::make_early_inc_range(
           function.getBody().getOps<linalg::GenericOp>()))
    indexByLoops(op);
  for (auto op :
       llvm::make_early_inc_range(function.getBody().getOps<linalg::FillOp>()))
    separateUses(op);
}
