//===- QuantToX86.cpp - quant.packed_matmul to instructions ---------------===//
//
// Checks what the emission needs of its operands, and emits the loops of the
// op's schedule around the microkernel and its epilogue.
//
//===----------------------------------------------------------------------===//

#include "quant/Target/CPU/Kernel/ContiguousRows.h"
#include "quant/Target/CPU/Kernel/EmitLoops.h"
#include "quant/Target/CPU/Kernel/ScaledLoops.h"
#include "quant/Target/CPU/Schedule/RegisterTile.h"
#include "quant/Target/X86/AMX/AMXKernel.h"

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
#include "quant/Target/X86/AMX/AMXTile.h"
#include "quant/Target/X86/Passes.h"

namespace quantmlir {
#define GEN_PASS_DEF_CONVERTQUANTTOX86PASS
#include "quant/Target/X86/Passes.h.inc"
} // namespace quantmlir

using namespace mlir;
using namespace quantmlir;

/// `op` was packed for an instruction of this target's.
template <typename OpTy>
static LogicalResult verifyIsX86(OpTy op) {
  const qtarget::IntrinsicRow &row =
      qtarget::getIntrinsicRow(op.getIntrinsic());
  if (!row.isNVVM())
    return success();
  return op.emitError("expected operands packed for an x86 instruction, found "
                      "some for ")
         << row.name;
}

static LogicalResult expandPackedMatmul(RewriterBase &b, PackedMatmulOp op,
                                        AMXKernels &amxKernels) {
  if (!isa<MemRefType>(op.getInit().getType()))
    return op.emitError("expected memrefs, found tensors; bufferize first");
  bool tilesOfLhs = op.hasPlainLhs() || isContiguous(op.getLhs(), 2);
  if (!tilesOfLhs || !isContiguous(op.getRhs(), 2))
    return op.emitError("expected contiguous inner tiles, found ")
           << op.getLhs().getType() << ", " << op.getRhs().getType();
  SmallVector<Value> overColumns = op.getColumnVectors();
  overColumns.push_back(op.getColFactors());
  for (Value columns : overColumns)
    if (!isContiguous(columns, 1))
      return op.emitError("expected contiguous vectors over columns, found ")
             << columns.getType();
  readContiguousRows(b, op, op.getLhsMutable());
  if (op.getResidual())
    readContiguousRows(b, op, *op.getResidualMutable().begin());
  writeContiguousRows(b, op, op.getInitMutable());
  b.setInsertionPoint(op);
  Location loc = op.getLoc();
  if (qtarget::getIntrinsicRow(op.getIntrinsic()).family ==
      qtarget::IntrinsicFamily::TileDot) {
    amxKernels.call(b, op);
    b.eraseOp(op);
    return success();
  }
  PackedKernel kernel(op, b);
  qtarget::ScheduleAttr schedule = op.getScheduleAttr();
  if (!schedule)
    schedule = chooseSchedule(b.getContext(), kernel.row,
                              {chooseRegisterTile(kernel.row, kernel.getM(),
                                                  kernel.nr, op.getRhsNibbles())
                                   .mr,
                               kernel.nr},
                              qtarget::TargetAttr::lookup(op), kernel.getM(),
                              kernel.getK());
  emitBlockedLoops(b, loc, kernel, schedule);
  b.eraseOp(op);
  return success();
}

/// Whether elements that follow each other in the last dimension follow each
/// other in memory.
static bool hasContiguousRows(Value v) {
  auto type = cast<MemRefType>(v.getType());
  return type.getRank() == 0 || type.areTrailingDimsContiguous(1);
}

/// Tiles, or vectors where there turn out to be few rows.
static void emitForRows(RewriterBase &b, PackedScaledMatmulOp op,
                        AMXKernels &amxKernels) {
  if (qtarget::getIntrinsicRow(op.getIntrinsic()).family !=
      qtarget::IntrinsicFamily::TileDot)
    return emitScaledLoops(b, op);
  if (!cast<MemRefType>(op.getInit().getType()).isDynamicDim(0))
    return amxKernels.call(b, op);
  Location loc = op.getLoc();
  int64_t groupK = op.getStepsPerGroup() * op.getStepSize();
  Value rows = memref::DimOp::create(b, loc, op.getInit(), 0);
  Value least = arith::ConstantIndexOp::create(
      b, loc, getLeastScaledRows(groupK, op.getRhsBits()));
  Value areMany =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::uge, rows, least);
  auto branch = scf::IfOp::create(b, loc, areMany, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  amxKernels.call(b, op);
  b.setInsertionPointToStart(branch.elseBlock());
  emitScaledLoops(b, op);
}

static LogicalResult expandPackedScaledMatmul(RewriterBase &b,
                                              PackedScaledMatmulOp op,
                                              AMXKernels &amxKernels) {
  if (!isa<MemRefType>(op.getInit().getType()))
    return op.emitError("expected memrefs, found tensors; bufferize first");
  for (Value operand : op->getOperands())
    if (!hasContiguousRows(operand))
      return op.emitError("expected rows without gaps, found ")
             << operand.getType();
  b.setInsertionPoint(op);
  emitForRows(b, op, amxKernels);
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
      if (failed(verifyIsX86(op)) ||
          failed(expandPackedMatmul(rewriter, op, amxKernels)))
        return signalPassFailure();
    SmallVector<PackedScaledMatmulOp> scaled;
    getOperation()->walk(
        [&](PackedScaledMatmulOp op) { scaled.push_back(op); });
    for (PackedScaledMatmulOp op : scaled)
      if (failed(verifyIsX86(op)) ||
          failed(expandPackedScaledMatmul(rewriter, op, amxKernels)))
        return signalPassFailure();
    // No later pass asks, and stock tools do not know the attribute.
    getOperation()->removeAttr(qtarget::TargetAttr::kModuleAttrName);
  }
};

} // namespace
