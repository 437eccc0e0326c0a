//===- ConvertElementwise.cpp - arith and math on tensors -----------------===//

#include "quant/Import/Linalg/ConvertElementwise.h"

#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

using namespace mlir;

void quantmlir::convertElementwise(Operation *root) {
  // arith.scaling_extf and scaling_truncf as what they are defined by, which is
  // read like any other arithmetic.
  RewritePatternSet scaling(root->getContext());
  arith::populateExpandScalingExtTruncPatterns(scaling);
  walkAndApplyPatterns(root, std::move(scaling));
  RewritePatternSet patterns(root->getContext());
  linalg::populateElementwiseToLinalgConversionPatterns(patterns);
  walkAndApplyPatterns(root, std::move(patterns));
}
