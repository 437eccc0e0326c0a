//===- ConvertElementwise.cpp - arith and math on tensors -----------------===//

#include "quant/Import/Linalg/ConvertElementwise.h"

#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

using namespace mlir;

namespace {
/// `linalg.softmax` is neither a loop nor lowered to one by upstream's passes.
struct DecomposeSoftmax final : OpRewritePattern<linalg::SoftmaxOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(linalg::SoftmaxOp op,
                                PatternRewriter &rewriter) const override {
    if (!op.hasPureTensorSemantics() ||
        !isa<FloatType>(op.getInputOperandType().getElementType()))
      return rewriter.notifyMatchFailure(op, "expected tensors of floats");
    // Upstream's parts are of valid types only where the two are the same.
    auto input = cast<RankedTensorType>(op.getInputOperandType());
    auto output = cast<RankedTensorType>(op.getOutputOperandType());
    if (input != output) {
      if (!tensor::CastOp::areCastCompatible(input, output))
        return rewriter.notifyMatchFailure(
            op, "expected an input and an output of the same elements");
      Value cast =
          tensor::CastOp::create(rewriter, op.getLoc(), output, op.getInput());
      rewriter.modifyOpInPlace(op, [&] { op.getInputMutable().assign(cast); });
    }
    FailureOr<SmallVector<Value>> parts = op.decomposeOperation(rewriter);
    if (failed(parts))
      return rewriter.notifyMatchFailure(op, "upstream has no parts of it");
    rewriter.replaceOp(op, *parts);
    return success();
  }
};
} // namespace

void quantmlir::convertElementwise(Operation *root) {
  // arith.scaling_extf and scaling_truncf as what they are defined by, which is
  // read like any other arithmetic.
  RewritePatternSet scaling(root->getContext());
  arith::populateExpandScalingExtTruncPatterns(scaling);
  scaling.add<DecomposeSoftmax>(root->getContext());
  walkAndApplyPatterns(root, std::move(scaling));
  RewritePatternSet patterns(root->getContext());
  linalg::populateElementwiseToLinalgConversionPatterns(patterns);
  walkAndApplyPatterns(root, std::move(patterns));
}
