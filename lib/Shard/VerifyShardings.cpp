//===- VerifyShardings.cpp - annotations that can be followed -------------===//
//
// `quant-verify-shardings`. What upstream's propagation and partition take as
// true of a program's own annotations: that the grid has the axes which they
// name, a tensor the dimensions, and that parts are equal.
//
//===----------------------------------------------------------------------===//

#include "quant/Shard/Passes.h"

#include "mlir/Dialect/Shard/IR/ShardDialect.h"
#include "mlir/Dialect/Shard/IR/ShardOps.h"
#include "mlir/IR/BuiltinOps.h"

namespace quantmlir {
#define GEN_PASS_DEF_QUANTVERIFYSHARDINGSPASS
#include "quant/Shard/Passes.h.inc"
} // namespace quantmlir

using namespace mlir;
using namespace quantmlir;

static LogicalResult verifySharding(shard::ShardingOp op,
                                    SymbolTableCollection &symbols) {
  shard::Sharding sharding(op.getResult());
  if (!sharding.getStaticHaloSizes().empty() ||
      !sharding.getDynamicHaloSizes().empty())
    return op.emitOpError("expected no halos: every rank holds its own part");
  if (!sharding.getStaticShardedDimsOffsets().empty() ||
      !sharding.getDynamicShardedDimsOffsets().empty())
    return op.emitOpError("expected no offsets of parts: they are equal");
  shard::GridOp grid =
      shard::getGridOrNull(op, sharding.getGridAttr(), symbols);
  if (!grid)
    return op.emitOpError("expected a shard.grid of the name ")
           << sharding.getGridAttr();
  for (shard::GridAxesAttr axes : sharding.getSplitAxes())
    for (shard::GridAxis axis : axes.asArrayRef())
      if (axis < 0 || axis >= grid.getRank())
        return op.emitOpError("expected axes of a grid of ")
               << grid.getRank() << " dimensions, found axis " << axis;
  return success();
}

static LogicalResult verifyShard(shard::ShardOp op) {
  auto type = dyn_cast<RankedTensorType>(op.getSrc().getType());
  int64_t dims = shard::Sharding(op.getSharding()).getSplitAxes().size();
  if (type && dims <= type.getRank())
    return success();
  return op.emitOpError("expected a tensor of at least ")
         << dims << " dimensions, which its sharding cuts, found "
         << op.getSrc().getType();
}

namespace {
struct QuantVerifyShardingsPass final
    : quantmlir::impl::QuantVerifyShardingsPassBase<QuantVerifyShardingsPass> {
  using Base::Base;

  void runOnOperation() override {
    SymbolTableCollection symbols;
    WalkResult walk = getOperation()->walk([&](Operation *op) {
      auto sharding = dyn_cast<shard::ShardingOp>(op);
      auto annotation = dyn_cast<shard::ShardOp>(op);
      bool isWrong = (sharding && failed(verifySharding(sharding, symbols))) ||
                     (annotation && failed(verifyShard(annotation)));
      return isWrong ? WalkResult::interrupt() : WalkResult::advance();
    });
    if (walk.wasInterrupted())
      signalPassFailure();
  }
};
} // namespace
