//===- PackedMatmulToLinalg.cpp - quant.packed_matmul, unpacked -----------===//
//
// The reference of the packed form: the product over packed tiles, unpacked to
// [M, N], then the corrections and a quant.rescale. Slow and obvious; it shows
// that a packing is right without the target's instructions.
//
//===----------------------------------------------------------------------===//

#include "Patterns.h"
#include "quant/Dialect/Quant/Utils/GenericBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "quant/Dialect/Quant/IR/QuantOps.h"

using namespace mlir;
using namespace quantmlir;

namespace {

struct LowerPackedMatmul : OpRewritePattern<PackedMatmulOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(PackedMatmulOp op,
                                PatternRewriter &rewriter) const override {
    if (op.getNumResults() != 1)
      return rewriter.notifyMatchFailure(op, "only tensors are lowered");
    Value acc = unpackTiles(op, rewriter, multiplyTiles(op, rewriter));
    acc = addCorrections(op, rewriter, acc);
    auto type = cast<RankedTensorType>(op.getResult(0).getType());
    auto column = [&](Value v) -> Value {
      if (!v || cast<RankedTensorType>(v.getType()).getRank() == 0)
        return v;
      return unpackColumn(op, rewriter, v);
    };
    switch (op.getEpilogue()) {
    case PackedMatmulOp::Epilogue::None:
      rewriter.replaceOp(op, acc);
      break;
    case PackedMatmulOp::Epilogue::Float: {
      Value channelScale = column(op.getChannelScale());
      Value bias = column(op.getBias());
      rewriter.replaceOpWithNewOp<RescaleOp>(
          op, type, acc, op.getRowScale(), channelScale, bias, op.getResidual(),
          op.getZeroPointAttr(), op.getRangeAttr(), op.getClampMinAttr(),
          op.getClampMaxAttr(), op.getIsUnsignedAttr());
      break;
    }
    case PackedMatmulOp::Epilogue::FixedPoint: {
      Value multiplier = column(op.getMultiplier());
      Value shift = column(op.getShift());
      IntegerAttr zeroPoint = op.getZeroPointAttr();
      if (!zeroPoint)
        zeroPoint = rewriter.getI32IntegerAttr(0);
      rewriter.replaceOpWithNewOp<RescaleFixedPointOp>(
          op, type, acc, multiplier, shift, /*bias=*/Value(),
          op.getRoundingAttr(), /*input_zero_point=*/
          rewriter.getI32IntegerAttr(0), zeroPoint, op.getRangeAttr(),
          op.getIsUnsignedAttr());
      break;
    }
    }
    return success();
  }

private:
  /// An operand [.., K/KR, R, KR] with KR split as [K/KR, R, KR/kr, kr], or
  /// with K/kr split as [K/KR, KR/kr, R, kr], for tiles whose sides differ in
  /// KR.
  static Value splitK(PackedMatmulOp op, PatternRewriter &rewriter, Value v,
                      int64_t dim, int64_t inner) {
    auto type = cast<RankedTensorType>(v.getType());
    SmallVector<int64_t> shape(type.getShape());
    SmallVector<OpFoldResult> sizes =
        tensor::getMixedSizes(rewriter, op.getLoc(), v);
    SmallVector<ReassociationIndices> groups;
    for (int64_t i = 0; i < type.getRank(); ++i) {
      int64_t at = i > dim ? i + 1 : i;
      groups.push_back({at});
      if (i == dim)
        groups.back().push_back(at + 1);
    }
    Value innerSize =
        arith::ConstantIndexOp::create(rewriter, op.getLoc(), inner);
    OpFoldResult outer = rewriter.getIndexAttr(
        ShapedType::isDynamic(shape[dim]) ? 0 : shape[dim] / inner);
    if (ShapedType::isDynamic(shape[dim]))
      outer = arith::DivUIOp::create(rewriter, op.getLoc(),
                                     cast<Value>(sizes[dim]), innerSize)
                  .getResult();
    else
      shape[dim] /= inner;
    sizes[dim] = outer;
    shape.insert(shape.begin() + dim + 1, inner);
    sizes.insert(sizes.begin() + dim + 1, rewriter.getIndexAttr(inner));
    return tensor::ExpandShapeOp::create(
        rewriter, op.getLoc(),
        RankedTensorType::get(shape, type.getElementType()), v, groups, sizes);
  }

  /// The maps of lhs and rhs, over (m1, n1, k1, m0, n0, k0) or, where their KR
  /// differ (64 and 4), over (m1, n1, k1, m0, n0, kq, k0).
  static SmallVector<AffineMap> operandMaps(MLIRContext *ctx, bool split) {
    AffineExpr m1, n1, k1, m0, n0, k0, kq;
    if (!split) {
      bindDims(ctx, m1, n1, k1, m0, n0, k0);
      return {AffineMap::get(6, 0, {m1, k1, m0, k0}, ctx),
              AffineMap::get(6, 0, {n1, k1, n0, k0}, ctx),
              AffineMap::get(6, 0, {m1, n1, m0, n0}, ctx)};
    }
    bindDims(ctx, m1, n1, k1, m0, n0, kq, k0);
    return {AffineMap::get(7, 0, {m1, k1, m0, kq, k0}, ctx),
            AffineMap::get(7, 0, {n1, k1, kq, n0, k0}, ctx),
            AffineMap::get(7, 0, {m1, n1, m0, n0}, ctx)};
  }

  /// A plain [M, K] as tiles of one row, [M, K/KR, 1, KR].
  static Value tileRows(PackedMatmulOp op, PatternRewriter &rewriter) {
    Value lhs = op.getLhs();
    if (!op.hasPlainLhs())
      return lhs;
    Location loc = op.getLoc();
    SmallVector<OpFoldResult> tiles = {rewriter.getIndexAttr(1),
                                       rewriter.getIndexAttr(op.getStepSize())};
    Value dest = linalg::PackOp::createDestinationTensor(rewriter, loc, lhs,
                                                         tiles, {0, 1}, {});
    Type element = cast<RankedTensorType>(lhs.getType()).getElementType();
    Value zero =
        arith::ConstantOp::create(rewriter, loc, rewriter.getZeroAttr(element));
    return linalg::PackOp::create(rewriter, loc, lhs, dest, {0, 1}, tiles, zero)
        .getResult();
  }

  /// Bytes [N/NR, K/2KR, NR, KR] that hold two elements each as elements
  /// [N/NR, K/2KR, NR, 2KR].
  static Value unpackNibbles(PackedMatmulOp op, PatternRewriter &rewriter) {
    Location loc = op.getLoc();
    Value bytes = op.getRhs();
    auto type = cast<RankedTensorType>(bytes.getType());
    SmallVector<int64_t> shape(type.getShape());
    // [.., 2, KR]: which nibble, and its byte.
    shape.insert(shape.begin() + 3, 2);
    auto element = type.getElementType();
    SmallVector<Value> sizes;
    for (int64_t dim = 0; dim < 2; ++dim)
      if (type.isDynamicDim(dim))
        sizes.push_back(tensor::DimOp::create(rewriter, loc, bytes, dim));
    Value init = tensor::EmptyOp::create(rewriter, loc, shape, element, sizes);
    Value parts =
        elementwise(rewriter, loc, {{bytes, {0, 1, 2, 4}}}, init,
                    [&](OpBuilder &b, Location loc,
                        ValueRange args) -> SmallVector<Value> {
                      Value four = constantInt(b, loc, 4, 8);
                      Value part = arith::IndexCastOp::create(
                          b, loc, element, linalg::IndexOp::create(b, loc, 3));
                      // The low one moves up, the high one stays.
                      Value up = arith::SubIOp::create(
                          b, loc, four,
                          arith::MulIOp::create(b, loc, part, four));
                      Value top = arith::ShLIOp::create(b, loc, args[0], up);
                      return {arith::ShRSIOp::create(b, loc, top, four)};
                    })
            .getResult(0);
    SmallVector<ReassociationIndices> groups = {{0}, {1}, {2}, {3, 4}};
    return tensor::CollapseShapeOp::create(rewriter, loc, parts, groups);
  }

  /// acc[m1, n1, m0, n0] += lhs[m1, k1, m0, k0] * rhs[n1, k1, n0, k0].
  static Value multiplyTiles(PackedMatmulOp op, PatternRewriter &rewriter) {
    Location loc = op.getLoc();
    Value lhsTiles = tileRows(op, rewriter);
    auto lhs = cast<RankedTensorType>(lhsTiles.getType());
    auto rhs = cast<RankedTensorType>(op.getRhs().getType());
    SmallVector<int64_t> shape = {lhs.getDimSize(0), rhs.getDimSize(0),
                                  lhs.getDimSize(2), rhs.getDimSize(2)};
    SmallVector<Value> sizes;
    if (lhs.isDynamicDim(0))
      sizes.push_back(tensor::DimOp::create(rewriter, loc, lhsTiles, 0));
    if (rhs.isDynamicDim(0))
      sizes.push_back(tensor::DimOp::create(rewriter, loc, op.getRhs(), 0));
    Value empty = tensor::EmptyOp::create(rewriter, loc, shape,
                                          rewriter.getI32Type(), sizes);
    Value zero = linalg::FillOp::create(rewriter, loc,
                                        constantInt(rewriter, loc, 0), empty)
                     .getResult(0);
    const qtarget::KernelRow &row = op.getKernel().getRow();
    bool split = row.lhs.kTile != row.rhs.kTile;
    SmallVector<AffineMap> maps = operandMaps(rewriter.getContext(), split);
    auto parallel = utils::IteratorType::parallel;
    auto reduction = utils::IteratorType::reduction;
    SmallVector<utils::IteratorType> iterators = {
        parallel, parallel, reduction, parallel, parallel, reduction};
    Value left = lhsTiles;
    Value right =
        op.getRhsNibbles() ? unpackNibbles(op, rewriter) : op.getRhs();
    if (split) {
      iterators.push_back(reduction);
      left = splitK(op, rewriter, left, 3, row.rhs.kTile);
      right = splitK(op, rewriter, right, 1, row.lhs.kTile / row.rhs.kTile);
    }
    auto generic = linalg::GenericOp::create(
        rewriter, loc, zero.getType(), ValueRange{left, right}, zero, maps,
        iterators, [&](OpBuilder &b, Location loc, ValueRange args) {
          Value x = extendToI32(b, loc, args[0], row.lhs.isUnsigned);
          Value w = extendToI32(b, loc, args[1], row.rhs.isUnsigned);
          Value sum = arith::AddIOp::create(
              b, loc, args[2], arith::MulIOp::create(b, loc, x, w));
          linalg::YieldOp::create(b, loc, sum);
        });
    return generic.getResult(0);
  }

  static Value unpackTiles(PackedMatmulOp op, PatternRewriter &rewriter,
                           Value tiles) {
    Location loc = op.getLoc();
    auto type = cast<RankedTensorType>(op.getResult(0).getType());
    auto tileType = cast<RankedTensorType>(tiles.getType());
    Value init = emptyLike(rewriter, loc, type.clone(rewriter.getI32Type()),
                           op.getInit());
    SmallVector<OpFoldResult> inner = {
        rewriter.getIndexAttr(tileType.getDimSize(2)),
        rewriter.getIndexAttr(tileType.getDimSize(3))};
    return linalg::UnPackOp::create(rewriter, loc, tiles, init, {0, 1}, inner)
        .getResult();
  }

  /// [.., N/NR, NR] to [.., N].
  static Value unpackColumn(PackedMatmulOp op, PatternRewriter &rewriter,
                            Value packed) {
    Location loc = op.getLoc();
    auto type = cast<RankedTensorType>(packed.getType());
    auto result = cast<RankedTensorType>(op.getResult(0).getType());
    int64_t rank = type.getRank();
    SmallVector<int64_t> shape(type.getShape().drop_back(2));
    shape.push_back(result.getDimSize(1));
    SmallVector<Value> sizes;
    if (result.isDynamicDim(1))
      sizes.push_back(tensor::DimOp::create(rewriter, loc, op.getInit(), 1));
    Value init = tensor::EmptyOp::create(rewriter, loc, shape,
                                         type.getElementType(), sizes);
    SmallVector<OpFoldResult> inner = {
        rewriter.getIndexAttr(type.getDimSize(rank - 1))};
    return linalg::UnPackOp::create(rewriter, loc, packed, init, {rank - 2},
                                    inner)
        .getResult();
  }

  static Value addCorrections(PackedMatmulOp op, PatternRewriter &rewriter,
                              Value acc) {
    Location loc = op.getLoc();
    auto type = cast<RankedTensorType>(acc.getType());
    if (op.getColBias()) {
      Value bias = unpackColumn(op, rewriter, op.getColBias());
      acc = elementwise(rewriter, loc, {{acc, {0, 1}}, {bias, {1}}},
                        emptyLike(rewriter, loc, type, acc), addArgs)
                .getResult(0);
    }
    if (!op.getRowFactors())
      return acc;
    // acc[m, n] += rows[r, m] * cols[r, n]: a product over the rank R.
    Value cols = unpackColumn(op, rewriter, op.getColFactors());
    AffineExpr m, n, r;
    MLIRContext *ctx = rewriter.getContext();
    bindDims(ctx, m, n, r);
    SmallVector<AffineMap> maps = {AffineMap::get(3, 0, {r, m}, ctx),
                                   AffineMap::get(3, 0, {r, n}, ctx),
                                   AffineMap::get(3, 0, {m, n}, ctx)};
    auto parallel = utils::IteratorType::parallel;
    return linalg::GenericOp::create(
               rewriter, loc, type, ValueRange{op.getRowFactors(), cols}, acc,
               maps, {parallel, parallel, utils::IteratorType::reduction},
               [](OpBuilder &b, Location loc, ValueRange args) {
                 Value product =
                     arith::MulIOp::create(b, loc, args[0], args[1]);
                 Value sum = arith::AddIOp::create(b, loc, args[2], product);
                 linalg::YieldOp::create(b, loc, sum);
               })
        .getResult(0);
  }

  static SmallVector<Value> addArgs(OpBuilder &b, Location loc,
                                    ValueRange args) {
    return {arith::AddIOp::create(b, loc, args[0], args[1])};
  }
};

} // namespace

void quantmlir::populatePackedMatmulToLinalgPatterns(
    RewritePatternSet &patterns) {
  patterns.add<LowerPackedMatmul>(patterns.getContext());
}
