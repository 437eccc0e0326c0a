//===- KeepLoopTypes.cpp - tensors that grow in a loop --------------------===//
//
// `quant-keep-loop-types`. Upstream's canonicalization (22.1.8) moves a
// `tensor.cast` of what a loop starts with into the loop: from then on the loop
// carries the static type, and what it yields is cast to it. Where the sizes
// change from turn to turn, as a cache's do that grows, no such cast is right.
//
//===----------------------------------------------------------------------===//

#include "quant/Conversion/Passes.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace quantmlir {
#define GEN_PASS_DEF_QUANTKEEPLOOPTYPESPASS
#include "quant/Conversion/Passes.h.inc"
} // namespace quantmlir

using namespace mlir;

/// Whether `value` always has the sizes of `type`: it is cast from it.
static bool isCastFrom(Value value, Type type) {
  auto cast = value.getDefiningOp<tensor::CastOp>();
  return cast && cast.getSource().getType() == type;
}

namespace {
struct QuantKeepLoopTypesPass
    : quantmlir::impl::QuantKeepLoopTypesPassBase<QuantKeepLoopTypesPass> {
  using Base::Base;

  void runOnOperation() override {
    getOperation()->walk([&](scf::ForOp loop) {
      for (auto [init, yielded] :
           llvm::zip_equal(loop.getInitArgsMutable(), loop.getYieldedValues()))
        keep(init, yielded);
    });
  }

private:
  void keep(OpOperand &init, Value yielded) {
    auto cast = init.get().getDefiningOp<tensor::CastOp>();
    if (!cast || !isa<RankedTensorType>(cast.getType()) ||
        isCastFrom(yielded, cast.getSource().getType()))
      return;
    // A copy is no cast that anything would move.
    OpBuilder builder(init.getOwner());
    init.set(bufferization::AllocTensorOp::create(
        builder, cast.getLoc(), ::mlir::cast<RankedTensorType>(cast.getType()),
        /*dynamicSizes=*/ValueRange(), /*copy=*/cast.getResult()));
    ++numKept;
  }
};
} // namespace
