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
#include "quant/Target/CPU/Kernel/PanelGroups.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace quantmlir;

/// The whole matmul, at the insertion point.
static void emitTiles(OpBuilder &b, PackedMatmulOp op, int64_t l2) {
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

AMXKernels::AMXKernels(ModuleOp module) : module(module) {
  auto target = qtarget::TargetAttr::lookup(module);
  constexpr int64_t typicalL2 = 2 * 1024 * 1024;
  l2 = target ? target.getL2() : typicalL2;
}

static void emitTiles(OpBuilder &b, PackedScaledMatmulOp op, int64_t l2) {
  emitAMXScaledMatmul(b, op, l2);
}

template <typename OpTy>
func::FuncOp AMXKernels::build(RewriterBase &b, OpTy op) {
  OpBuilder::InsertionGuard guard(b);
  Location loc = op.getLoc();
  b.setInsertionPointToEnd(module.getBody());
  auto type = b.getFunctionType(op->getOperandTypes(), {});
  std::string name = "quant_amx_matmul_" + std::to_string(functions.size() - 1);
  while (module.lookupSymbol(name))
    name += "_";
  auto function = func::FuncOp::create(b, loc, name, type);
  function.setPrivate();
  // Inlined, it would share its configuration with its neighbours.
  function->setAttr("passthrough",
                    b.getArrayAttr({b.getStringAttr("noinline")}));
  Block *entry = function.addEntryBlock();
  b.setInsertionPointToStart(entry);
  IRMapping mapping;
  mapping.map(op->getOperands(), entry->getArguments());
  auto inside = cast<OpTy>(b.clone(*op, mapping));
  auto end = func::ReturnOp::create(b, loc);
  b.setInsertionPoint(inside);
  emitTiles(b, inside, l2);
  b.eraseOp(inside);
  b.setInsertionPoint(end);
  return function;
}

template <typename OpTy>
void AMXKernels::emitCall(RewriterBase &b, OpTy op) {
  Attribute key = b.getArrayAttr(
      {b.getStringAttr(OpTy::getOperationName()),
       TypeAttr::get(b.getFunctionType(op->getOperandTypes(), {})),
       op->getPropertiesAsAttribute()});
  func::FuncOp &function = functions[key];
  if (!function)
    function = build(b, op);
  func::CallOp::create(b, op.getLoc(), function, op->getOperands());
}

void AMXKernels::call(RewriterBase &b, PackedMatmulOp op) { emitCall(b, op); }

void AMXKernels::call(RewriterBase &b, PackedScaledMatmulOp op) {
  emitCall(b, op);
}
