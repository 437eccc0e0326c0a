//===- ScaledMatmulTiling.cpp - tiles and shapes of scaled_matmul ---------===//
//
// The loops are b.., m, n, all parallel. A tile is the same op on rows of lhs
// and rows of rhs; the groups along K stay whole, because their order is part
// of what the op computes.
//
//===----------------------------------------------------------------------===//

#include "TilingUtils.h"

#include "quant/Dialect/Quant/IR/QuantOps.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace quantmlir;

SmallVector<utils::IteratorType> ScaledMatmulOp::getLoopIteratorTypes() {
  return SmallVector<utils::IteratorType>(getNumBatchDims() + 2,
                                          utils::IteratorType::parallel);
}

static SmallVector<OpFoldResult> getResultSizes(OpBuilder &b,
                                                ScaledMatmulOp op) {
  SmallVector<OpFoldResult> sizes =
      tensor::getMixedSizes(b, op.getLoc(), op.getLhs());
  sizes.back() = tensor::getMixedSize(b, op.getLoc(), op.getRhs(), 0);
  return sizes;
}

LogicalResult
ScaledMatmulOp::reifyResultShapes(OpBuilder &b,
                                  ReifiedRankedShapedTypeDims &shapes) {
  shapes.assign({getResultSizes(b, *this)});
  return success();
}

SmallVector<Range> ScaledMatmulOp::getIterationDomain(OpBuilder &b) {
  return llvm::map_to_vector(getResultSizes(b, *this), [&](OpFoldResult size) {
    return Range{b.getIndexAttr(0), size, b.getIndexAttr(1)};
  });
}

FailureOr<TilingResult>
ScaledMatmulOp::getTiledImplementation(OpBuilder &b,
                                       ArrayRef<OpFoldResult> offsets,
                                       ArrayRef<OpFoldResult> sizes) {
  Location loc = getLoc();
  SmallVector<int64_t> rows =
      llvm::to_vector(llvm::seq<int64_t>(getNumBatchDims() + 1));
  int64_t n = rows.size(), k = n + 1, group = n + 2, block = n + 3;
  // More loops with one tile each: all of K, all groups, all blocks of lhs.
  SmallVector<OpFoldResult> allOffsets(offsets), allSizes(sizes);
  allOffsets.append(3, b.getIndexAttr(0));
  allSizes.push_back(tensor::getMixedSize(b, loc, getRhs(), 1));
  allSizes.push_back(tensor::getMixedSize(b, loc, getRhsScale(), 1));
  allSizes.push_back(getLhsScale()
                         ? tensor::getMixedSize(b, loc, getLhsScale(), n)
                         : OpFoldResult(b.getIndexAttr(0)));
  SmallVector<int64_t> rowsAndK = rows, rowsAndBlocks = rows;
  rowsAndK.push_back(k);
  rowsAndBlocks.push_back(block);

  Slicer slicer(b, loc, allOffsets, allSizes);
  Value lhs = slicer.slice(getLhs(), rowsAndK);
  Value rhs = slicer.slice(getRhs(), {n, k});
  Value lhsZeroPoint = slicer.slice(getLhsZeroPoint(), rows);
  Value rowScale = slicer.slice(getRowScale(), rows);
  Value rhsScale = slicer.slice(getRhsScale(), {n, group});
  Value rhsZeroPoint = slicer.slice(getRhsZeroPoint(), {n, group});
  Value rhsOffset = slicer.slice(getRhsOffset(), {n, group});
  Value bias = slicer.slice(getBias(), {n});
  Value lhsScale = slicer.slice(getLhsScale(), rowsAndBlocks);
  SmallVector<int64_t> shape(
      cast<RankedTensorType>(lhs.getType()).getShape().drop_back());
  shape.push_back(cast<RankedTensorType>(rhs.getType()).getDimSize(0));
  auto tiled = ScaledMatmulOp::create(
      b, loc, getResult().getType().clone(shape), lhs, rhs, lhsZeroPoint,
      rowScale, rhsScale, rhsZeroPoint, rhsOffset, bias, lhsScale,
      getGroupSizeAttr(), getLhsUnsignedAttr(), getRhsUnsignedAttr(),
      getLhsGroupSizeAttr(), getRhsCodebookAttr());
  return TilingResult{{tiled}, {tiled.getResult()}, slicer.takeSlices()};
}

LogicalResult ScaledMatmulOp::getResultTilePosition(
    OpBuilder &, unsigned, ArrayRef<OpFoldResult> offsets,
    ArrayRef<OpFoldResult> sizes, SmallVector<OpFoldResult> &resultOffsets,
    SmallVector<OpFoldResult> &resultSizes) {
  resultOffsets.assign(offsets.begin(), offsets.end());
  resultSizes.assign(sizes.begin(), sizes.end());
  return success();
}

LogicalResult ScaledMatmulOp::getIterationDomainTileFromResultTile(
    OpBuilder &, unsigned, ArrayRef<OpFoldResult> offsets,
    ArrayRef<OpFoldResult> sizes, SmallVectorImpl<OpFoldResult> &domainOffsets,
    SmallVectorImpl<OpFoldResult> &domainSizes) {
  domainOffsets.assign(offsets.begin(), offsets.end());
  domainSizes.assign(sizes.begin(), sizes.end());
  return success();
}

FailureOr<TilingResult>
ScaledMatmulOp::generateResultTileValue(OpBuilder &b, unsigned,
                                        ArrayRef<OpFoldResult> offsets,
                                        ArrayRef<OpFoldResult> sizes) {
  return getTiledImplementation(b, offsets, sizes);
}
