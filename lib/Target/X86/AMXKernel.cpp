//===- AMXKernel.cpp - matmuls on tile registers --------------------------===//
//
// The loops around a block of tiles: over blocks of rows that stay in L2, over
// panels of columns, over rows of tiles in the block. What is left over of a
// dimension is a smaller block, so that no instruction multiplies padding but
// that of the last tile.
//
//===----------------------------------------------------------------------===//

#include "AMXKernel.h"

#include "AMXEmit.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/STLFunctionalExtras.h"

using namespace mlir;
using namespace quantmlir;

namespace {

/// Emits the body for `size` panels from `first` on.
using GroupBody =
    llvm::function_ref<void(OpBuilder &, Location, Value first, int64_t size)>;

struct NestBuilder {
  OpBuilder &b;
  Location loc;

  Value index(int64_t v) const {
    return arith::ConstantIndexOp::create(b, loc, v);
  }

  /// Groups of `size` panels in [begin, end), then what is left over. `count`
  /// is the number of panels where it is known, or dynamic; `remainder` says
  /// what it leaves modulo `size` where only that is known.
  void forGroups(Value begin, Value end, int64_t size,
                 std::optional<int64_t> remainder, GroupBody body) const;
};

} // namespace

void NestBuilder::forGroups(Value begin, Value end, int64_t size,
                            std::optional<int64_t> remainder,
                            GroupBody body) const {
  Value whole = end, rest;
  if (remainder != 0) {
    Value count = arith::SubIOp::create(b, loc, end, begin);
    rest = remainder ? index(*remainder)
                     : arith::RemUIOp::create(b, loc, count, index(size));
    whole = arith::SubIOp::create(b, loc, end, rest);
  }
  scf::ForOp::create(b, loc, begin, whole, index(size), ValueRange{},
                     [&](OpBuilder &b, Location loc, Value first, ValueRange) {
                       body(b, loc, first, size);
                       scf::YieldOp::create(b, loc);
                     });
  if (remainder) {
    if (*remainder)
      body(b, loc, whole, *remainder);
    return;
  }
  for (int64_t left = 1; left < size; ++left) {
    Value isLeft = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, rest,
                                         index(left));
    scf::IfOp::create(b, loc, isLeft, [&](OpBuilder &b, Location loc) {
      body(b, loc, whole, left);
      scf::YieldOp::create(b, loc);
    });
  }
}

/// What `panels` leave modulo `size`, if it is known.
static std::optional<int64_t> getRemainder(int64_t panels, int64_t size) {
  if (ShapedType::isDynamic(panels))
    return std::nullopt;
  return panels % size;
}

/// The whole matmul, at the insertion point.
static void emitMatmul(OpBuilder &b, PackedMatmulOp op, int64_t l2) {
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
  NestBuilder nest{b, loc};
  Value zero = nest.index(0);
  Value mEnd = memref::DimOp::create(b, loc, op.getLhs(), 0);
  Value nEnd = memref::DimOp::create(b, loc, op.getRhs(), 0);
  auto columns = [&](OpBuilder &b, Location loc, Value begin, Value end,
                     std::optional<int64_t> remainder) {
    NestBuilder{b, loc}.forGroups(
        zero, nEnd, block.n, getRemainder(nPanels, block.n),
        [&](OpBuilder &b, Location loc, Value nPanel, int64_t n) {
          NestBuilder{b, loc}.forGroups(
              begin, end, block.m, remainder,
              [&](OpBuilder &b, Location loc, Value mPanel, int64_t m) {
                emitAMXBlock(b, loc, matmul, {m, n}, mPanel, nPanel);
              });
        });
  };
  if (!ShapedType::isDynamic(mPanels) && mPanels <= rowBlock)
    return columns(b, loc, zero, mEnd, getRemainder(mPanels, block.m));
  // Only the last block may leave something over.
  std::optional<int64_t> remainder = getRemainder(mPanels, block.m);
  if (remainder != 0)
    remainder = std::nullopt;
  Value step = nest.index(rowBlock);
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

func::FuncOp AMXKernels::build(RewriterBase &b, PackedMatmulOp op) {
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
  auto inside = cast<PackedMatmulOp>(b.clone(*op, mapping));
  auto end = func::ReturnOp::create(b, loc);
  b.setInsertionPoint(inside);
  emitMatmul(b, inside, l2);
  b.eraseOp(inside);
  b.setInsertionPoint(end);
  return function;
}

void AMXKernels::replace(RewriterBase &b, PackedMatmulOp op) {
  Attribute key = b.getArrayAttr(
      {TypeAttr::get(b.getFunctionType(op->getOperandTypes(), {})),
       op->getPropertiesAsAttribute()});
  func::FuncOp &function = functions[key];
  if (!function)
    function = build(b, op);
  b.setInsertionPoint(op);
  func::CallOp::create(b, op.getLoc(), function, op->getOperands());
  b.eraseOp(op);
}
