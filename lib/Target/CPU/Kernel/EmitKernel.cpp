//===- EmitKernel.cpp - a packed matmul as loops over vectors -------------===//
//
// Checks what the emission needs of its operands, and emits the loops of the
// op's schedule around the microkernel and its epilogue.
//
//===----------------------------------------------------------------------===//

#include "quant/Target/CPU/Kernel/EmitKernel.h"

#include "quant/Target/CPU/Kernel/ContiguousRows.h"
#include "quant/Target/CPU/Kernel/EmitLoops.h"
#include "quant/Target/CPU/Kernel/ScaledLoops.h"

#include "quant/Target/IR/PackedMatmul.h"

using namespace mlir;
using namespace quantmlir;

LogicalResult quantmlir::prepareBuffers(RewriterBase &b,
                                        qtarget::PackedMatmulOp op) {
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
  return success();
}

static LogicalResult emitPlain(RewriterBase &b, qtarget::PackedMatmulOp op) {
  if (failed(prepareBuffers(b, op)))
    return failure();
  PackedKernel kernel(op, b);
  qtarget::ScheduleAttr schedule = op.getScheduleAttr();
  if (!schedule) {
    int64_t m = kernel.getM();
    qtarget::RegisterTile tile =
        kernel.kernel.chooseTile(m, kernel.nr, op.hasNibbles());
    schedule = kernel.kernel.chooseSchedule({tile.mr, kernel.nr},
                                            qtarget::TargetAttr::lookup(op), m,
                                            kernel.getK());
  }
  emitBlockedLoops(b, op.getLoc(), kernel, schedule);
  b.eraseOp(op);
  return success();
}

static LogicalResult emitGroups(RewriterBase &b, qtarget::PackedMatmulOp op) {
  if (failed(verifyScaledBuffers(op)))
    return failure();
  b.setInsertionPoint(op);
  emitScaledLoops(b, op, op.getKernel());
  b.eraseOp(op);
  return success();
}

LogicalResult quantmlir::emitVectorKernel(RewriterBase &b, Operation *op) {
  auto matmul = cast<qtarget::PackedMatmulOp>(op);
  return matmul.isGrouped() ? emitGroups(b, matmul) : emitPlain(b, matmul);
}
