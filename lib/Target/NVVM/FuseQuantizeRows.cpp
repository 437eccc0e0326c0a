//===- FuseQuantizeRows.cpp - activations quantized on the GPU ------------===//
//
// A row's scale, its integers and their packed form come of one kernel that
// reads the row once, instead of three loops of the host.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "quant/Dialect/Quant/IR/QuantizeRows.h"
#include "quant/Dialect/Quant/Utils/GenericBuilder.h"
#include "quant/Target/NVVM/Passes.h"

namespace quantmlir {
#define GEN_PASS_DEF_QUANTFUSEQUANTIZEROWSPASS
#include "quant/Target/NVVM/Passes.h.inc"
} // namespace quantmlir

using namespace mlir;
using namespace quantmlir;

/// Whether `user` alone reads the elements of `quantize`; others may ask for
/// its sizes.
static bool isOnlyUse(Operation *user, QuantizeOp quantize) {
  return llvm::all_of(quantize->getUsers(), [&](Operation *other) {
    return other == user || isa<tensor::DimOp>(other);
  });
}

/// Asks for sizes of the input, which has the same, instead.
static void useDimsOfInput(RewriterBase &b, QuantizeOp quantize) {
  b.replaceUsesWithIf(
      quantize.getResult(), quantize.getInput(),
      [](OpOperand &use) { return isa<tensor::DimOp>(use.getOwner()); });
}

namespace {

/// collapse_shape(quantize(x, s)) with s = choose_qparams(x), a scale for each
/// row of several leading dimensions: rows are collapsed first.
struct CollapseRowsFirst : OpRewritePattern<tensor::CollapseShapeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(tensor::CollapseShapeOp op,
                                PatternRewriter &b) const override {
    auto quantize = op.getSrc().getDefiningOp<QuantizeOp>();
    if (!quantize || !isOnlyUse(op, quantize))
      return b.notifyMatchFailure(op, "not of a quantize's only use");
    auto choose = quantize.getScale().getDefiningOp<ChooseQParamsOp>();
    if (!choose || choose.getInput() != quantize.getInput() ||
        choose.getZeroPoint() || quantize.getZeroPoint())
      return b.notifyMatchFailure(op, "the scale is not chosen from the rows");
    auto groups = op.getReassociationIndices();
    int64_t rank = op.getSrcType().getRank();
    if (groups.size() != 2 || groups[1].size() != 1 ||
        choose.getAxes() != ArrayRef<int64_t>(allDims(rank - 1)) ||
        quantize.getAxes() != choose.getAxes())
      return b.notifyMatchFailure(op, "not rows that have a scale each");
    useDimsOfInput(b, quantize);
    b.setInsertionPoint(choose);
    Location loc = choose.getLoc();
    Value rows =
        tensor::CollapseShapeOp::create(b, loc, choose.getInput(), groups);
    auto scales = RankedTensorType::get({op.getResultType().getDimSize(0)},
                                        b.getF32Type());
    Value scale =
        ChooseQParamsOp::create(b, loc, scales, Type(), rows,
                                ArrayRef<int64_t>{0}, choose.getRange())
            .getScale();
    SmallVector<OpFoldResult> sizes =
        tensor::getMixedSizes(b, loc, choose.getInput());
    sizes.pop_back();
    Value expanded = tensor::ExpandShapeOp::create(
        b, loc, choose.getScale().getType(), scale,
        SmallVector<ReassociationIndices>{groups[0]}, sizes);
    b.setInsertionPoint(op);
    b.replaceOpWithNewOp<QuantizeOp>(
        op, op.getResultType(), rows, scale, Value(), ArrayRef<int64_t>{0},
        quantize.getRange(), quantize.getIsUnsigned());
    b.eraseOp(quantize);
    b.replaceOp(choose, expanded);
    return success();
  }
};

/// pack(quantize(x, s)) with s = choose_qparams(x) by rows.
struct FuseQuantizeRows : OpRewritePattern<linalg::PackOp> {
  FuseQuantizeRows(MLIRContext *ctx, Pass::Statistic &numFused)
      : OpRewritePattern(ctx), numFused(numFused) {}

  LogicalResult matchAndRewrite(linalg::PackOp op,
                                PatternRewriter &b) const override {
    auto quantize = op.getSource().getDefiningOp<QuantizeOp>();
    if (!quantize || !isOnlyUse(op, quantize))
      return b.notifyMatchFailure(op, "not of a quantize's only use");
    auto choose = quantize.getScale().getDefiningOp<ChooseQParamsOp>();
    if (!choose || choose.getInput() != quantize.getInput() ||
        choose.getAxes() != quantize.getAxes() ||
        choose.getRange() != quantize.getRange())
      return b.notifyMatchFailure(op, "the scale is not chosen from the rows");
    if (choose.getZeroPoint() || quantize.getZeroPoint() ||
        quantize.getIsUnsigned() || choose.getAxes() != ArrayRef<int64_t>{0})
      return b.notifyMatchFailure(op, "not symmetric, one scale a row");
    RankedTensorType packed = cast<RankedTensorType>(op.getDestType());
    RankedTensorType input = quantize.getInput().getType();
    if (!packed.getElementType().isInteger(8) || input.getRank() != 2 ||
        input.isDynamicDim(1) || packed.getRank() != 4 ||
        packed.getDimSize(2) != 1 || !op.getOuterDimsPerm().empty() ||
        op.getInnerDimsPos() != ArrayRef<int64_t>{0, 1})
      return b.notifyMatchFailure(op, "not rows of i8 in tiles of one row");
    if (Value padding = op.getPaddingValue();
        padding && !matchPattern(padding, m_Zero()))
      return b.notifyMatchFailure(op, "padded with something else than 0");
    useDimsOfInput(b, quantize);
    // Where the scale is chosen: its other uses follow.
    b.setInsertionPoint(choose);
    Location loc = quantize.getLoc();
    Value rows = emptyLike(b, loc, packed, choose.getInput());
    Value scales =
        emptyLike(b, loc, choose.getScale().getType(), choose.getInput());
    auto fused = QuantizeRowsOp::create(
        b, loc, TypeRange{packed, scales.getType()}, choose.getInput(), rows,
        scales, choose.getRange());
    b.replaceOp(op, fused.getResult(0));
    b.eraseOp(quantize);
    b.replaceOp(choose, fused.getResult(1));
    ++numFused;
    return success();
  }

private:
  Pass::Statistic &numFused;
};

struct QuantFuseQuantizeRowsPass
    : quantmlir::impl::QuantFuseQuantizeRowsPassBase<
          QuantFuseQuantizeRowsPass> {
  using Base::Base;

  void runOnOperation() override {
    MLIRContext *ctx = &getContext();
    RewritePatternSet patterns(ctx);
    patterns.add<CollapseRowsFirst>(ctx);
    patterns.add<FuseQuantizeRows>(ctx, numFused);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
