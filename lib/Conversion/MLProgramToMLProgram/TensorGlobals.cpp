//===- TensorGlobals.cpp - state that is one number -----------------------===//
//
// `quant-tensor-globals`. Upstream lowers globals of tensors only; the position
// in a cache, or a counter of steps, is an integer.
//
//===----------------------------------------------------------------------===//

#include "quant/Conversion/Passes.h"

#include "mlir/Dialect/MLProgram/IR/MLProgram.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "llvm/ADT/DenseSet.h"

namespace quantmlir {
#define GEN_PASS_DEF_QUANTTENSORGLOBALSPASS
#include "quant/Conversion/Passes.h.inc"
} // namespace quantmlir

using namespace mlir;

/// The tensor that holds one value of `type`.
static RankedTensorType getHolder(Type type) {
  return RankedTensorType::get({}, type);
}

namespace {
struct QuantTensorGlobalsPass
    : quantmlir::impl::QuantTensorGlobalsPassBase<QuantTensorGlobalsPass> {
  using Base::Base;

  void runOnOperation() override {
    DenseSet<StringAttr> converted;
    for (auto global : getOperation().getOps<ml_program::GlobalOp>())
      if (convert(global))
        converted.insert(global.getSymNameAttr());
    if (failed(verifyTensors()))
      return signalPassFailure();
    if (converted.empty())
      return;
    getOperation()->walk([&](Operation *op) {
      if (auto load = dyn_cast<ml_program::GlobalLoadOp>(op);
          load && converted.contains(load.getGlobal().getLeafReference()))
        convertLoad(load);
      else if (auto store = dyn_cast<ml_program::GlobalStoreOp>(op);
               store &&
               converted.contains(store.getGlobal().getLeafReference()))
        convertStore(store);
    });
  }

private:
  /// Upstream's bufferization takes every global for one of a tensor.
  LogicalResult verifyTensors() {
    WalkResult result = getOperation()->walk([](ml_program::GlobalOp global) {
      if (isa<RankedTensorType>(global.getType()))
        return verifyValue(global);
      global.emitOpError("expected a global of a ranked tensor, or one at the "
                         "top of the module of a number with its value; "
                         "found one of ")
          << global.getType();
      return WalkResult::interrupt();
    });
    return failure(result.wasInterrupted());
  }

  /// Elements may also be those of a vector or a memref, whose type upstream's
  /// verifier of `memref.global` cannot print.
  static WalkResult verifyValue(ml_program::GlobalOp global) {
    auto value =
        dyn_cast_or_null<ElementsAttr>(global.getValue().value_or(Attribute()));
    if (!value || isa<RankedTensorType>(value.getType()))
      return WalkResult::advance();
    global.emitOpError("expected a value of tensor type ")
        << global.getType() << ", found one of " << value.getType();
    return WalkResult::interrupt();
  }

  bool convert(ml_program::GlobalOp global) {
    auto value =
        dyn_cast_or_null<TypedAttr>(global.getValue().value_or(Attribute()));
    if (!global.getType().isIntOrIndexOrFloat() || !value ||
        value.getType() != global.getType())
      return false;
    RankedTensorType type = getHolder(global.getType());
    global.setTypeAttr(TypeAttr::get(type));
    global.setValueAttr(DenseElementsAttr::get(type, Attribute(value)));
    ++numConverted;
    return true;
  }

  static void convertLoad(ml_program::GlobalLoadOp load) {
    Type type = load.getType();
    load.getResult().setType(getHolder(type));
    OpBuilder builder(load.getContext());
    builder.setInsertionPointAfter(load);
    auto element = tensor::ExtractOp::create(builder, load.getLoc(), type,
                                             load.getResult(), ValueRange());
    load.getResult().replaceAllUsesExcept(element, element);
  }

  static void convertStore(ml_program::GlobalStoreOp store) {
    OpBuilder builder(store);
    Value value = store.getValue();
    store.getValueMutable().assign(tensor::FromElementsOp::create(
        builder, store.getLoc(), getHolder(value.getType()), value));
  }
};
} // namespace
