//===- FuseEpilogue.cpp - take what follows into quant.rescale ------------===//
//
// A ReLU between a rescale and the next quantize is a clamp of the rescale:
// linalg.generic's of the forms that exporters write become `clamp_min` and
// `clamp_max`. The rescale then stands next to the quantize, whose
// canonicalization makes one integer rescale of the two: nothing of float type
// is left between two quantized matmuls.
//
// clamp_min and clamp_max mean arith.maximumf and arith.minimumf, so that no
// bit changes here.
//
//===----------------------------------------------------------------------===//

#include "quant/Dialect/Quant/Transforms/Passes.h"

#include "FuseResidual.h"

#include "quant/Dialect/Quant/IR/QuantOps.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace quantmlir {
#define GEN_PASS_DEF_QUANTFUSEEPILOGUEPASS
#include "quant/Dialect/Quant/Transforms/Passes.h.inc"
} // namespace quantmlir

using namespace mlir;
using namespace quantmlir;

namespace {
/// max(x, min), then min(x, max), where they are given.
struct Clamp {
  std::optional<APFloat> min, max;

  void applyMax(const APFloat &bound) {
    if (min)
      min = maximum(*min, bound);
    else
      min = bound;
    if (max)
      max = maximum(*max, bound);
  }
  void applyMin(const APFloat &bound) {
    max = max ? minimum(*max, bound) : bound;
    if (min)
      min = minimum(*min, bound);
  }
};
} // namespace

/// A number that `value` is, for every element: an f32 constant, not NaN.
static std::optional<APFloat> getBound(Value value) {
  APFloat bound(0.0f);
  if (!matchPattern(value, m_ConstantFloat(&bound)) || bound.isNaN() ||
      &bound.getSemantics() != &APFloat::IEEEsingle())
    return std::nullopt;
  return bound;
}

/// Applies `op` to a `clamp` of `x`, if it is max(x, c) or min(x, c): as one
/// op, or as a comparison and a select. NaN stays NaN in all of them.
static bool applyClampOp(Operation *op, Value x, Clamp &clamp) {
  Value bound;
  bool isMax = false;
  if (isa<arith::MaximumFOp, arith::MinimumFOp>(op)) {
    isMax = isa<arith::MaximumFOp>(op);
    bound = op->getOperand(0) == x ? op->getOperand(1) : op->getOperand(0);
    if (op->getOperand(0) != x && op->getOperand(1) != x)
      return false;
  } else if (auto select = dyn_cast<arith::SelectOp>(op)) {
    auto compare = select.getCondition().getDefiningOp<arith::CmpFOp>();
    if (!compare || select.getTrueValue() != x || compare.getLhs() != x ||
        compare.getRhs() != select.getFalseValue())
      return false;
    // The unordered predicates hold for NaN, which then passes. At equality
    // the two differ by the sign of a zero at most, which `x > c ? x : c`
    // takes from the constant.
    switch (compare.getPredicate()) {
    case arith::CmpFPredicate::UGT:
      isMax = true;
      break;
    case arith::CmpFPredicate::ULT:
      break;
    default:
      return false;
    }
    bound = select.getFalseValue();
  } else {
    return false;
  }
  std::optional<APFloat> number = getBound(bound);
  if (!number)
    return false;
  // Only +0 as a lower and -0 as an upper bound mean the same to both forms.
  if (isa<arith::SelectOp>(op) && number->isZero() &&
      number->isNegative() == isMax)
    return false;
  if (isMax)
    clamp.applyMax(*number);
  else
    clamp.applyMin(*number);
  return true;
}

/// What the body of `generic` does to its input, if it is only clamps.
static std::optional<Clamp> matchClampBody(linalg::GenericOp generic) {
  Block *body = generic.getBody();
  Value x = body->getArgument(0);
  Clamp clamp;
  for (Operation &op : body->without_terminator()) {
    // A comparison is looked at with the select that uses it.
    if (isa<arith::CmpFOp>(op) && op.getResult(0).hasOneUse() &&
        isa<arith::SelectOp>(*op.getResult(0).getUsers().begin()))
      continue;
    if (op.getNumResults() != 1 || !applyClampOp(&op, x, clamp))
      return std::nullopt;
    x = op.getResult(0);
  }
  if (body->getTerminator()->getOperand(0) != x)
    return std::nullopt;
  return clamp;
}

namespace {
struct FuseClamp final : OpRewritePattern<linalg::GenericOp> {
  FuseClamp(MLIRContext *context, llvm::function_ref<void()> count)
      : OpRewritePattern(context), count(count) {}

  LogicalResult matchAndRewrite(linalg::GenericOp op,
                                PatternRewriter &rewriter) const override {
    if (op.getNumDpsInputs() != 1 || op.getNumResults() != 1 ||
        op.getNumParallelLoops() != op.getNumLoops() ||
        op.getInputs()[0].getType() != op.getResult(0).getType())
      return rewriter.notifyMatchFailure(op, "not a map of one tensor");
    SmallVector<AffineMap> maps = op.getIndexingMapsArray();
    if (maps[0] != maps[1] || !maps[0].isPermutation())
      return rewriter.notifyMatchFailure(op, "elements change their place");
    SmallVector<Operation *> path;
    RescaleOp rescale = findRescale(op.getInputs()[0], path);
    if (!rescale || !rescale.getResult().getType().getElementType().isF32())
      return rewriter.notifyMatchFailure(
          op, "the input is not an f32 rescale of this op alone");
    std::optional<Clamp> body = matchClampBody(op);
    if (!body)
      return rewriter.notifyMatchFailure(op, "the body is not a clamp");

    Clamp clamp{rescale.getClampMin(), rescale.getClampMax()};
    if (body->min)
      clamp.applyMax(*body->min);
    if (body->max)
      clamp.applyMin(*body->max);
    rewriter.modifyOpInPlace(rescale, [&] {
      auto attr = [&](const std::optional<APFloat> &bound) {
        return bound ? rewriter.getFloatAttr(rewriter.getF32Type(), *bound)
                     : FloatAttr();
      };
      rescale.setClampMinAttr(attr(clamp.min));
      rescale.setClampMaxAttr(attr(clamp.max));
    });
    rewriter.replaceOp(op, op.getInputs()[0]);
    count();
    return success();
  }

private:
  llvm::function_ref<void()> count;
};

struct QuantFuseEpiloguePass final
    : quantmlir::impl::QuantFuseEpiloguePassBase<QuantFuseEpiloguePass> {
  using Base::Base;

  void runOnOperation() override {
    auto count = [this] { ++numFusedClamps; };
    auto countResidual = [this] { ++numFusedResiduals; };
    RewritePatternSet patterns(&getContext());
    patterns.add<FuseClamp>(&getContext(), count);
    populateFuseResidualPatterns(patterns, countResidual);
    tensor::CollapseShapeOp::getCanonicalizationPatterns(patterns,
                                                         &getContext());
    RescaleOp::getCanonicalizationPatterns(patterns, &getContext());
    QuantizeOp::getCanonicalizationPatterns(patterns, &getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
