//===- FuseQuantizeRows.cpp - activations quantized row by row ------------===//
//
// A row's scale, its integers and, on a GPU, their packed form come of one loop
// that reads the row from memory once.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "quant/Dialect/Quant/IR/QuantizeBlocks.h"
#include "quant/Dialect/Quant/IR/QuantizeRows.h"
#include "quant/Dialect/Quant/Transforms/Passes.h"
#include "quant/Dialect/Quant/Utils/Constants.h"
#include "quant/Dialect/Quant/Utils/GenericBuilder.h"

namespace quantmlir {
#define GEN_PASS_DEF_QUANTFUSEQUANTIZEROWSPASS
#include "quant/Dialect/Quant/Transforms/Passes.h.inc"
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

/// Asks for sizes of `other`, which has the same, instead.
static void useDimsOf(RewriterBase &b, Value value, Value other) {
  b.replaceUsesWithIf(value, other, [](OpOperand &use) {
    return isa<tensor::DimOp>(use.getOwner());
  });
}

static void useDimsOfInput(RewriterBase &b, QuantizeOp quantize) {
  useDimsOf(b, quantize.getResult(), quantize.getInput());
}

/// Whether all elements are known to be `expected`.
static bool isFilledWith(Value value, int64_t expected) {
  if (!value)
    return false;
  if (auto collapse = value.getDefiningOp<tensor::CollapseShapeOp>())
    return isFilledWith(collapse.getSrc(), expected);
  if (auto fill = value.getDefiningOp<linalg::FillOp>())
    return getConstantIntValue(fill.getInputs()[0]) == expected;
  std::optional<SmallVector<int64_t>> values = getConstantInts(value);
  return values && llvm::all_of(*values, [&](int64_t element) {
           return element == expected;
         });
}

/// quantize_rows where `choose` stands, into `packed`; takes its place.
static QuantizeRowsOp fuse(RewriterBase &b, ChooseQParamsOp choose,
                           QuantizeOp quantize, RankedTensorType packed) {
  useDimsOfInput(b, quantize);
  // Other uses of the scale follow.
  b.setInsertionPoint(choose);
  Location loc = quantize.getLoc();
  Value rows = emptyLike(b, loc, packed, choose.getInput());
  Value scales =
      emptyLike(b, loc, choose.getScale().getType(), choose.getInput());
  Value input = choose.getInput();
  IntegerAttr size, seed;
  // Only plain rows: who packs them knows no rotation.
  auto rotate = input.getDefiningOp<RotateOp>();
  if (rotate && packed.getRank() == 2) {
    input = rotate.getInput();
    size = rotate.getSizeAttr();
    if (rotate.getSeed())
      seed = rotate.getSeedAttr();
  }
  auto fused = QuantizeRowsOp::create(
      b, loc, TypeRange{packed, scales.getType()}, input, rows, scales,
      choose.getRangeAttr(), quantize.getIsUnsignedAttr(), size, seed);
  b.replaceOp(choose, ValueRange{fused.getResult(1)});
  return fused;
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
        choose.getZeroPoint())
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
    Value zeroPoint = quantize.getZeroPoint();
    if (zeroPoint)
      zeroPoint = tensor::CollapseShapeOp::create(
          b, loc, zeroPoint, SmallVector<ReassociationIndices>{groups[0]});
    b.replaceOpWithNewOp<QuantizeOp>(
        op, op.getResultType(), rows, scale, zeroPoint, ArrayRef<int64_t>{0},
        quantize.getRange(), quantize.getIsUnsigned());
    b.eraseOp(quantize);
    b.replaceOp(choose, expanded);
    return success();
  }
};

/// pack(quantize(x, s)) with s = choose_qparams(x) by rows.
struct FusePackedRows : OpRewritePattern<linalg::PackOp> {
  FusePackedRows(MLIRContext *ctx, Pass::Statistic &numFused)
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
    b.replaceOp(op, fuse(b, choose, quantize, packed).getResult(0));
    b.eraseOp(quantize);
    ++numFused;
    return success();
  }

private:
  Pass::Statistic &numFused;
};

/// quantize(x, s) with s = choose_qparams(x) by rows.
struct FusePlainRows : OpRewritePattern<QuantizeOp> {
  FusePlainRows(MLIRContext *ctx, Pass::Statistic &numFused)
      : OpRewritePattern(ctx), numFused(numFused) {}

  LogicalResult matchAndRewrite(QuantizeOp op,
                                PatternRewriter &b) const override {
    auto choose = op.getScale().getDefiningOp<ChooseQParamsOp>();
    if (!choose || choose.getInput() != op.getInput() ||
        choose.getAxes() != op.getAxes() || choose.getZeroPoint() ||
        choose.getAxes() != ArrayRef<int64_t>{0})
      return b.notifyMatchFailure(op, "the scale is not chosen from the rows");
    if (!isRangeOf(op, choose.getRange()))
      return b.notifyMatchFailure(op, "not symmetric, or in another range");
    RankedTensorType input = op.getInput().getType();
    if (!op.getType().getElementType().isInteger(8) || input.getRank() != 2 ||
        input.isDynamicDim(1))
      return b.notifyMatchFailure(op, "not rows of i8 of a known length");
    b.replaceOp(op, fuse(b, choose, op, op.getType()).getResult(0));
    ++numFused;
    return success();
  }

private:
  /// Whether `op` quantizes to `range`, as signed integers or, moved by 128, as
  /// unsigned ones; and by its scale nothing exceeds the range.
  static bool isRangeOf(QuantizeOp op, ArrayRef<int64_t> range) {
    constexpr int64_t shift = 128;
    if (range[0] > -range[1])
      return false;
    if (!op.getIsUnsigned())
      return !op.getZeroPoint() && op.getRange() == range;
    return isFilledWith(op.getZeroPoint(), shift) &&
           op.getRange()[0] == range[0] + shift &&
           op.getRange()[1] == range[1] + shift;
  }

  Pass::Statistic &numFused;
};

/// quantize(rotate(x), s), with one constant scale and zero point.
struct FuseStaticRotation : OpRewritePattern<QuantizeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(QuantizeOp op,
                                PatternRewriter &b) const override {
    auto rotate = op.getInput().getDefiningOp<RotateOp>();
    if (!rotate || !op.getType().getElementType().isInteger(8))
      return b.notifyMatchFailure(op, "not rotated, or not to i8");
    std::optional<SmallVector<float>> scale = getConstantFloats(op.getScale());
    std::optional<SmallVector<int64_t>> zeroPoint = SmallVector<int64_t>{0};
    if (op.getZeroPoint())
      zeroPoint = getConstantInts(op.getZeroPoint());
    if (!op.getAxes().empty() || !scale || !zeroPoint)
      return b.notifyMatchFailure(op, "not by one constant scale");
    Value empty = emptyLike(b, op.getLoc(), op.getType(), rotate.getInput());
    auto rotated =
        RotateRowsOp::create(b, op.getLoc(), op.getType(), rotate.getInput(),
                             empty, rotate.getSizeAttr(), rotate.getSeedAttr(),
                             b.getF32FloatAttr(scale->front()),
                             b.getI64IntegerAttr(zeroPoint->front()),
                             op.getRangeAttr(), op.getIsUnsignedAttr());
    b.replaceOp(op, rotated.getResults());
    return success();
  }
};

/// quantize_blocks(rotate(x)), where rotated blocks are whole blocks or parts
/// of one.
struct FuseBlockRotation : OpRewritePattern<QuantizeBlocksOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(QuantizeBlocksOp op,
                                PatternRewriter &b) const override {
    auto collapse = op.getInput().getDefiningOp<tensor::CollapseShapeOp>();
    Value rotated = collapse ? collapse.getSrc() : op.getInput();
    auto rotate = rotated.getDefiningOp<RotateOp>();
    if (!rotate || op.getRotation())
      return b.notifyMatchFailure(op, "not rotated");
    if (collapse && collapse.getReassociationIndices().back().size() != 1)
      return b.notifyMatchFailure(op, "rows are not those that are rotated");
    if (!QuantizeBlocksOp::canRotate(op.getK(), op.getBlock(),
                                     rotate.getSize()))
      return b.notifyMatchFailure(op, "blocks cut those that are rotated");
    Value rows = rotate.getInput();
    useDimsOf(b, rotated, rows);
    if (collapse) {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPoint(collapse);
      rows = tensor::CollapseShapeOp::create(
          b, collapse.getLoc(), rows, collapse.getReassociationIndices());
      useDimsOf(b, collapse.getResult(), rows);
    }
    b.modifyOpInPlace(op, [&] {
      op.getInputMutable().assign(rows);
      op.setRotationAttr(rotate.getSizeAttr());
      if (rotate.getSeed())
        op.setRotationSeedAttr(rotate.getSeedAttr());
    });
    return success();
  }
};

/// What nothing took over, by rows.
static void rotateByRows(RewriterBase &b, RotateOp op) {
  b.setInsertionPoint(op);
  Value empty = emptyLike(b, op.getLoc(), op.getType(), op.getInput());
  auto rotated = RotateRowsOp::create(
      b, op.getLoc(), op.getType(), op.getInput(), empty, op.getSizeAttr(),
      op.getSeedAttr(), FloatAttr(), b.getI64IntegerAttr(0),
      DenseI64ArrayAttr(), UnitAttr());
  b.replaceOp(op, rotated.getResults());
}

struct QuantFuseQuantizeRowsPass
    : quantmlir::impl::QuantFuseQuantizeRowsPassBase<
          QuantFuseQuantizeRowsPass> {
  using Base::Base;

  void runOnOperation() override {
    MLIRContext *ctx = &getContext();
    RewritePatternSet patterns(ctx);
    patterns.add<CollapseRowsFirst>(ctx);
    if (plain)
      patterns.add<FusePlainRows>(ctx, numFused)
          .add<FuseStaticRotation, FuseBlockRotation>(ctx);
    else
      patterns.add<FusePackedRows>(ctx, numFused);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      return signalPassFailure();
    if (!plain)
      return;
    IRRewriter rewriter(ctx);
    SmallVector<RotateOp> left;
    getOperation()->walk([&](RotateOp op) { left.push_back(op); });
    for (RotateOp op : left)
      rotateByRows(rewriter, op);
  }
};

} // namespace
