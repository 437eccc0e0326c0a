//===- ParallelizeLoops.cpp - marked loops over threads -------------------===//
//
// Who emits a loop knows whether its iterations depend on each other; finding
// out afterwards would need an analysis of memory. So emitters mark loops, and
// this pass takes the outermost marked ones that are large enough.
//
//===----------------------------------------------------------------------===//

#include "quant/Target/CPU/Parallel/IndependentLoops.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/PatternMatch.h"
#include "quant/Target/CPU/Passes.h"

namespace quantmlir {
#define GEN_PASS_DEF_QUANTPARALLELIZELOOPSPASS
#include "quant/Target/CPU/Passes.h.inc"
} // namespace quantmlir

using namespace mlir;
using namespace quantmlir;

/// Moves the body of `loop` to an scf.forall.
static void makeParallel(RewriterBase &b, scf::ForOp loop) {
  b.setInsertionPoint(loop);
  auto forall = scf::ForallOp::create(
      b, loop.getLoc(), ArrayRef<OpFoldResult>{loop.getLowerBound()},
      ArrayRef<OpFoldResult>{loop.getUpperBound()},
      ArrayRef<OpFoldResult>{loop.getStep()}, ValueRange(),
      /*mapping=*/std::nullopt);
  b.eraseOp(loop.getBody()->getTerminator());
  b.inlineBlockBefore(loop.getBody(), forall.getBody()->getTerminator(),
                      forall.getInductionVar(0));
  b.eraseOp(loop);
}

/// Where only the run knows the number of iterations, it decides.
static void makeParallelIfLong(RewriterBase &b, scf::ForOp loop,
                               int64_t leastTrips) {
  Location loc = loop.getLoc();
  b.setInsertionPoint(loop);
  Value length =
      arith::SubIOp::create(b, loc, loop.getUpperBound(), loop.getLowerBound());
  Value least =
      arith::MulIOp::create(b, loc, loop.getStep(),
                            arith::ConstantIndexOp::create(b, loc, leastTrips));
  Value pays =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sge, length, least);
  auto branch = scf::IfOp::create(b, loc, pays, /*withElseRegion=*/true);
  b.setInsertionPointToStart(branch.elseBlock());
  b.clone(*loop);
  b.moveOpBefore(loop, branch.thenBlock()->getTerminator());
  makeParallel(b, loop);
}

namespace {

struct QuantParallelizeLoopsPass
    : quantmlir::impl::QuantParallelizeLoopsPassBase<
          QuantParallelizeLoopsPass> {
  using Base::Base;

  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    SmallVector<scf::ForOp> found;
    getOperation()->walk<WalkOrder::PreOrder>([&](Operation *op) {
      if (isa<scf::ForallOp>(op))
        return WalkResult::skip();
      auto loop = dyn_cast<scf::ForOp>(op);
      if (!loop || threads < 2 || !mayDivide(loop))
        return WalkResult::advance();
      found.push_back(loop);
      return WalkResult::skip();
    });
    for (scf::ForOp loop : found)
      divide(rewriter, loop);
    getOperation()->walk(
        [](scf::ForOp loop) { loop->removeAttr(kIndependentAttr); });
  }

private:
  /// At least two iterations, and enough to do in all, as far as is known.
  bool mayDivide(scf::ForOp loop) {
    auto elements = loop->getAttrOfType<IntegerAttr>(kIndependentAttr);
    if (!elements || loop.getNumResults() != 0)
      return false;
    std::optional<int64_t> trips = getTrips(loop);
    return !trips || (*trips > 1 && *trips >= getLeastTrips(loop));
  }

  void divide(RewriterBase &b, scf::ForOp loop) {
    ++numDivided;
    if (getTrips(loop))
      makeParallel(b, loop);
    else
      makeParallelIfLong(b, loop, getLeastTrips(loop));
  }

  static std::optional<int64_t> getTrips(scf::ForOp loop) {
    std::optional<int64_t> begin = getConstantIntValue(loop.getLowerBound());
    std::optional<int64_t> end = getConstantIntValue(loop.getUpperBound());
    std::optional<int64_t> step = getConstantIntValue(loop.getStep());
    if (!begin || !end || !step || *step <= 0)
      return std::nullopt;
    return std::max<int64_t>(0, (*end - *begin + *step - 1) / *step);
  }

  int64_t getLeastTrips(scf::ForOp loop) {
    int64_t elements =
        loop->getAttrOfType<IntegerAttr>(kIndependentAttr).getInt();
    return std::max<int64_t>(2, minElements / std::max<int64_t>(elements, 1));
  }
};

} // namespace
