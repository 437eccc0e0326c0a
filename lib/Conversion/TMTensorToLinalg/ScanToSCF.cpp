//===- ScanToSCF.cpp - running combinations to loops ----------------------===//

#include "Patterns.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include "quant/Dialect/Quant/Utils/GenericBuilder.h"
#include "quant/Dialect/TMTensor/IR/TMTensor.h"

using namespace mlir;
using namespace quantmlir;
using namespace quantmlir::tm_tensor;

/// One line along the dimension: {output, last} as they are after it. `others`
/// are the coordinates without the dimension.
static scf::ValueVector scanLine(OpBuilder &b, Location loc, ScanOp op,
                                 ValueRange others, ValueRange carried) {
  Value input = op.getInputs()[0];
  auto dimension = static_cast<int64_t>(op.getDimension());
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  Value one = arith::ConstantIndexOp::create(b, loc, 1);
  Value size = tensor::DimOp::create(b, loc, input, dimension);
  Value init = tensor::ExtractOp::create(b, loc, carried[1], others);
  // Carried: the output, y[i] of the inclusive scan, y[i].
  auto loop = scf::ForOp::create(
      b, loc, zero, size, one, ValueRange{carried[0], init, init},
      [&](OpBuilder &b, Location loc, Value i, ValueRange state) {
        SmallVector<Value> at(others);
        at.insert(at.begin() + dimension, i);
        Value x = tensor::ExtractOp::create(b, loc, input, at);
        Value next =
            inlineCombination(b, op.getRegion(), ValueRange{state[1], x});
        if (op.getInclusive()) {
          Value isFirst =
              arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, i, zero);
          next = arith::SelectOp::create(b, loc, isFirst, x, next);
        }
        Value y = op.getInclusive() ? next : state[1];
        Value output = tensor::InsertOp::create(b, loc, y, state[0], at);
        scf::YieldOp::create(b, loc, ValueRange{output, next, y});
      });
  Value last =
      tensor::InsertOp::create(b, loc, loop.getResult(2), carried[1], others);
  return {loop.getResult(0), last};
}

namespace {
struct LowerScan : OpRewritePattern<ScanOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ScanOp op,
                                PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value input = op.getInputs()[0];
    replaceByLines(
        rewriter, op, tensorType(input).getRank(),
        static_cast<int64_t>(op.getDimension()), op.getOutputs(),
        [&](int64_t dim) -> Value {
          return tensor::DimOp::create(rewriter, loc, input, dim);
        },
        [&](OpBuilder &b, Location loc, ValueRange others, ValueRange outputs) {
          return scanLine(b, loc, op, others, outputs);
        });
    return success();
  }
};
} // namespace

void quantmlir::populateScanToSCFPatterns(RewritePatternSet &patterns) {
  patterns.add<LowerScan>(patterns.getContext());
}
