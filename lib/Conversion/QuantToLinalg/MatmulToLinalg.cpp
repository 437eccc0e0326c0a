//===- MatmulToLinalg.cpp - quant.matmul to linalg ------------------------===//

#include "Patterns.h"
#include "quant/Dialect/Quant/Utils/GenericBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/AffineMap.h"
#include "quant/Dialect/Quant/IR/QuantOps.h"

using namespace mlir;
using namespace quantmlir;

namespace {

/// The loops of a matmul: batch dimensions, m, then n and k with the one
/// innermost that is contiguous in `rhs`, so that LLVM can vectorize it.
struct MatmulLoops {
  explicit MatmulLoops(MatmulOp op)
      : numBatch(op.getNumBatchDims()), m(numBatch),
        n(op.getTransposeRhs() ? numBatch + 1 : numBatch + 2),
        k(op.getTransposeRhs() ? numBatch + 2 : numBatch + 1) {}

  AffineMap map(OpBuilder &b, bool withBatch, ArrayRef<int64_t> dims) const {
    SmallVector<AffineExpr> exprs;
    for (int64_t i = 0; withBatch && i < numBatch; ++i)
      exprs.push_back(b.getAffineDimExpr(i));
    for (int64_t dim : dims)
      exprs.push_back(b.getAffineDimExpr(dim));
    return AffineMap::get(numBatch + 3, 0, exprs, b.getContext());
  }

  SmallVector<utils::IteratorType> iterators() const {
    SmallVector<utils::IteratorType> types(numBatch + 3,
                                           utils::IteratorType::parallel);
    types[k] = utils::IteratorType::reduction;
    return types;
  }

  int64_t numBatch, m, n, k;
};

struct LowerMatmul : OpRewritePattern<MatmulOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(MatmulOp op,
                                PatternRewriter &rewriter) const override {
    MatmulLoops loops(op);
    bool transposed = op.getTransposeRhs();
    bool batchedRhs = op.hasBatchedRhs();
    SmallVector<Value> inputs = {op.getLhs(), op.getRhs()};
    SmallVector<AffineMap> maps = {
        loops.map(rewriter, true, {loops.m, loops.k}),
        transposed ? loops.map(rewriter, batchedRhs, {loops.n, loops.k})
                   : loops.map(rewriter, batchedRhs, {loops.k, loops.n})};
    auto addZeroPoint = [&](Value zp, bool withBatch, int64_t dim) {
      inputs.push_back(zp);
      bool scalar = cast<RankedTensorType>(zp.getType()).getRank() == 0;
      maps.push_back(scalar ? loops.map(rewriter, false, {})
                            : loops.map(rewriter, withBatch, {dim}));
    };
    if (Value zp = op.getLhsZeroPoint())
      addZeroPoint(zp, true, loops.m);
    if (Value zp = op.getRhsZeroPoint())
      addZeroPoint(zp, batchedRhs, loops.n);
    maps.push_back(loops.map(rewriter, true, {loops.m, loops.n}));
    rewriter.replaceOpWithNewOp<linalg::GenericOp>(
        op, op.getType(), inputs, op.getInit(), maps, loops.iterators(),
        [&](OpBuilder &b, Location loc, ValueRange args) {
          size_t next = 2;
          Value x = extendToI32(b, loc, args[0], op.getLhsUnsigned());
          if (op.getLhsZeroPoint())
            x = arith::SubIOp::create(b, loc, x, args[next++]);
          Value w = extendToI32(b, loc, args[1], op.getRhsUnsigned());
          if (op.getRhsZeroPoint())
            w = arith::SubIOp::create(b, loc, w, args[next++]);
          Value product = arith::MulIOp::create(b, loc, x, w);
          Value sum = arith::AddIOp::create(b, loc, args[next], product);
          linalg::YieldOp::create(b, loc, sum);
        });
    return success();
  }
};

} // namespace

void quantmlir::populateMatmulToLinalgPatterns(RewritePatternSet &patterns) {
  patterns.add<LowerMatmul>(patterns.getContext());
}
