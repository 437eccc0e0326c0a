//===- FloatRowSum.cpp - sums of floats along rows ------------------------===//
//
// The order of a float sum is a part of its result, so it cannot be split over
// lanes. One addition after the other takes four cycles each; eight rows at a
// time keep the adders busy, and no bit changes.
//
//===----------------------------------------------------------------------===//

#include "FloatRowSum.h"

#include "quant/Target/CPU/Parallel/IndependentLoops.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace quantmlir;

static constexpr int64_t kRows = 8;

bool quantmlir::isFloatRowSum(linalg::LinalgOp op) {
  unsigned loops = op.getNumLoops();
  if (loops < 2 || op.getNumDpsInits() != 1 || !op.hasPureBufferSemantics())
    return false;
  SmallVector<utils::IteratorType> kinds = op.getIteratorTypesArray();
  // One reduction, innermost, inside of rows.
  if (kinds.back() != utils::IteratorType::reduction ||
      llvm::count(kinds, utils::IteratorType::reduction) != 1)
    return false;
  for (OpOperand &operand : op->getOpOperands())
    if (!isa<MemRefType>(operand.get().getType()) ||
        !op.getMatchingIndexingMap(&operand).isProjectedPermutation(
            /*allowZeroInResults=*/true))
      return false;
  Block *body = op.getBlock();
  Value acc = body->getArguments().back();
  Operation *sum = body->getTerminator()->getOperand(0).getDefiningOp();
  return isa_and_present<arith::AddFOp>(sum) && acc.hasOneUse() &&
         *acc.getUsers().begin() == sum &&
         llvm::all_of(body->without_terminator(), [](Operation &inner) {
           return !isa<linalg::IndexOp>(inner) && isMemoryEffectFree(&inner);
         });
}

namespace {

struct SumEmitter {
  OpBuilder &b;
  mutable linalg::LinalgOp op;
  Location loc;
  /// The present position and the size of each loop.
  SmallVector<Value> at, sizes;

  SumEmitter(OpBuilder &b, linalg::LinalgOp op);

  Value index(int64_t v) const {
    return arith::ConstantIndexOp::create(b, loc, v);
  }
  unsigned rowLoop() const { return sizes.size() - 2; }
  void emit(unsigned loop);
  void emitRows(Value firstRow, int64_t rows);
  Value load(OpOperand &operand) const;
  SmallVector<Value> indices(OpOperand &operand) const;
  Value step(Value acc) const;
};

} // namespace

SumEmitter::SumEmitter(OpBuilder &b, linalg::LinalgOp op)
    : b(b), op(op), loc(op.getLoc()), at(op.getNumLoops()),
      sizes(op.getNumLoops()) {
  for (OpOperand &operand : op->getOpOperands())
    for (auto [i, expr] :
         llvm::enumerate(op.getMatchingIndexingMap(&operand).getResults())) {
      auto dim = dyn_cast<AffineDimExpr>(expr);
      if (dim && !sizes[dim.getPosition()])
        sizes[dim.getPosition()] =
            memref::DimOp::create(b, loc, operand.get(), i);
    }
}

SmallVector<Value> SumEmitter::indices(OpOperand &operand) const {
  SmallVector<Value> result;
  for (AffineExpr expr : op.getMatchingIndexingMap(&operand).getResults()) {
    auto dim = dyn_cast<AffineDimExpr>(expr);
    result.push_back(dim ? at[dim.getPosition()] : index(0));
  }
  return result;
}

Value SumEmitter::load(OpOperand &operand) const {
  return memref::LoadOp::create(b, loc, operand.get(), indices(operand));
}

/// The body for the present position.
Value SumEmitter::step(Value acc) const {
  Block *body = op.getBlock();
  IRMapping mapping;
  for (OpOperand *operand : op.getDpsInputOperands()) {
    BlockArgument argument = body->getArgument(operand->getOperandNumber());
    if (!argument.use_empty())
      mapping.map(argument, load(*operand));
  }
  mapping.map(body->getArguments().back(), acc);
  for (Operation &inner : body->without_terminator())
    b.clone(inner, mapping);
  return mapping.lookup(body->getTerminator()->getOperand(0));
}

void SumEmitter::emitRows(Value firstRow, int64_t rows) {
  SmallVector<Value> positions, start;
  OpOperand &init = *op.getDpsInitOperand(0);
  for (int64_t r = 0; r < rows; ++r) {
    positions.push_back(
        r ? arith::AddIOp::create(b, loc, firstRow, index(r)).getResult()
          : firstRow);
    at[rowLoop()] = positions.back();
    start.push_back(load(init));
  }
  auto loop =
      scf::ForOp::create(b, loc, index(0), sizes.back(), index(1), start);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    at.back() = loop.getInductionVar();
    SmallVector<Value> next;
    for (auto [position, acc] :
         llvm::zip_equal(positions, loop.getRegionIterArgs())) {
      at[rowLoop()] = position;
      next.push_back(step(acc));
    }
    scf::YieldOp::create(b, loc, next);
  }
  for (auto [position, sum] : llvm::zip_equal(positions, loop.getResults())) {
    at[rowLoop()] = position;
    memref::StoreOp::create(b, loc, sum, init.get(), indices(init));
  }
}

void SumEmitter::emit(unsigned loop) {
  auto forEach = [&](Value begin, Value end, int64_t stride,
                     llvm::function_ref<void(Value)> body) {
    auto nest = scf::ForOp::create(b, loc, begin, end, index(stride));
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(nest.getBody());
    body(nest.getInductionVar());
    markIndependent(nest,
                    stride * countInner(op.getStaticLoopRanges(), loop + 1));
  };
  if (loop != rowLoop())
    return forEach(index(0), sizes[loop], 1, [&](Value i) {
      at[loop] = i;
      emit(loop + 1);
    });
  Value size = sizes[loop];
  Value over = arith::RemUIOp::create(b, loc, size, index(kRows));
  Value whole = arith::SubIOp::create(b, loc, size, over);
  forEach(index(0), whole, kRows, [&](Value row) { emitRows(row, kRows); });
  forEach(whole, size, 1, [&](Value row) { emitRows(row, 1); });
}

void quantmlir::emitFloatRowSum(OpBuilder &b, linalg::LinalgOp op) {
  SumEmitter(b, op).emit(0);
}
