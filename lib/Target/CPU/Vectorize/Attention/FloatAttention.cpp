//===- FloatAttention.cpp - attention over floats as vectors --------------===//

#include "FloatAttention.h"

#include "FloatAttentionTile.h"

#include "quant/Target/CPU/Kernel/ContiguousRows.h"
#include "quant/Target/CPU/Parallel/IndependentLoops.h"
#include "quant/Target/IR/MatmulKernelInterface.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace quantmlir;

FloatAttentionKernel::FloatAttentionKernel(FloatAttentionOp op,
                                           qtarget::TargetAttr target)
    : op(op), d(op.getSize(3)) {
  qtarget::VectorFile file = qtarget::getVectors(target);
  constexpr int64_t floatBits = 32;
  lanes = std::min(file.bits / floatBits, FloatAttentionOp::kSumLanes);
  for (valueLanes = lanes; d % valueLanes != 0;)
    valueLanes /= 2;
  // The others hold what is multiplied.
  accumulators = file.registers * 3 / 4;
  maxRows = file.registers / 4;
}

int64_t FloatAttentionKernel::getKeyVectors(int64_t rows) const {
  constexpr int64_t most = 8;
  return std::clamp<int64_t>(accumulators / rows, 1, most);
}

int64_t FloatAttentionKernel::getValueVectors(int64_t rows) const {
  int64_t all = d / valueLanes;
  int64_t vectors = std::min(getKeyVectors(rows), all);
  while (all % vectors != 0)
    --vectors;
  return vectors;
}

namespace {

class FloatAttentionLoops {
public:
  FloatAttentionLoops(FloatAttentionOp op, OpBuilder &b)
      : lane{b, op.getLoc()}, op(op),
        kernel(op, qtarget::TargetAttr::lookup(op)) {}

  void emit();

private:
  using Body = function_ref<void(Value)>;

  scf::ForOp forEach(Value begin, Value end, int64_t step, Body body);
  void emitTile(Value token, int64_t tokens, Value group, int64_t groups);
  void emitHead();

  LaneBuilder lane;
  FloatAttentionOp op;
  FloatAttentionKernel kernel;
  Value newTokens, columns, head;
  Value scores, largest, total;
};

} // namespace

scf::ForOp FloatAttentionLoops::forEach(Value begin, Value end, int64_t step,
                                        Body body) {
  OpBuilder &b = lane.b;
  auto loop = scf::ForOp::create(b, lane.loc, begin, end, lane.index(step));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  body(loop.getInductionVar());
  return loop;
}

void FloatAttentionLoops::emitTile(Value token, int64_t tokens, Value group,
                                   int64_t groups) {
  FloatAttentionTile tile{lane, kernel, scores, largest, total,
                          head, group,  token,  groups,  tokens};
  tile.emitScores();
  tile.emitWeights();
  tile.emitSums();
}

/// Tiles of as many tokens as fit, or, where heads of queries are too many, of
/// some of these.
void FloatAttentionLoops::emitHead() {
  int64_t groups = op.getSize(1), most = kernel.maxRows;
  if (groups <= most) {
    Value first = lane.index(0);
    int64_t tokens = most / groups;
    Value whole = lane.roundDown(newTokens, tokens);
    forEach(first, whole, tokens,
            [&](Value t) { emitTile(t, tokens, first, groups); });
    if (tokens > 1)
      forEach(whole, newTokens, 1,
              [&](Value t) { emitTile(t, 1, first, groups); });
    return;
  }
  forEach(lane.index(0), newTokens, 1, [&](Value t) {
    int64_t rest = groups % most, whole = groups - rest;
    forEach(lane.index(0), lane.index(whole), most,
            [&](Value g) { emitTile(t, 1, g, most); });
    if (rest > 0)
      emitTile(t, 1, lane.index(whole), rest);
  });
}

void FloatAttentionLoops::emit() {
  OpBuilder &b = lane.b;
  Location loc = lane.loc;
  constexpr int64_t unit = FloatAttentionOp::kSumLanes;
  kernel.past = memref::DimOp::create(b, loc, op.getPastKeys(), 2);
  newTokens = memref::DimOp::create(b, loc, op.getQuery(), 2);
  kernel.newBegin = lane.roundUp(kernel.past, unit);
  // Rows a power of two apart would meet in a few sets of the cache.
  columns = lane.plus(lane.plus(kernel.newBegin, lane.roundUp(newTokens, unit)),
                      unit);
  auto heads =
      forEach(lane.index(0), lane.index(op.getSize(0)), 1, [&](Value h) {
        head = h;
        auto make = [&](ArrayRef<int64_t> shape, ValueRange sizes) -> Value {
          constexpr int64_t line = 64;
          return memref::AllocOp::create(b, loc,
                                         MemRefType::get(shape, b.getF32Type()),
                                         sizes, b.getI64IntegerAttr(line));
        };
        int64_t rows = kernel.maxRows;
        scores = make({rows, ShapedType::kDynamic}, columns);
        largest = make({rows}, {});
        total = make({rows}, {});
        emitHead();
        for (Value memory : {scores, largest, total})
          memref::DeallocOp::create(b, loc, memory);
      });
  // A head's products are of as many elements, times the tokens that it sees.
  constexpr int64_t someTokens = 256;
  markIndependent(heads, op.getSize(1) * kernel.d * someTokens);
}

LogicalResult quantmlir::expandFloatAttention(RewriterBase &b,
                                              FloatAttentionOp op) {
  if (!isa<MemRefType>(op.getQuery().getType()))
    return op.emitError("expected memrefs, found tensors; bufferize first");
  accessContiguousRows(b, op);
  b.setInsertionPoint(op);
  FloatAttentionLoops(op, b).emit();
  b.eraseOp(op);
  return success();
}
