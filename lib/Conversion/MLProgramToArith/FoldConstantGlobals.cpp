//===- FoldConstantGlobals.cpp - a global that nobody changes -------------===//
//
// `quant-fold-constant-globals`. Exporters keep weights in `ml_program.global`.
// What is loaded from one that nothing stores to is the constant that it was
// defined as, and only as a constant is it folded, quantized once and packed.
//
//===----------------------------------------------------------------------===//

#include "quant/Conversion/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MLProgram/IR/MLProgram.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"

namespace quantmlir {
#define GEN_PASS_DEF_QUANTFOLDCONSTANTGLOBALSPASS
#include "quant/Conversion/Passes.h.inc"
} // namespace quantmlir

using namespace mlir;

/// The constant that a load of `global` gives; null where it may be another
/// value, or none that the program holds.
static TypedAttr getConstant(ml_program::GlobalOp global,
                             const DenseSet<StringAttr> &stored) {
  // Others may write to what they see.
  if (!global || stored.contains(global.getSymNameAttr()) ||
      (global.getIsMutable() && !global.isPrivate()))
    return {};
  return dyn_cast_or_null<TypedAttr>(global.getValue().value_or(Attribute()));
}

namespace {
struct QuantFoldConstantGlobalsPass
    : quantmlir::impl::QuantFoldConstantGlobalsPassBase<
          QuantFoldConstantGlobalsPass> {
  using Base::Base;

  void runOnOperation() override {
    DenseSet<StringAttr> stored;
    SmallVector<Operation *> loads;
    getOperation()->walk([&](Operation *op) {
      if (auto store = dyn_cast<ml_program::GlobalStoreOp>(op))
        stored.insert(store.getGlobal().getLeafReference());
      else if (auto store = dyn_cast<ml_program::GlobalStoreGraphOp>(op))
        stored.insert(store.getGlobal().getLeafReference());
      else if (isa<ml_program::GlobalLoadOp, ml_program::GlobalLoadConstOp>(op))
        loads.push_back(op);
    });
    for (Operation *load : loads)
      fold(load, stored);
    eraseUnused();
  }

private:
  void fold(Operation *load, const DenseSet<StringAttr> &stored) {
    auto symbol = load->getAttrOfType<SymbolRefAttr>("global");
    auto global = getOperation().lookupSymbol<ml_program::GlobalOp>(symbol);
    TypedAttr value = getConstant(global, stored);
    auto function = load->getParentOfType<func::FuncOp>();
    if (!value || !function)
      return;
    Type type = load->getResult(0).getType();
    if (value.getType() != type &&
        !tensor::CastOp::areCastCompatible(value.getType(), type))
      return;
    Value constant = getShared(function, value, load->getLoc());
    OpBuilder builder(load);
    if (constant.getType() != type)
      constant =
          tensor::CastOp::create(builder, load->getLoc(), type, constant);
    load->getResult(0).replaceAllUsesWith(constant);
    load->erase();
    ++numFolded;
  }

  /// One constant in a function for all loads.
  Value getShared(func::FuncOp function, TypedAttr value, Location loc) {
    Value &constant = constants[{function, value}];
    if (!constant) {
      auto builder = OpBuilder::atBlockBegin(&function.front());
      constant = arith::ConstantOp::create(builder, loc, value);
    }
    return constant;
  }

  void eraseUnused() {
    SmallVector<ml_program::GlobalOp> globals(
        getOperation().getOps<ml_program::GlobalOp>());
    for (ml_program::GlobalOp global : globals)
      if (global.isPrivate() &&
          SymbolTable::symbolKnownUseEmpty(global, getOperation()))
        global.erase();
  }

  DenseMap<std::pair<Operation *, Attribute>, Value> constants;
};
} // namespace
