//===- ExpandDynamicReshapes.cpp - expand_shape of dynamic sizes ----------===//
//
// `memref.expand_shape` with several dynamic sizes in one group as a
// `memref.reinterpret_cast`: the stride of a dimension is the stride of the
// collapsed one times the sizes that come after it in the group.
//
//===----------------------------------------------------------------------===//

#include "quant/Conversion/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

namespace quantmlir {
#define GEN_PASS_DEF_QUANTEXPANDDYNAMICRESHAPESPASS
#include "quant/Conversion/Passes.h.inc"
} // namespace quantmlir

using namespace mlir;
using namespace quantmlir;

static bool hasSeveralDynamicSizes(memref::ExpandShapeOp op) {
  MemRefType type = op.getResultType();
  return llvm::any_of(op.getReassociationIndices(),
                      [&](const ReassociationIndices &group) {
                        return llvm::count_if(group, [&](int64_t dim) {
                                 return type.isDynamicDim(dim);
                               }) > 1;
                      });
}

static void lower(memref::ExpandShapeOp op) {
  OpBuilder builder(op);
  Location loc = op.getLoc();
  auto source =
      memref::ExtractStridedMetadataOp::create(builder, loc, op.getSrc());
  SmallVector<OpFoldResult> sourceStrides = source.getConstifiedMixedStrides();
  SmallVector<OpFoldResult> sizes = op.getMixedOutputShape();
  SmallVector<OpFoldResult> strides(sizes.size());
  AffineExpr a, b;
  bindSymbols(builder.getContext(), a, b);
  for (auto [dim, group] : llvm::enumerate(op.getReassociationIndices())) {
    OpFoldResult stride = sourceStrides[dim];
    for (int64_t inner : llvm::reverse(group)) {
      strides[inner] = stride;
      stride = affine::makeComposedFoldedAffineApply(builder, loc, a * b,
                                                     {stride, sizes[inner]});
    }
  }
  // What the result type leaves dynamic stays a value.
  auto [typeStrides, typeOffset] = op.getResultType().getStridesAndOffset();
  for (auto [stride, inType] : llvm::zip_equal(strides, typeStrides))
    if (!ShapedType::isDynamic(inType))
      stride = builder.getIndexAttr(inType);
  OpFoldResult offset = source.getConstifiedMixedOffset();
  if (!ShapedType::isDynamic(typeOffset))
    offset = builder.getIndexAttr(typeOffset);
  Value result = memref::ReinterpretCastOp::create(
      builder, loc, op.getResultType(), source.getBaseBuffer(), offset, sizes,
      strides);
  op.getResult().replaceAllUsesWith(result);
  op.erase();
}

namespace {
struct QuantExpandDynamicReshapesPass
    : quantmlir::impl::QuantExpandDynamicReshapesPassBase<
          QuantExpandDynamicReshapesPass> {
  using Base::Base;

  void runOnOperation() override {
    SmallVector<memref::ExpandShapeOp> ops;
    getOperation()->walk([&](memref::ExpandShapeOp op) {
      if (hasSeveralDynamicSizes(op))
        ops.push_back(op);
    });
    for (memref::ExpandShapeOp op : ops)
      lower(op);
  }
};
} // namespace
