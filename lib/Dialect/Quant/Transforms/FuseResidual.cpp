//===- FuseResidual.cpp - residual additions into quant.rescale -----------===//
//
// The rescale's result is rounded to f32 and the sum is rounded once more,
// before as after, and addition commutes: no bit changes here.
//
//===----------------------------------------------------------------------===//

#include "FuseResidual.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace quantmlir;

RescaleOp quantmlir::findRescale(Value value,
                                 SmallVectorImpl<Operation *> &path) {
  while (value.hasOneUse()) {
    Operation *producer = value.getDefiningOp();
    if (auto rescale = dyn_cast_or_null<RescaleOp>(producer))
      return rescale;
    if (!isa_and_nonnull<tensor::ExpandShapeOp, tensor::CollapseShapeOp,
                         tensor::CastOp>(producer))
      return {};
    path.push_back(producer);
    value = producer->getOperand(0);
  }
  return {};
}

/// Whether `op` is the sum of two tensors, element by element.
static bool isSum(linalg::LinalgOp op) {
  if (op.getNumDpsInputs() != 2 || op.getNumDpsInits() != 1 ||
      op.getNumParallelLoops() != op.getNumLoops() ||
      !op.hasPureTensorSemantics())
    return false;
  for (AffineMap map : op.getIndexingMapsArray())
    if (!map.isIdentity())
      return false;
  Block *body = op.getBlock();
  auto add =
      body->getTerminator()->getOperand(0).getDefiningOp<arith::AddFOp>();
  Value x = body->getArgument(0), y = body->getArgument(1);
  return add && ((add.getLhs() == x && add.getRhs() == y) ||
                 (add.getLhs() == y && add.getRhs() == x));
}

/// `value`, of the shape that `reshape` makes, in the shape that it has before.
static Value undo(PatternRewriter &rewriter, Operation *reshape, Value value) {
  Location loc = reshape->getLoc();
  Value source = reshape->getOperand(0);
  Type type =
      cast<RankedTensorType>(source.getType())
          .clone(cast<RankedTensorType>(value.getType()).getElementType());
  if (auto expand = dyn_cast<tensor::ExpandShapeOp>(reshape))
    return tensor::CollapseShapeOp::create(rewriter, loc, type, value,
                                           expand.getReassociationIndices());
  if (auto collapse = dyn_cast<tensor::CollapseShapeOp>(reshape))
    return tensor::ExpandShapeOp::create(
        rewriter, loc, type, value, collapse.getReassociationIndices(),
        tensor::getMixedSizes(rewriter, loc, source));
  return tensor::CastOp::create(rewriter, loc, type, value);
}

/// Makes `residual` part of the rescale that alone makes `value`, where the sum
/// `op` of the two stands.
static LogicalResult fuse(PatternRewriter &rewriter, Operation *op, Value value,
                          Value residual, function_ref<void()> count) {
  SmallVector<Operation *> path;
  RescaleOp rescale = findRescale(value, path);
  if (!rescale || !rescale.getResult().getType().getElementType().isF32() ||
      rescale->getBlock() != op->getBlock())
    return rewriter.notifyMatchFailure(
        op, "no operand is an f32 rescale of this op alone");
  if (rescale.getResidual() || rescale.getClampMin() || rescale.getClampMax())
    return rewriter.notifyMatchFailure(
        op, "the rescale ends with a residual or a clamp");
  if (value.getType() != residual.getType() ||
      value.getType() != op->getResult(0).getType())
    return rewriter.notifyMatchFailure(op, "the types of the operands differ");
  Value undone = residual;
  for (Operation *reshape : path)
    undone = undo(rewriter, reshape, undone);
  // Here, since the residual may be made after the rescale.
  auto fused = cast<RescaleOp>(rewriter.clone(*rescale));
  fused.getResidualMutable().assign(undone);
  IRMapping mapping;
  mapping.map(rescale.getResult(), fused.getResult());
  Value result = fused.getResult();
  for (Operation *reshape : llvm::reverse(path))
    result = rewriter.clone(*reshape, mapping)->getResult(0);
  rewriter.replaceOp(op, result);
  count();
  return success();
}

static LogicalResult fuseEither(PatternRewriter &rewriter, Operation *op,
                                function_ref<void()> count) {
  Value x = op->getOperand(0), y = op->getOperand(1);
  if (x == y)
    return rewriter.notifyMatchFailure(op, "a value is added to itself");
  if (succeeded(fuse(rewriter, op, x, y, count)))
    return success();
  return fuse(rewriter, op, y, x, count);
}

namespace {
struct FuseLinalgSum final : OpInterfaceRewritePattern<linalg::LinalgOp> {
  FuseLinalgSum(MLIRContext *context, function_ref<void()> count)
      : OpInterfaceRewritePattern(context), count(count) {}

  LogicalResult matchAndRewrite(linalg::LinalgOp op,
                                PatternRewriter &rewriter) const override {
    if (!isSum(op))
      return rewriter.notifyMatchFailure(op, "not a sum of two tensors");
    return fuseEither(rewriter, op, count);
  }

private:
  function_ref<void()> count;
};

struct FuseArithSum final : OpRewritePattern<arith::AddFOp> {
  FuseArithSum(MLIRContext *context, function_ref<void()> count)
      : OpRewritePattern(context), count(count) {}

  LogicalResult matchAndRewrite(arith::AddFOp op,
                                PatternRewriter &rewriter) const override {
    if (!isa<RankedTensorType>(op.getType()))
      return rewriter.notifyMatchFailure(op, "not a sum of two tensors");
    return fuseEither(rewriter, op, count);
  }

private:
  function_ref<void()> count;
};
} // namespace

void quantmlir::populateFuseResidualPatterns(RewritePatternSet &patterns,
                                             function_ref<void()> count) {
  patterns.add<FuseLinalgSum, FuseArithSum>(patterns.getContext(), count);
}
