//===- FillSplats.cpp - large constants of one value are computed ---------===//
//
// `quant-fill-splats`. MLIR keeps a constant of equal elements as one element;
// LLVM IR lists every one of them, so that `dense<0.5> : tensor<67108864xf32>`
// is 1.3 GB of text and takes a minute and a half to translate.
//
//===----------------------------------------------------------------------===//

#include "quant/Conversion/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

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
  }
};
} // namespace
