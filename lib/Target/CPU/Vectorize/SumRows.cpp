//===- SumRows.cpp - sums of floats along rows, in lanes ------------------===//
//
// The order of a float sum is a part of its result. One addition after the
// other waits four cycles for each element; here a sum has 16 lanes, on every
// target, whatever its vectors are: which sums do is seen from the op's loops
// and body alone, never from the machine or from how operands lie in memory.
//
//===----------------------------------------------------------------------===//

#include "LaneBuilder.h"
#include "RowBody.h"

#include "quant/Target/CPU/Parallel/IndependentLoops.h"
#include "quant/Target/CPU/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/IRMapping.h"

namespace quantmlir {
#define GEN_PASS_DEF_QUANTSUMROWSPASS
#include "quant/Target/CPU/Passes.h.inc"
} // namespace quantmlir

using namespace mlir;
using namespace quantmlir;

static constexpr int64_t kSumLanes = 16;

/// The addition of a sum along the innermost loop that is taken in lanes.
static arith::AddFOp findRowSum(linalg::LinalgOp op) {
  if (op.getNumDpsInits() != 1 || !op.hasPureBufferSemantics() ||
      !hasRowMaps(op) || !hasElementwiseBody(op))
    return {};
  SmallVector<utils::IteratorType> kinds = op.getIteratorTypesArray();
  int64_t size = op.getStaticLoopRanges().back();
  if (kinds.back() != utils::IteratorType::reduction ||
      llvm::count(kinds, utils::IteratorType::reduction) != 1 ||
      (!ShapedType::isDynamic(size) && size < kSumLanes))
    return {};
  Block *body = op.getBlock();
  BlockArgument acc = body->getArguments().back();
  auto sum =
      body->getTerminator()->getOperand(0).getDefiningOp<arith::AddFOp>();
  if (!sum || sum->getBlock() != body || !sum->hasOneUse() ||
      !acc.hasOneUse() || *acc.getUsers().begin() != sum)
    return {};
  return sum;
}

namespace {

class RowSumEmitter {
public:
  RowSumEmitter(OpBuilder &b, linalg::LinalgOp op, arith::AddFOp sum)
      : lane{b, op.getLoc()}, op(op), sum(sum), at(op.getNumLoops()),
        sizes(getLoopSizes(b, op)) {}

  /// The loops from the `loop`-th on.
  void emit(unsigned loop = 0);

private:
  SmallVector<Value> indices(OpOperand &operand);
  /// What all lanes of an input are in the present row; null for what lies
  /// along it.
  Value loadOfRow(OpOperand &operand);
  /// Lanes of an input from the present column on.
  Value load(OpOperand &operand, Value mask);
  /// `acc` and what the body adds to it at the present column, in lanes of
  /// `mask` if there is one.
  Value addColumns(Value acc, Value mask);
  void emitRow();

  LaneBuilder lane;
  linalg::LinalgOp op;
  arith::AddFOp sum;
  /// The present position and the size of each loop.
  SmallVector<Value> at, sizes;
  /// Of each input in the present row.
  SmallVector<Value> ofRows;
};

} // namespace

SmallVector<Value> RowSumEmitter::indices(OpOperand &operand) {
  SmallVector<Value> result;
  for (AffineExpr expr : op.getMatchingIndexingMap(&operand).getResults()) {
    auto dim = dyn_cast<AffineDimExpr>(expr);
    result.push_back(dim ? at[dim.getPosition()] : lane.index(0));
  }
  return result;
}

Value RowSumEmitter::loadOfRow(OpOperand &operand) {
  Value number = operand.get();
  if (!op.isScalar(&operand)) {
    if (op.getMatchingIndexingMap(&operand).isFunctionOfDim(op.getNumLoops() -
                                                            1))
      return {};
    SmallVector<Value> position = indices(operand);
    number = memref::LoadOp::create(lane.b, lane.loc, number, position);
  }
  return lane.broadcast(number, kSumLanes);
}

Value RowSumEmitter::load(OpOperand &operand, Value mask) {
  Value memory = operand.get();
  SmallVector<Value> position = indices(operand);
  auto type = cast<MemRefType>(memory.getType());
  Type element = type.getElementType();
  if (type.areTrailingDimsContiguous(1))
    return lane.loadLanes(memory, position, element, kSumLanes, mask);
  Value zero =
      arith::ConstantOp::create(lane.b, lane.loc, lane.b.getZeroAttr(element));
  auto vector = VectorType::get({kSumLanes}, element);
  SmallVector<bool> inBounds = {true};
  auto read =
      vector::TransferReadOp::create(lane.b, lane.loc, vector, memory, position,
                                     zero, ArrayRef<bool>(inBounds));
  if (mask)
    read.getMaskMutable().assign(mask);
  return read;
}

Value RowSumEmitter::addColumns(Value acc, Value mask) {
  Block *body = op.getBlock();
  IRMapping mapping;
  for (OpOperand *operand : op.getDpsInputOperands()) {
    BlockArgument argument = body->getArgument(operand->getOperandNumber());
    Value ofRow = ofRows[operand->getOperandNumber()];
    if (!argument.use_empty())
      mapping.map(argument, ofRow ? ofRow : load(*operand, mask));
  }
  auto vectorOf = [&](Value value) -> Value {
    if (!mapping.contains(value))
      mapping.map(value, lane.broadcast(value, kSumLanes));
    return mapping.lookup(value);
  };
  for (Operation &inner : body->without_terminator()) {
    if (&inner == sum)
      continue;
    for (Value operand : inner.getOperands())
      vectorOf(operand);
    Operation *clone = lane.b.clone(inner, mapping);
    for (OpResult result : clone->getResults())
      result.setType(VectorType::get({kSumLanes}, result.getType()));
  }
  bool isFirst = sum.getLhs() == body->getArguments().back();
  Value added = vectorOf(isFirst ? sum.getRhs() : sum.getLhs());
  if (mask) {
    Value zero = arith::ConstantOp::create(lane.b, lane.loc,
                                           lane.b.getZeroAttr(added.getType()));
    added = arith::SelectOp::create(lane.b, lane.loc, mask, added, zero);
  }
  return arith::AddFOp::create(lane.b, lane.loc, acc, added);
}

void RowSumEmitter::emitRow() {
  OpBuilder &b = lane.b;
  Location loc = lane.loc;
  auto type = VectorType::get({kSumLanes}, sum.getType());
  Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(type));
  ofRows.clear();
  for (OpOperand *operand : op.getDpsInputOperands())
    ofRows.push_back(op.getMatchingBlockArgument(operand).use_empty()
                         ? Value()
                         : loadOfRow(*operand));
  Value size = sizes.back(), whole = lane.roundDown(size, kSumLanes);
  auto loop = scf::ForOp::create(b, loc, lane.index(0), whole,
                                 lane.index(kSumLanes), zero);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    at.back() = loop.getInductionVar();
    Value next = addColumns(loop.getRegionIterArg(0), Value());
    scf::YieldOp::create(b, loc, next);
  }
  Value lanes = loop.getResult(0);
  int64_t known = op.getStaticLoopRanges().back();
  if (ShapedType::isDynamic(known) || known % kSumLanes != 0) {
    at.back() = whole;
    lanes = addColumns(lanes, lane.maskOf(whole, size, kSumLanes));
  }
  OpOperand &init = *op.getDpsInitOperand(0);
  SmallVector<Value> position = indices(init);
  Value old = memref::LoadOp::create(b, loc, init.get(), position);
  Value result = arith::AddFOp::create(b, loc, lane.addLanes(lanes), old);
  memref::StoreOp::create(b, loc, result, init.get(), position);
}

void RowSumEmitter::emit(unsigned loop) {
  if (loop + 1 == at.size())
    return emitRow();
  OpBuilder &b = lane.b;
  auto rows = scf::ForOp::create(b, lane.loc, lane.index(0), sizes[loop],
                                 lane.index(1));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(rows.getBody());
  at[loop] = rows.getInductionVar();
  emit(loop + 1);
  markIndependent(rows, countInner(op.getStaticLoopRanges(), loop + 1));
}

namespace {

struct QuantSumRowsPass
    : quantmlir::impl::QuantSumRowsPassBase<QuantSumRowsPass> {
  using Base::Base;

  void runOnOperation() override {
    SmallVector<std::pair<linalg::LinalgOp, arith::AddFOp>> found;
    getOperation()->walk([&](linalg::LinalgOp op) {
      if (arith::AddFOp sum = findRowSum(op))
        found.emplace_back(op, sum);
    });
    IRRewriter rewriter(&getContext());
    for (auto [op, sum] : found) {
      rewriter.setInsertionPoint(op);
      RowSumEmitter(rewriter, op, sum).emit();
      rewriter.eraseOp(op);
      ++numSums;
    }
  }
};

} // namespace
