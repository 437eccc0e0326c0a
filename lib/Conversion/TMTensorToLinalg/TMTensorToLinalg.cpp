//===- TMTensorToLinalg.cpp - torch-mlir's ops to linalg ------------------===//

#include "Patterns.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

#include "quant/Conversion/Passes.h"
#include "quant/Dialect/TMTensor/IR/TMTensor.h"

namespace quantmlir {
#define GEN_PASS_DEF_CONVERTTMTENSORTOLINALGPASS
#include "quant/Conversion/Passes.h.inc"
} // namespace quantmlir

using namespace mlir;

Value quantmlir::inlineCombination(OpBuilder &b, Region &region,
                                   ValueRange arguments) {
  IRMapping mapping;
  mapping.map(region.getArguments(), arguments);
  for (Operation &op : region.front().without_terminator())
    b.clone(op, mapping);
  return mapping.lookupOrDefault(region.front().getTerminator()->getOperand(0));
}

void quantmlir::replaceByLines(PatternRewriter &b, Operation *op, int64_t rank,
                               int64_t dimension, ValueRange outputs,
                               function_ref<Value(int64_t)> getSize,
                               LineEmitter emitLine) {
  Location loc = op->getLoc();
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  Value one = arith::ConstantIndexOp::create(b, loc, 1);
  SmallVector<Value> sizes;
  for (int64_t dim = 0; dim != rank; ++dim)
    if (dim != dimension)
      sizes.push_back(getSize(dim));
  SmallVector<Value> begins(sizes.size(), zero), steps(sizes.size(), one);
  scf::LoopNest nest =
      scf::buildLoopNest(b, loc, begins, sizes, steps, outputs, emitLine);
  b.replaceOp(op, nest.results);
}

namespace {
struct ConvertTMTensorToLinalgPass
    : quantmlir::impl::ConvertTMTensorToLinalgPassBase<
          ConvertTMTensorToLinalgPass> {
  using Base::Base;

  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    quantmlir::populateAttentionToLinalgPatterns(patterns);
    quantmlir::populateScanToSCFPatterns(patterns);
    quantmlir::populateScatterToSCFPatterns(patterns);
    quantmlir::populateSortToSCFPatterns(patterns);
    walkAndApplyPatterns(getOperation(), std::move(patterns));
  }
};
} // namespace
