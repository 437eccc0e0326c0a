//===- FoldConstantTransposes.cpp - constants moved once ------------------===//
//
// A product that stays in float reads its weight through the transpose that the
// exporter wrote. As an op that would move the weight in every call, which
// takes longer than multiplying some rows by it.
//
//===----------------------------------------------------------------------===//

#include "quant/Import/Contraction/ConstantLayout.h"
#include "quant/Import/Contraction/ContractionMatcher.h"
#include "quant/Import/Passes.h"

#include "quant/Dialect/Quant/Utils/ConstantData.h"
#include "quant/Dialect/Quant/Utils/GenericBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/LinalgInterfaces.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

namespace quantmlir {
#define GEN_PASS_DEF_QUANTFOLDCONSTANTTRANSPOSESPASS
#include "quant/Import/Passes.h.inc"
} // namespace quantmlir

using namespace mlir;
using namespace quantmlir;

/// Dimensions of `source` in the order of those of `type`, which its loops
/// number, and then those of size 1 that `type` has not; none where elements
/// are repeated or left out.
static FailureOr<SmallVector<int64_t>> getOrder(const LoopTensor &source,
                                                RankedTensorType type) {
  SmallVector<int64_t> order;
  for (int64_t dim : allDims(type.getRank())) {
    auto found = llvm::find(source.loops, dim);
    if (found != source.loops.end())
      order.push_back(found - source.loops.begin());
    else if (type.getDimSize(dim) != 1)
      return failure();
  }
  for (auto [dim, loop] : llvm::enumerate(source.loops))
    if (loop == kUnitDim)
      order.push_back(dim);
  if (order.size() != source.loops.size())
    return failure();
  return order;
}

namespace {

struct FoldConstantTranspose : OpInterfaceRewritePattern<linalg::LinalgOp> {
  explicit FoldConstantTranspose(MLIRContext *ctx, Pass::Statistic &numFolded)
      : OpInterfaceRewritePattern(ctx), numFolded(numFolded) {}

  LogicalResult matchAndRewrite(linalg::LinalgOp op,
                                PatternRewriter &b) const override {
    if (op->getNumResults() != 1)
      return b.notifyMatchFailure(op, "expected one result");
    auto type = cast<RankedTensorType>(op->getResultTypes().front());
    if (!type.hasStaticShape() || !countBytes(type))
      return b.notifyMatchFailure(op, "sizes are dynamic, or not counted");
    LoopTensor source =
        traceMovement({op->getResult(0), allDims(type.getRank())});
    if (source.value == op->getResult(0))
      return b.notifyMatchFailure(op, "does more than moving data");
    auto sourceType = dyn_cast<RankedTensorType>(source.value.getType());
    if (!sourceType || sourceType.getElementType() != type.getElementType())
      return b.notifyMatchFailure(op, "widens elements");
    FailureOr<SmallVector<int64_t>> order = getOrder(source, type);
    if (failed(order))
      return b.notifyMatchFailure(op, "repeats elements");
    Location loc = op.getLoc();
    Value moved = transposeConstant(b, loc, source.value, *order);
    if (!moved)
      return b.notifyMatchFailure(op, "moves no constant whose data is here");
    b.replaceOp(op, reshapeConstant(b, loc, moved, type));
    ++numFolded;
    return success();
  }

private:
  Pass::Statistic &numFolded;
};

struct QuantFoldConstantTransposesPass
    : quantmlir::impl::QuantFoldConstantTransposesPassBase<
          QuantFoldConstantTransposesPass> {
  using Base::Base;

  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<FoldConstantTranspose>(&getContext(), numFolded);
    walkAndApplyPatterns(getOperation(), std::move(patterns));
  }
};

} // namespace
