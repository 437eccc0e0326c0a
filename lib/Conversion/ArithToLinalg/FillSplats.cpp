//===- FillSplats.cpp - large constants of one value are computed ---------===//
//
// `quant-fill-splats`. MLIR keeps a constant of equal elements as one element;
// LLVM IR lists every one of them, so that `dense<0.5> : tensor<67108864xf32>`
// is 1.3 GB of text and takes a minute and a half to translate. And one fill
// that several ops write over, as eliminating common subexpressions leaves it,
// would be copied for each of them, and live from the first to the last.
//
//===----------------------------------------------------------------------===//

#include "quant/Conversion/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"

namespace quantmlir {
#define GEN_PASS_DEF_QUANTFILLSPLATSPASS
#include "quant/Conversion/Passes.h.inc"
} // namespace quantmlir

using namespace mlir;

/// Constants of fewer elements stay data, which costs nothing in a call.
static constexpr int64_t kFewElements = 1 << 20;

/// Whether `op` has many equal elements, of a type that `linalg.fill` takes.
static bool isLargeSplat(arith::ConstantOp op) {
  auto splat = dyn_cast<SplatElementsAttr>(op.getValue());
  auto type = dyn_cast<RankedTensorType>(op.getType());
  return splat && type && type.getNumElements() >= kFewElements &&
         type.getElementType().isIntOrIndexOrFloat();
}

static void fill(arith::ConstantOp op) {
  OpBuilder builder(op);
  Location loc = op.getLoc();
  auto type = cast<RankedTensorType>(op.getType());
  auto element = cast<SplatElementsAttr>(op.getValue());
  Value value = arith::ConstantOp::create(builder, loc,
                                          element.getSplatValue<TypedAttr>());
  Value empty = tensor::EmptyOp::create(builder, loc, type.getShape(),
                                        type.getElementType());
  op.replaceAllUsesWith(
      linalg::FillOp::create(builder, loc, value, empty).getResult(0));
  op.erase();
}

/// A fill of its own for each op that writes over the result of `op`.
static void fillForEach(linalg::FillOp op) {
  auto empty = op.getOutputs()[0].getDefiningOp<tensor::EmptyOp>();
  if (!empty || op->getNumResults() != 1)
    return;
  for (OpOperand &use : llvm::make_early_inc_range(op.getResult(0).getUses())) {
    auto user = dyn_cast<DestinationStyleOpInterface>(use.getOwner());
    if (op.getResult(0).hasOneUse() || !user || !user.isDpsInit(&use))
      continue;
    OpBuilder builder(user);
    IRMapping mapping;
    builder.clone(*empty, mapping);
    use.set(builder.clone(*op, mapping)->getResult(0));
  }
}

namespace {
struct QuantFillSplatsPass
    : quantmlir::impl::QuantFillSplatsPassBase<QuantFillSplatsPass> {
  using Base::Base;

  void runOnOperation() override {
    SmallVector<arith::ConstantOp> splats;
    getOperation()->walk([&](arith::ConstantOp op) {
      if (isLargeSplat(op))
        splats.push_back(op);
    });
    llvm::for_each(splats, fill);
    numFilled += splats.size();
    SmallVector<linalg::FillOp> fills;
    getOperation()->walk([&](linalg::FillOp op) { fills.push_back(op); });
    llvm::for_each(fills, fillForEach);
  }
};
} // namespace
