//===- OrderContractionLoops.cpp - the loop order of float products -------===//
//
// A product of matrices becomes loops in the order of its indexing maps, with
// the sum innermost: a chain of dependent additions, one element at a time,
// that no compiler may vectorize without changing the sum. With a parallel
// loop innermost, over which every operand is contiguous, the additions of one
// element keep their order and neighbouring elements fill a vector.
//
//===----------------------------------------------------------------------===//

#include "quant/Conversion/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"

namespace quantmlir {
#define GEN_PASS_DEF_QUANTORDERCONTRACTIONLOOPSPASS
#include "quant/Conversion/Passes.h.inc"
} // namespace quantmlir

using namespace mlir;
using namespace quantmlir;

/// The loop that may become the innermost one: the result's last dimension, if
/// it is parallel and the last dimension of every operand that depends on it.
static std::optional<unsigned> findContiguousLoop(linalg::LinalgOp op) {
  if (op.getNumDpsInits() != 1 || op.getNumReductionLoops() == 0 ||
      op.getNumDpsInputs() < 2 || !op.hasPureBufferSemantics())
    return std::nullopt;
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  if (!llvm::all_of(maps,
                    [](AffineMap map) { return map.isProjectedPermutation(); }))
    return std::nullopt;
  AffineMap result = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  if (result.getNumResults() == 0)
    return std::nullopt;
  unsigned loop = result.getDimPosition(result.getNumResults() - 1);
  for (AffineMap map : maps)
    if (map.isFunctionOfDim(loop) &&
        map.getDimPosition(map.getNumResults() - 1) != loop)
      return std::nullopt;
  return loop;
}

/// Parallel loops, then the sums' loops, then `innermost`; each group in the
/// order in which it was, so that every sum keeps its order.
static SmallVector<unsigned> orderLoops(linalg::LinalgOp op,
                                        unsigned innermost) {
  SmallVector<unsigned> order, sums;
  for (auto [loop, type] : llvm::enumerate(op.getIteratorTypesArray())) {
    if (loop == innermost)
      continue;
    (type == utils::IteratorType::reduction ? sums : order).push_back(loop);
  }
  llvm::append_range(order, sums);
  order.push_back(innermost);
  return order;
}

namespace {
struct QuantOrderContractionLoopsPass
    : quantmlir::impl::QuantOrderContractionLoopsPassBase<
          QuantOrderContractionLoopsPass> {
  using Base::Base;

  void runOnOperation() override {
    SmallVector<linalg::LinalgOp> ops;
    getOperation()->walk([&](linalg::LinalgOp op) { ops.push_back(op); });
    IRRewriter rewriter(&getContext());
    for (linalg::LinalgOp op : ops) {
      std::optional<unsigned> innermost = findContiguousLoop(op);
      if (!innermost)
        continue;
      SmallVector<unsigned> order = orderLoops(op, *innermost);
      if (llvm::is_sorted(order))
        continue;
      rewriter.setInsertionPoint(op);
      auto generic = dyn_cast<linalg::GenericOp>(op.getOperation());
      if (!generic) {
        FailureOr<linalg::GenericOp> made =
            linalg::generalizeNamedOp(rewriter, op);
        if (failed(made))
          continue;
        generic = *made;
      }
      if (succeeded(linalg::interchangeGenericOp(rewriter, generic, order)))
        ++numOrdered;
    }
  }
};
} // namespace
