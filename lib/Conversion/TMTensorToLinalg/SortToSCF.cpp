//===- SortToSCF.cpp - sorted lines to loops ------------------------------===//
//
// Neighbours that are not in order change places, as often as a line has
// elements: what is sorted is short, the scores of experts. The last element of
// each turn is at its place then.
//
//===----------------------------------------------------------------------===//

#include "Patterns.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include "quant/Dialect/TMTensor/IR/TMTensor.h"

using namespace mlir;
using namespace quantmlir;
using namespace quantmlir::tm_tensor;

/// The elements at `first` and `second` of each of the `carried` tensors, in
/// order.
static scf::ValueVector orderPair(OpBuilder &b, Location loc, SortOp op,
                                  ValueRange first, ValueRange second,
                                  ValueRange carried) {
  SmallVector<Value> pairs;
  for (Value tensor : carried) {
    pairs.push_back(tensor::ExtractOp::create(b, loc, tensor, first));
    pairs.push_back(tensor::ExtractOp::create(b, loc, tensor, second));
  }
  Value isOrdered = inlineCombination(b, op.getRegion(), pairs);
  scf::ValueVector results;
  for (auto [i, tensor] : llvm::enumerate(carried)) {
    Value a = pairs[2 * i], c = pairs[2 * i + 1];
    Value lower = arith::SelectOp::create(b, loc, isOrdered, a, c);
    Value upper = arith::SelectOp::create(b, loc, isOrdered, c, a);
    Value once = tensor::InsertOp::create(b, loc, lower, tensor, first);
    results.push_back(tensor::InsertOp::create(b, loc, upper, once, second));
  }
  return results;
}

/// The size that all tensors have along `dim`: where that is known at run time
/// only, nothing is read past the smallest.
static Value getCommonSize(OpBuilder &b, Location loc, ValueRange tensors,
                           int64_t dim) {
  Value size = tensor::DimOp::create(b, loc, tensors.front(), dim);
  for (Value tensor : tensors.drop_front()) {
    Value other = tensor::DimOp::create(b, loc, tensor, dim);
    size = arith::MinUIOp::create(b, loc, size, other);
  }
  return size;
}

/// One line along the dimension; `others` are the coordinates without it.
static scf::ValueVector sortLine(OpBuilder &b, Location loc, SortOp op,
                                 ValueRange others, ValueRange carried) {
  auto dimension = static_cast<int64_t>(op.getDimension());
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  Value one = arith::ConstantIndexOp::create(b, loc, 1);
  Value size = getCommonSize(b, loc, carried, dimension);
  auto turns = scf::ForOp::create(
      b, loc, zero, size, one, carried,
      [&](OpBuilder &b, Location loc, Value turn, ValueRange state) {
        Value rest = arith::SubIOp::create(b, loc, size, turn);
        Value end = arith::SubIOp::create(b, loc, rest, one);
        auto pairs = scf::ForOp::create(
            b, loc, zero, end, one, state,
            [&](OpBuilder &b, Location loc, Value i, ValueRange state) {
              SmallVector<Value> first(others), second(others);
              first.insert(first.begin() + dimension, i);
              Value next = arith::AddIOp::create(b, loc, i, one);
              second.insert(second.begin() + dimension, next);
              scf::YieldOp::create(b, loc,
                                   orderPair(b, loc, op, first, second, state));
            });
        scf::YieldOp::create(b, loc, pairs.getResults());
      });
  return scf::ValueVector(turns.getResults().begin(), turns.getResults().end());
}

namespace {
struct LowerSort : OpRewritePattern<SortOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(SortOp op,
                                PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto rank = cast<RankedTensorType>(op.getOutputs()[0].getType()).getRank();
    replaceByLines(
        rewriter, op, rank, static_cast<int64_t>(op.getDimension()),
        op.getOutputs(),
        [&](int64_t dim) -> Value {
          return getCommonSize(rewriter, loc, op.getOutputs(), dim);
        },
        [&](OpBuilder &b, Location loc, ValueRange others, ValueRange outputs) {
          return sortLine(b, loc, op, others, outputs);
        });
    return success();
  }
};
} // namespace

void quantmlir::populateSortToSCFPatterns(RewritePatternSet &patterns) {
  patterns.add<LowerSort>(patterns.getContext());
}
