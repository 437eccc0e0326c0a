//===- CachedAttention.cpp - attention over integers as vectors -----------===//
//
// Each new token goes over the tokens that it sees twice: for its scores, which
// stay near, and, when the largest is known, for what it takes of their values.
//
//===----------------------------------------------------------------------===//

#include "CachedAttention.h"

#include "AttentionTile.h"

#include "quant/Target/CPU/Kernel/ContiguousRows.h"
#include "quant/Target/CPU/Parallel/IndependentLoops.h"
#include "quant/Target/IR/QTarget.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace quantmlir;

//===----------------------------------------------------------------------===//
// What tiles share
//===----------------------------------------------------------------------===//

AttentionKernel::AttentionKernel(CachedAttentionOp op,
                                 qtarget::TargetAttr target)
    : op(op), keys(target), values(keys.narrowedTo(4 * op.getNumWords())),
      d(op.getSize(3)), isInt4(op.getBits() == 4) {}

int64_t AttentionKernel::getKeyVectors(int64_t rows) const {
  int64_t fit = keys.getAccumulators() / rows;
  return fit >= 4 ? 4 : fit >= 2 ? 2 : 1;
}

int64_t AttentionKernel::getValueRows(int64_t rows) const {
  constexpr int64_t vectors = 4;
  int64_t fit = values.getAccumulators() / (vectors * getNibbles());
  return std::clamp<int64_t>(fit, 1, rows);
}

Value AttentionTile::fourBytes(const ByteDots &dots, Value bytes,
                               ValueRange at) const {
  Value four = vector::LoadOp::create(
      b, loc, VectorType::get({4}, b.getI8Type()), bytes, at);
  Value one = vector::BitCastOp::create(
      b, loc, VectorType::get({1}, b.getI32Type()), four);
  Value all =
      broadcast(vector::ExtractOp::create(b, loc, one, 0), dots.getLanes());
  return vector::BitCastOp::create(
      b, loc, VectorType::get({dots.getBytes()}, b.getI8Type()), all);
}

Value AttentionTile::countSeen(bool areNew) const {
  return areNew ? plus(token, index(1)) : kernel.past;
}

Value AttentionTile::getFirstColumn(bool areNew) const {
  return areNew ? kernel.newBegin : index(0);
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

namespace {

class AttentionLoops {
public:
  AttentionLoops(CachedAttentionOp op, OpBuilder &b)
      : op(op), b(b), loc(op.getLoc()),
        kernel(op, qtarget::TargetAttr::lookup(op)) {}

  void emit();

private:
  Value index(int64_t v) { return arith::ConstantIndexOp::create(b, loc, v); }
  /// `size` up to a multiple of a block.
  Value toBlocks(Value size) {
    Value block = index(CachedAttentionOp::kBlock);
    Value blocks = arith::CeilDivUIOp::create(b, loc, size, block);
    return arith::MulIOp::create(b, loc, blocks, block);
  }
  void allocate(int64_t rows);
  void deallocate();
  void emitTile(Value head, Value token, Value group, int64_t rows);
  void emitToken(Value head, Value token);

  CachedAttentionOp op;
  OpBuilder &b;
  Location loc;
  AttentionKernel kernel;
  AttentionScratch scratch;
  Value columns;
};

} // namespace

void AttentionLoops::allocate(int64_t rows) {
  auto make = [&](ArrayRef<int64_t> shape, Type type,
                  ValueRange sizes = {}) -> Value {
    constexpr int64_t line = 64;
    return memref::AllocOp::create(b, loc, MemRefType::get(shape, type), sizes,
                                   b.getI64IntegerAttr(line));
  };
  Type f32 = b.getF32Type(), i8 = b.getI8Type();
  scratch.scores = make({rows, ShapedType::kDynamic}, f32, columns);
  scratch.weights = make({rows, CachedAttentionOp::kBlock}, i8);
  scratch.weightScale = make({rows}, f32);
  scratch.sums = make({rows, kernel.d}, f32);
  scratch.largest = make({rows}, f32);
  scratch.total = make({rows, CachedAttentionOp::kSumLanes}, f32);
  if (kernel.isInt4)
    scratch.halves = make({rows, 2, kernel.d / 2}, i8);
}

void AttentionLoops::deallocate() {
  for (Value memory :
       {scratch.scores, scratch.weights, scratch.weightScale, scratch.sums,
        scratch.largest, scratch.total, scratch.halves})
    if (memory)
      memref::DeallocOp::create(b, loc, memory);
}

void AttentionLoops::emitTile(Value head, Value token, Value group,
                              int64_t rows) {
  AttentionTile tile{{b, loc}, kernel, scratch, head, group, token, rows};
  tile.emitScores();
  tile.emitSums();
  tile.emitResult();
}

void AttentionLoops::emitToken(Value head, Value token) {
  constexpr int64_t most = AttentionKernel::kMaxRows;
  int64_t groups = op.getSize(1), rest = groups % most, whole = groups - rest;
  if (whole > 0) {
    auto loop = scf::ForOp::create(b, loc, index(0), index(whole), index(most));
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    emitTile(head, token, loop.getInductionVar(), most);
  }
  if (rest > 0)
    emitTile(head, token, index(whole), rest);
}

void AttentionLoops::emit() {
  kernel.past = memref::DimOp::create(b, loc, op.getPastKeys(), 2);
  Value tokens = memref::DimOp::create(b, loc, op.getQuery(), 2);
  kernel.newBegin = toBlocks(kernel.past);
  columns = arith::AddIOp::create(b, loc, kernel.newBegin, toBlocks(tokens));
  auto heads =
      scf::ForOp::create(b, loc, index(0), index(op.getSize(0)), index(1));
  // A head's products are of as many elements, times the tokens that it sees.
  constexpr int64_t someTokens = 256;
  markIndependent(heads, op.getSize(1) * kernel.d * someTokens);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(heads.getBody());
  allocate(std::min(op.getSize(1), AttentionKernel::kMaxRows));
  auto loop = scf::ForOp::create(b, loc, index(0), tokens, index(1));
  deallocate();
  b.setInsertionPointToStart(loop.getBody());
  emitToken(heads.getInductionVar(), loop.getInductionVar());
}

LogicalResult quantmlir::expandCachedAttention(RewriterBase &b,
                                               CachedAttentionOp op) {
  if (!isa<MemRefType>(op.getQuery().getType()))
    return op.emitError("expected memrefs, found tensors; bufferize first");
  accessContiguousRows(b, op);
  b.setInsertionPoint(op);
  AttentionLoops(op, b).emit();
  b.eraseOp(op);
  return success();
}
