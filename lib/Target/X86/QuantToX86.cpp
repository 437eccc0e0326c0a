//===- QuantToX86.cpp - quant.packed_matmul to instructions ---------------===//
//
// Loops over panels of columns (outer, so that a panel of the right operand
// stays in L2) and panels of rows around the microkernel and its epilogue.
//
//===----------------------------------------------------------------------===//

#include "AMXKernel.h"
#include "EmitEpilogue.h"
#include "EmitMicrokernel.h"
#include "ScaledLoops.h"

#include "mlir/Dialect/AMX/AMXDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/PatternMatch.h"
#include "quant/Target/X86/Passes.h"

namespace quantmlir {
#define GEN_PASS_DEF_CONVERTQUANTTOX86PASS
#include "quant/Target/X86/Passes.h.inc"
} // namespace quantmlir

using namespace mlir;
using namespace quantmlir;

/// Whether elements that follow each other in the last `dims` dimensions follow
/// each other in memory.
static bool isContiguous(Value v, int64_t dims) {
  return !v || cast<MemRefType>(v.getType()).getRank() < dims ||
         cast<MemRefType>(v.getType()).areTrailingDimsContiguous(dims);
}

/// Rows of a result whose elements do not follow each other (every other column
/// of a larger one) cannot be stored as vectors: they are computed apart and
/// copied.
static void useContiguousInit(RewriterBase &b, PackedMatmulOp op) {
  Value init = op.getInit();
  if (isContiguous(init, 1))
    return;
  auto type = cast<MemRefType>(init.getType());
  Location loc = op.getLoc();
  b.setInsertionPoint(op);
  SmallVector<Value> sizes;
  for (int64_t dim = 0; dim < type.getRank(); ++dim)
    if (type.isDynamicDim(dim))
      sizes.push_back(memref::DimOp::create(b, loc, init, dim));
  Value apart = memref::AllocOp::create(
      b, loc, MemRefType::get(type.getShape(), type.getElementType()), sizes);
  b.modifyOpInPlace(op, [&] { op.getInitMutable().assign(apart); });
  b.setInsertionPointAfter(op);
  memref::CopyOp::create(b, loc, apart, init);
  memref::DeallocOp::create(b, loc, apart);
}

static LogicalResult expandPackedMatmul(RewriterBase &b, PackedMatmulOp op,
                                        AMXKernels &amxKernels) {
  if (!isa<MemRefType>(op.getInit().getType()))
    return op.emitError("expected memrefs, found tensors; bufferize first");
  if (!isContiguous(op.getLhs(), 2) || !isContiguous(op.getRhs(), 2))
    return op.emitError("expected contiguous inner tiles, found ")
           << op.getLhs().getType() << ", " << op.getRhs().getType();
  for (Value columns : {op.getColBias(), op.getColFactors(),
                        op.getChannelScale(), op.getBias()})
    if (!isContiguous(columns, 1))
      return op.emitError("expected contiguous vectors over columns, found ")
             << columns.getType();
  useContiguousInit(b, op);
  b.setInsertionPoint(op);
  Location loc = op.getLoc();
  if (qtarget::getIntrinsicRow(op.getIntrinsic()).family ==
      qtarget::IntrinsicFamily::TileDot) {
    amxKernels.replace(b, op);
    return success();
  }
  PackedKernel kernel(op, b);
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  Value one = arith::ConstantIndexOp::create(b, loc, 1);
  Value mPanels = memref::DimOp::create(b, loc, op.getLhs(), 0);
  Value nPanels = memref::DimOp::create(b, loc, op.getRhs(), 0);
  scf::ForOp::create(
      b, loc, zero, nPanels, one, ValueRange{},
      [&](OpBuilder &b, Location loc, Value nPanel, ValueRange) {
        scf::ForOp::create(
            b, loc, zero, mPanels, one, ValueRange{},
            [&](OpBuilder &b, Location loc, Value mPanel, ValueRange) {
              SmallVector<Value> accs =
                  emitMicrokernel(b, loc, kernel, mPanel, nPanel);
              emitEpilogue(b, loc, kernel, mPanel, nPanel, accs);
              scf::YieldOp::create(b, loc);
            });
        scf::YieldOp::create(b, loc);
      });
  b.eraseOp(op);
  return success();
}

namespace {

struct ConvertQuantToX86Pass
    : quantmlir::impl::ConvertQuantToX86PassBase<ConvertQuantToX86Pass> {
  using Base::Base;

  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    SmallVector<PackedMatmulOp> ops;
    getOperation()->walk([&](PackedMatmulOp op) { ops.push_back(op); });
    AMXKernels amxKernels(getOperation());
    for (PackedMatmulOp op : ops)
      if (failed(expandPackedMatmul(rewriter, op, amxKernels)))
        return signalPassFailure();
    SmallVector<PackedScaledMatmulOp> scaled;
    getOperation()->walk(
        [&](PackedScaledMatmulOp op) { scaled.push_back(op); });
    for (PackedScaledMatmulOp op : scaled)
      if (failed(expandPackedScaledMatmul(rewriter, op)))
        return signalPassFailure();
    // No later pass asks, and stock tools do not know the attribute.
    getOperation()->removeAttr(qtarget::TargetAttr::kModuleAttrName);
  }
};

} // namespace
