//===- Int4ToLinalg.cpp - int4 and int2 packing to linalg -----------------===//

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

constexpr unsigned kByteBits = 8;

template <typename Pack>
struct LowerPack : OpRewritePattern<Pack> {
  using OpRewritePattern<Pack>::OpRewritePattern;

  LogicalResult matchAndRewrite(Pack op,
                                PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto type = cast<RankedTensorType>(op.getType());
    int64_t rank = type.getRank();
    Value perByte =
        arith::ConstantIndexOp::create(rewriter, loc, Pack::kPerByte);
    Value length =
        tensor::DimOp::create(rewriter, loc, op.getInput(), rank - 1);
    Value init = emptyWithLast(rewriter, loc, type, op.getInput(), [&](Value) {
      return arith::CeilDivUIOp::create(rewriter, loc, length, perByte);
    });
    auto generic = elementwise(
        rewriter, loc, {}, init,
        [&](OpBuilder &b, Location loc, ValueRange) -> SmallVector<Value> {
          Value byte = linalg::IndexOp::create(b, loc, rank - 1);
          Value first = arith::MulIOp::create(b, loc, byte, perByte);
          Value all = read(op, b, loc, first);
          for (int64_t j = 1; j < Pack::kPerByte; ++j)
            all = arith::OrIOp::create(b, loc, all,
                                       place(op, b, loc, first, j, length));
          return {all};
        });
    rewriter.replaceOp(op, generic);
    return success();
  }

private:
  /// Element `last` of the input, as a byte.
  static Value read(Pack op, OpBuilder &b, Location loc, Value last) {
    int64_t rank = cast<RankedTensorType>(op.getType()).getRank();
    Value q = tensor::ExtractOp::create(b, loc, op.getInput(),
                                        coordinates(b, loc, rank, last));
    return arith::ExtUIOp::create(b, loc, b.getI8Type(), q);
  }

  /// The `j`th element of a byte, in its place. Behind the end of a row it is
  /// 0: the first one is read and dropped.
  static Value place(Pack op, OpBuilder &b, Location loc, Value first,
                     int64_t j, Value length) {
    Value at = arith::AddIOp::create(b, loc, first,
                                     arith::ConstantIndexOp::create(b, loc, j));
    Value inRow =
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, at, length);
    Value safe = arith::SelectOp::create(b, loc, inRow, at, first);
    Value element =
        arith::SelectOp::create(b, loc, inRow, read(op, b, loc, safe),
                                constantInt(b, loc, 0, kByteBits));
    int64_t by = kByteBits / Pack::kPerByte * j;
    return arith::ShLIOp::create(b, loc, element,
                                 constantInt(b, loc, by, kByteBits));
  }
};

template <typename Unpack>
struct LowerUnpack : OpRewritePattern<Unpack> {
  using OpRewritePattern<Unpack>::OpRewritePattern;

  LogicalResult matchAndRewrite(Unpack op,
                                PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto type = cast<RankedTensorType>(op.getType());
    int64_t rank = type.getRank();
    Value perByte =
        arith::ConstantIndexOp::create(rewriter, loc, Unpack::kPerByte);
    Value init = emptyWithLast(
        rewriter, loc, type, op.getInput(), [&](Value bytes) -> Value {
          return arith::MulIOp::create(rewriter, loc, bytes, perByte);
        });
    auto generic = elementwise(
        rewriter, loc, {}, init,
        [&](OpBuilder &b, Location loc, ValueRange) -> SmallVector<Value> {
          Value last = linalg::IndexOp::create(b, loc, rank - 1);
          Value byte = arith::DivUIOp::create(b, loc, last, perByte);
          Value rest = arith::RemUIOp::create(b, loc, last, perByte);
          Value packed = tensor::ExtractOp::create(
              b, loc, op.getInput(), coordinates(b, loc, rank, byte));
          Value place =
              arith::IndexCastUIOp::create(b, loc, b.getI8Type(), rest);
          constexpr int64_t bits = kByteBits / Unpack::kPerByte;
          Value shift = arith::MulIOp::create(
              b, loc, place, constantInt(b, loc, bits, kByteBits));
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
  patterns.add<LowerPack<PackInt4Op>, LowerPack<PackInt2Op>,
               LowerUnpack<UnpackInt4Op>, LowerUnpack<UnpackInt2Op>>(
      patterns.getContext());
}
