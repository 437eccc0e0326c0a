//===- QuantToX86.cpp - quant.packed_matmul to instructions ---------------===//
//
// Loops over panels of columns (outer, so that a panel of the right operand
// stays in L2) and panels of rows around the microkernel and its epilogue.
//
//===----------------------------------------------------------------------===//

#include "EmitEpilogue.h"
#include "EmitMicrokernel.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
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

static LogicalResult expandPackedMatmul(RewriterBase &b, PackedMatmulOp op) {
  if (!isa<MemRefType>(op.getInit().getType()))
    return op.emitError("expected memrefs, found tensors; bufferize first");
  if (!isContiguous(op.getLhs(), 2) || !isContiguous(op.getRhs(), 2) ||
      !isContiguous(op.getInit(), 1))
    return op.emitError("expected contiguous inner tiles and rows, found ")
           << op.getLhs().getType() << ", " << op.getRhs().getType() << ", "
           << op.getInit().getType();
  for (Value columns : {op.getColBias(), op.getColFactors(),
                        op.getChannelScale(), op.getBias()})
    if (!isContiguous(columns, 1))
      return op.emitError("expected contiguous vectors over columns, found ")
             << columns.getType();
  b.setInsertionPoint(op);
  Location loc = op.getLoc();
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
    for (PackedMatmulOp op : ops)
      if (failed(expandPackedMatmul(rewriter, op)))
        return signalPassFailure();
    // No later pass asks, and stock tools do not know the attribute.
    getOperation()->removeAttr(qtarget::TargetAttr::kModuleAttrName);
  }
};

} // namespace
