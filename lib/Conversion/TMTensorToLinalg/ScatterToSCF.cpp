//===- ScatterToSCF.cpp - updates at given positions to loops -------------===//

#include "Patterns.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include "quant/Dialect/Quant/Utils/GenericBuilder.h"
#include "quant/Dialect/TMTensor/IR/TMTensor.h"

using namespace mlir;
using namespace quantmlir;
using namespace quantmlir::tm_tensor;

/// Where the element of `updates` at `ivs` goes.
static SmallVector<Value> getPosition(OpBuilder &b, Location loc, ScatterOp op,
                                      ValueRange ivs) {
  int64_t rank = tensorType(op.getOutputs()[0]).getRank();
  ValueRange slice = ivs.drop_front();
  int64_t first = rank - static_cast<int64_t>(slice.size());
  SmallVector<Value> position;
  for (int64_t dim = 0; dim != rank; ++dim)
    position.push_back(
        dim < first ? arith::ConstantIndexOp::create(b, loc, 0).getResult()
                    : slice[dim - first]);
  for (auto [i, dim] : llvm::enumerate(op.getDimensionMap())) {
    Value column = arith::ConstantIndexOp::create(b, loc, i);
    Value index = tensor::ExtractOp::create(b, loc, op.getInputs()[1],
                                            ValueRange{ivs.front(), column});
    if (!isa<IndexType>(index.getType()))
      index = arith::IndexCastOp::create(b, loc, b.getIndexType(), index);
    position[dim] = arith::AddIOp::create(b, loc, position[dim], index);
  }
  return position;
}

/// Negative numbers are large ones.
static Value isInside(OpBuilder &b, Location loc, Value tensor,
                      ValueRange position) {
  Value inside = arith::ConstantOp::create(b, loc, b.getBoolAttr(true));
  for (auto [dim, at] : llvm::enumerate(position)) {
    Value size = tensor::DimOp::create(b, loc, tensor, dim);
    Value fits =
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, at, size);
    inside = arith::AndIOp::create(b, loc, inside, fits);
  }
  return inside;
}

namespace {
struct LowerScatter : OpRewritePattern<ScatterOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ScatterOp op,
                                PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value updates = op.getInputs()[0];
    int64_t rank = tensorType(updates).getRank();
    Value zero = arith::ConstantIndexOp::create(rewriter, loc, 0);
    Value one = arith::ConstantIndexOp::create(rewriter, loc, 1);
    SmallVector<Value> sizes;
    for (int64_t dim = 0; dim != rank; ++dim)
      sizes.push_back(tensor::DimOp::create(rewriter, loc, updates, dim));
    auto update = [&](OpBuilder &b, Location loc, ValueRange ivs,
                      ValueRange carried) -> scf::ValueVector {
      Value original = carried.front();
      SmallVector<Value> position = getPosition(b, loc, op, ivs);
      auto choice = scf::IfOp::create(
          b, loc, isInside(b, loc, original, position),
          [&](OpBuilder &b, Location loc) {
            Value next = tensor::ExtractOp::create(b, loc, updates, ivs);
            Value old = tensor::ExtractOp::create(b, loc, original, position);
            Value made =
                inlineCombination(b, op.getRegion(), ValueRange{next, old});
            Value changed =
                tensor::InsertOp::create(b, loc, made, original, position);
            scf::YieldOp::create(b, loc, changed);
          },
          [&](OpBuilder &b, Location loc) {
            scf::YieldOp::create(b, loc, original);
          });
      return {choice.getResult(0)};
    };
    scf::LoopNest nest = scf::buildLoopNest(
        rewriter, loc, SmallVector<Value>(rank, zero), sizes,
        SmallVector<Value>(rank, one), op.getOutputs(), update);
    rewriter.replaceOp(op, nest.results);
    return success();
  }
};
} // namespace

void quantmlir::populateScatterToSCFPatterns(RewritePatternSet &patterns) {
  patterns.add<LowerScatter>(patterns.getContext());
}
