//===- CopyGlobals.cpp - the state as it was read and written -------------===//
//
// `quant-copy-globals`. What upstream's bufferization (22.1.8) does not know of
// `ml_program` globals: that a store writes to the memory which a load is a
// view of, so that what was loaded before would change under its readers; and
// that a store reads its operand, so that a slice is stored without ever having
// been computed.
//
//===----------------------------------------------------------------------===//

#include "quant/Conversion/Passes.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/MLProgram/IR/MLProgram.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/DenseSet.h"

namespace quantmlir {
#define GEN_PASS_DEF_QUANTCOPYGLOBALSPASS
#include "quant/Conversion/Passes.h.inc"
} // namespace quantmlir

using namespace mlir;
using namespace quantmlir;

static Value emitCopy(OpBuilder &builder, Location loc, Value value) {
  return bufferization::AllocTensorOp::create(
      builder, loc, cast<RankedTensorType>(value.getType()),
      /*dynamicSizes=*/ValueRange(), /*copy=*/value);
}

static void copyLoaded(ml_program::GlobalLoadOp load) {
  OpBuilder builder(load.getContext());
  builder.setInsertionPointAfter(load);
  Value copy = emitCopy(builder, load.getLoc(), load.getResult());
  load.getResult().replaceAllUsesExcept(copy, copy.getDefiningOp());
}

static void copyStored(ml_program::GlobalStoreOp store) {
  OpBuilder builder(store);
  store.getValueMutable().assign(
      emitCopy(builder, store.getLoc(), store.getValue()));
}

namespace {
struct QuantCopyGlobalsPass
    : quantmlir::impl::QuantCopyGlobalsPassBase<QuantCopyGlobalsPass> {
  using Base::Base;

  void runOnOperation() override {
    DenseSet<SymbolRefAttr> stored;
    SmallVector<ml_program::GlobalLoadOp> loads;
    getOperation()->walk([&](Operation *op) {
      if (auto store = dyn_cast<ml_program::GlobalStoreOp>(op);
          store && isa<RankedTensorType>(store.getValue().getType())) {
        stored.insert(store.getGlobal());
        copyStored(store);
        ++numCopied;
      } else if (auto load = dyn_cast<ml_program::GlobalLoadOp>(op);
                 load && isa<RankedTensorType>(load.getType())) {
        loads.push_back(load);
      }
    });
    for (ml_program::GlobalLoadOp load : loads)
      if (stored.contains(load.getGlobal())) {
        copyLoaded(load);
        ++numCopied;
      }
  }
};
} // namespace
