//===- StoredMovement.cpp - move integers, not quantized types ------------===//
//
// Between a `quant.qcast` and its `quant.dcast` a program may reshape, slice,
// concatenate or transpose a tensor of `!quant.uniform`. Such an op only moves
// elements: it is made to move the stored integers, with storage casts around
// it that meet and vanish.
//
//===----------------------------------------------------------------------===//

#include "quant/Import/QuantCasts/QuantCasts.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace quantmlir;

/// The integer tensor that stores a tensor of quantized elements; null for
/// other types.
static RankedTensorType getStoredType(Type type) {
  auto tensorType = dyn_cast<RankedTensorType>(type);
  if (!tensorType)
    return {};
  auto element = dyn_cast<quant::QuantizedType>(tensorType.getElementType());
  if (!element)
    return {};
  return tensorType.clone(IntegerType::get(
      type.getContext(), element.getStorageTypeIntegralWidth()));
}

/// Whether `op` moves elements whatever their type is.
static bool isMovement(Operation *op) {
  if (isa<tensor::CollapseShapeOp, tensor::ExpandShapeOp, tensor::CastOp,
          tensor::ReshapeOp, tensor::ExtractSliceOp, tensor::InsertSliceOp,
          tensor::ConcatOp, tensor::EmptyOp>(op))
    return true;
  auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
  if (!linalgOp || linalgOp.getNumReductionLoops() != 0)
    return false;
  Block *block = linalgOp.getBlock();
  return llvm::hasSingleElement(*block) &&
         llvm::all_of(block->getTerminator()->getOperands(),
                      [&](Value value) { return isa<BlockArgument>(value); });
}

static void moveStored(Operation *op) {
  OpBuilder builder(op);
  for (OpOperand &operand : op->getOpOperands())
    if (RankedTensorType stored = getStoredType(operand.get().getType()))
      operand.set(quant::StorageCastOp::create(builder, op->getLoc(), stored,
                                               operand.get()));
  builder.setInsertionPointAfter(op);
  for (OpResult result : op->getResults()) {
    Type type = result.getType();
    RankedTensorType stored = getStoredType(type);
    if (!stored)
      continue;
    result.setType(stored);
    auto cast =
        quant::StorageCastOp::create(builder, op->getLoc(), type, result);
    result.replaceAllUsesExcept(cast, cast);
  }
  for (Region &region : op->getRegions())
    for (BlockArgument argument : region.getArguments())
      if (auto type = dyn_cast<quant::QuantizedType>(argument.getType()))
        argument.setType(
            builder.getIntegerType(type.getStorageTypeIntegralWidth()));
}

void quantmlir::moveStoredIntegers(Operation *root) {
  root->walk([](Operation *op) {
    auto isQuantized = [](Type type) { return bool(getStoredType(type)); };
    if (isMovement(op) && (llvm::any_of(op->getOperandTypes(), isQuantized) ||
                           llvm::any_of(op->getResultTypes(), isQuantized)))
      moveStored(op);
  });
}
