//===- AMXKernel.cpp - matmuls on tile registers --------------------------===//
//
// The loops around a block of tiles: over blocks of rows that stay in L2, over
// panels of columns, over rows of tiles in the block. What is left over of a
// dimension is a smaller block, so that no instruction multiplies padding but
// that of the last tile.
//
//===----------------------------------------------------------------------===//

#include "quant/Target/X86/AMX/AMXKernel.h"

#include "AMXEmit.h"
#include "AMXScaledKernel.h"
#include "quant/Target/CPU/Kernel/EmitKernel.h"
#include "quant/Target/CPU/Kernel/PanelGroups.h"
#include "quant/Target/CPU/Kernel/ScaledLoops.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace quantmlir;

/// The whole matmul, at the insertion point.
static void emitTiles(OpBuilder &b, qtarget::PackedMatmulOp op, int64_t l2) {
  Location loc = op.getLoc();
  auto lhsType = cast<MemRefType>(op.getLhs().getType());
  int64_t mPanels = lhsType.getDimSize(0);
  int64_t nPanels = cast<MemRefType>(op.getRhs().getType()).getDimSize(0);
  AMXBlock block = chooseAMXBlock(mPanels);
  // Few panels, or an unknown number of them: blocks that leave less over.
  if (ShapedType::isDynamic(nPanels))
    block.n = std::min<int64_t>(block.n, 2);
  else
    block.n = std::min(block.n, std::max<int64_t>(nPanels, 1));
  AMXMatmul matmul(op, b, block);
  int64_t k = lhsType.isDynamicDim(1) ? ShapedType::kDynamic
                                      : lhsType.getDimSize(1) * matmul.row.k;
  int64_t rowBlock = chooseAMXRowBlock(matmul.tileRows, k, l2);
  matmul.rhsLinesAhead = chooseAMXLinesAhead(
      ShapedType::isDynamic(mPanels) ? rowBlock : std::min(rowBlock, mPanels),
      block);
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  Value mEnd = memref::DimOp::create(b, loc, op.getLhs(), 0);
  Value nEnd = memref::DimOp::create(b, loc, op.getRhs(), 0);
  auto columns = [&](OpBuilder &b, Location loc, Value begin, Value end,
                     std::optional<int64_t> remainder) {
    forGroups(
        b, loc, zero, nEnd, block.n, getRemainder(nPanels, block.n),
        [&](OpBuilder &b, Location loc, Value nPanel, int64_t n) {
          forGroups(
              b, loc, begin, end, block.m, remainder,
              [&](OpBuilder &b, Location loc, Value mPanel, int64_t m) {
                Value before = arith::SubIOp::create(b, loc, mPanel, begin);
                emitAMXBlock(b, loc, matmul, {m, n}, {mPanel, nPanel, before});
              });
        });
  };
  if (!ShapedType::isDynamic(mPanels) && mPanels <= rowBlock)
    return columns(b, loc, zero, mEnd, getRemainder(mPanels, block.m));
  // Only the last block may leave something over.
  std::optional<int64_t> remainder = getRemainder(mPanels, block.m);
  if (remainder != 0)
    remainder = std::nullopt;
  Value step = arith::ConstantIndexOp::create(b, loc, rowBlock);
  scf::ForOp::create(b, loc, zero, mEnd, step, ValueRange{},
                     [&](OpBuilder &b, Location loc, Value begin, ValueRange) {
                       Value end = arith::AddIOp::create(b, loc, begin, step);
                       end = arith::MinUIOp::create(b, loc, end, mEnd);
                       columns(b, loc, begin, end, remainder);
                       scf::YieldOp::create(b, loc);
                     });
}

static int64_t getL2(Operation *op) {
  auto target = qtarget::TargetAttr::lookup(op);
  constexpr int64_t typicalL2 = 2 * 1024 * 1024;
  return target ? target.getL2() : typicalL2;
}

static constexpr StringLiteral kFunctionPrefix = "quant_amx_matmul_";

static LogicalResult emitPlain(RewriterBase &b, qtarget::PackedMatmulOp op,
                               qtarget::KernelFunctions &functions) {
  if (failed(prepareBuffers(b, op)))
    return failure();
  functions.call(b, op, kFunctionPrefix, [&](RewriterBase &b, Operation *op) {
    emitTiles(b, cast<qtarget::PackedMatmulOp>(op), getL2(op));
  });
  b.eraseOp(op);
  return success();
}

static void callScaledTiles(RewriterBase &b, qtarget::PackedMatmulOp op,
                            qtarget::KernelFunctions &functions) {
  functions.call(b, op, kFunctionPrefix, [&](RewriterBase &b, Operation *op) {
    emitAMXScaledMatmul(b, cast<qtarget::PackedMatmulOp>(op), getL2(op));
  });
}

/// Tiles, or vectors where there turn out to be few rows.
static LogicalResult emitGroups(RewriterBase &b, qtarget::PackedMatmulOp op,
                                qtarget::KernelFunctions &functions) {
  if (failed(verifyScaledBuffers(op)))
    return failure();
  b.setInsertionPoint(op);
  if (!cast<MemRefType>(op.getInit().getType()).isDynamicDim(0)) {
    callScaledTiles(b, op, functions);
    b.eraseOp(op);
    return success();
  }
  Location loc = op.getLoc();
  int64_t groupK = op.getStepsPerGroup() * op.getStepSize();
  Value rows = memref::DimOp::create(b, loc, op.getInit(), 0);
  Value least = arith::ConstantIndexOp::create(
      b, loc, getLeastScaledRows(groupK, op.getRhsBits()));
  Value areMany =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::uge, rows, least);
  auto branch = scf::IfOp::create(b, loc, areMany, /*withElseRegion=*/true);
  b.setInsertionPointToStart(branch.thenBlock());
  callScaledTiles(b, op, functions);
  b.setInsertionPointToStart(branch.elseBlock());
  emitScaledLoops(b, op, getVectorsOfTiles(b.getContext()));
  b.eraseOp(op);
  return success();
}

LogicalResult quantmlir::emitAMXKernel(RewriterBase &b, Operation *op,
                                       qtarget::KernelFunctions &functions) {
  auto matmul = cast<qtarget::PackedMatmulOp>(op);
  return matmul.isGrouped() ? emitGroups(b, matmul, functions)
                            : emitPlain(b, matmul, functions);
}
