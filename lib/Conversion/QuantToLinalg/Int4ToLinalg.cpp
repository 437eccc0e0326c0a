//===- Int4ToLinalg.cpp - int4 packing to linalg --------------------------===//

#include "Patterns.h"
#include "quant/Dialect/Quant/Utils/GenericBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "quant/Dialect/Quant/IR/QuantOps.h"

using namespace mlir;
using namespace quantmlir;

/// The coordinates of the current element, the last one replaced by `last`.
static SmallVector<Value> coordinates(OpBuilder &b, Location loc, int64_t rank,
                                      Value last) {
  SmallVector<Value> indices;
  for (int64_t i = 0; i < rank - 1; ++i)
    indices.push_back(linalg::IndexOp::create(b, loc, i));
  indices.push_back(last);
  return indices;
}

/// `size` with the last dimension's dynamic size computed by `last`.
static Value emptyWithLast(OpBuilder &b, Location loc, RankedTensorType type,
                           Value like, function_ref<Value(Value)> last) {
  SmallVector<Value> sizes;
  int64_t rank = type.getRank();
  for (int64_t i = 0; i < rank; ++i) {
    if (!type.isDynamicDim(i))
      continue;
    Value size = tensor::DimOp::create(b, loc, like, i);
    sizes.push_back(i == rank - 1 ? last(size) : size);
  }
  return tensor::EmptyOp::create(b, loc, type.getShape(), type.getElementType(),
                                 sizes);
}

namespace {

struct LowerPackInt4 : OpRewritePattern<PackInt4Op> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(PackInt4Op op,
                                PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto type = cast<RankedTensorType>(op.getType());
    int64_t rank = type.getRank();
    Value two = arith::ConstantIndexOp::create(rewriter, loc, 2);
    Value one = arith::ConstantIndexOp::create(rewriter, loc, 1);
    Value length =
        tensor::DimOp::create(rewriter, loc, op.getInput(), rank - 1);
    Value init = emptyWithLast(rewriter, loc, type, op.getInput(), [&](Value) {
      return arith::CeilDivUIOp::create(rewriter, loc, length, two);
    });
    auto generic = elementwise(
        rewriter, loc, {}, init,
        [&](OpBuilder &b, Location loc, ValueRange) -> SmallVector<Value> {
          Value byte = linalg::IndexOp::create(b, loc, rank - 1);
          Value even = arith::MulIOp::create(b, loc, byte, two);
          Value odd = arith::AddIOp::create(b, loc, even, one);
          Value low = nibble(op, b, loc, even);
          // The last high nibble of a row of odd length is 0: read inside the
          // row and drop what was read.
          Value inRow = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult,
                                              odd, length);
          Value safe = arith::SelectOp::create(b, loc, inRow, odd, even);
          Value high =
              arith::SelectOp::create(b, loc, inRow, nibble(op, b, loc, safe),
                                      constantInt(b, loc, 0, 8));
          high = arith::ShLIOp::create(b, loc, high, constantInt(b, loc, 4, 8));
          return {arith::OrIOp::create(b, loc, low, high)};
        });
    rewriter.replaceOp(op, generic);
    return success();
  }

private:
  static Value nibble(PackInt4Op op, OpBuilder &b, Location loc, Value last) {
    int64_t rank = cast<RankedTensorType>(op.getType()).getRank();
    Value q = tensor::ExtractOp::create(b, loc, op.getInput(),
                                        coordinates(b, loc, rank, last));
    return arith::ExtUIOp::create(b, loc, b.getI8Type(), q);
  }
};

struct LowerUnpackInt4 : OpRewritePattern<UnpackInt4Op> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(UnpackInt4Op op,
                                PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto type = cast<RankedTensorType>(op.getType());
    int64_t rank = type.getRank();
    Value two = arith::ConstantIndexOp::create(rewriter, loc, 2);
    Value init = emptyWithLast(
        rewriter, loc, type, op.getInput(), [&](Value bytes) -> Value {
          return arith::MulIOp::create(rewriter, loc, bytes, two);
        });
    auto generic = elementwise(
        rewriter, loc, {}, init,
        [&](OpBuilder &b, Location loc, ValueRange) -> SmallVector<Value> {
          Value last = linalg::IndexOp::create(b, loc, rank - 1);
          Value byte = arith::DivUIOp::create(b, loc, last, two);
          Value isOdd = arith::RemUIOp::create(b, loc, last, two);
          Value packed = tensor::ExtractOp::create(
              b, loc, op.getInput(), coordinates(b, loc, rank, byte));
          Value odd =
              arith::IndexCastUIOp::create(b, loc, b.getI8Type(), isOdd);
          Value shift =
              arith::ShLIOp::create(b, loc, odd, constantInt(b, loc, 2, 8));
          Value moved = arith::ShRUIOp::create(b, loc, packed, shift);
          return {
              arith::TruncIOp::create(b, loc, type.getElementType(), moved)};
        });
    rewriter.replaceOp(op, generic);
    return success();
  }
};

} // namespace

void quantmlir::populateInt4ToLinalgPatterns(RewritePatternSet &patterns) {
  patterns.add<LowerPackInt4, LowerUnpackInt4>(patterns.getContext());
}
