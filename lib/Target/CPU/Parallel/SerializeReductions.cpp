//===- SerializeReductions.cpp - no sum is divided over threads -----------===//
//
// What threads sum each for themselves rounds otherwise than the sum of one
// thread, and in the order that they come to an end. So a program's
// scf.parallel with a reduction stays on one thread. Upstream's
// parallelForToNestedFors takes loops without results only.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/PatternMatch.h"
#include "quant/Target/CPU/Passes.h"

namespace quantmlir {
#define GEN_PASS_DEF_QUANTSERIALIZEREDUCTIONSPASS
#include "quant/Target/CPU/Passes.h.inc"
} // namespace quantmlir

using namespace mlir;
using namespace quantmlir;

/// The body of one iteration; returns the sums so far, `sums`, with its own.
static scf::ValueVector cloneIteration(OpBuilder &b, scf::ParallelOp loop,
                                       ValueRange indices, ValueRange sums) {
  IRMapping mapping;
  mapping.map(loop.getInductionVars(), indices);
  for (Operation &op : loop.getBody()->without_terminator())
    b.clone(op, mapping);
  auto reduce = cast<scf::ReduceOp>(loop.getBody()->getTerminator());
  scf::ValueVector results;
  for (auto [region, operand, sum] :
       llvm::zip_equal(reduce.getReductions(), reduce.getOperands(), sums)) {
    Block &block = region.front();
    mapping.map(block.getArgument(0), sum);
    mapping.map(block.getArgument(1), mapping.lookupOrDefault(operand));
    for (Operation &op : block.without_terminator())
      b.clone(op, mapping);
    auto end = cast<scf::ReduceReturnOp>(block.getTerminator());
    results.push_back(mapping.lookupOrDefault(end.getResult()));
  }
  return results;
}

/// Rewrites `loop` to a nest of scf.for that carries its sums.
static void serialize(RewriterBase &b, scf::ParallelOp loop) {
  b.setInsertionPoint(loop);
  scf::LoopNest nest = scf::buildLoopNest(
      b, loop.getLoc(), loop.getLowerBound(), loop.getUpperBound(),
      loop.getStep(), loop.getInitVals(),
      [&](OpBuilder &body, Location, ValueRange indices, ValueRange sums) {
        return cloneIteration(body, loop, indices, sums);
      });
  b.replaceOp(loop, nest.results);
}

namespace {

struct QuantSerializeReductionsPass
    : quantmlir::impl::QuantSerializeReductionsPassBase<
          QuantSerializeReductionsPass> {
  using Base::Base;

  void runOnOperation() override {
    // Inner loops first: the outer one's body is copied.
    SmallVector<scf::ParallelOp> found;
    getOperation()->walk([&](scf::ParallelOp loop) {
      if (loop.getNumResults() != 0)
        found.push_back(loop);
    });
    IRRewriter rewriter(&getContext());
    for (scf::ParallelOp loop : found)
      serialize(rewriter, loop);
  }
};

} // namespace
