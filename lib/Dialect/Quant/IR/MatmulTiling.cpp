//===- MatmulTiling.cpp - TilingInterface of quant.matmul -----------------===//
//
// The loops are b.., m, n (parallel) and k (reduction). A tile is the same op
// on slices of the operands and of init, so that tiles along k accumulate.
//
//===----------------------------------------------------------------------===//

#include "TilingUtils.h"

#include "quant/Dialect/Quant/IR/QuantOps.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace quantmlir;

SmallVector<utils::IteratorType> MatmulOp::getLoopIteratorTypes() {
  SmallVector<utils::IteratorType> types(getNumBatchDims() + 2,
                                         utils::IteratorType::parallel);
  types.push_back(utils::IteratorType::reduction);
  return types;
}

/// The size of the contracted dimension, from the operand that knows it.
static OpFoldResult getMixedK(OpBuilder &b, MatmulOp op) {
  RankedTensorType lhs = op.getLhs().getType();
  if (lhs.isDynamicDim(lhs.getRank() - 1))
    return tensor::getMixedSize(b, op.getLoc(), op.getRhs(), op.getRhsKDim());
  return b.getIndexAttr(lhs.getShape().back());
}

SmallVector<Range> MatmulOp::getIterationDomain(OpBuilder &b) {
  SmallVector<OpFoldResult> sizes =
      tensor::getMixedSizes(b, getLoc(), getInit());
  sizes.push_back(getMixedK(b, *this));
  return llvm::map_to_vector(sizes, [&](OpFoldResult size) {
    return Range{b.getIndexAttr(0), size, b.getIndexAttr(1)};
  });
}

FailureOr<TilingResult>
MatmulOp::getTiledImplementation(OpBuilder &b, ArrayRef<OpFoldResult> offsets,
                                 ArrayRef<OpFoldResult> sizes) {
  int64_t numBatch = getNumBatchDims();
  int64_t m = numBatch, n = numBatch + 1, k = numBatch + 2;
  SmallVector<int64_t> batch = llvm::to_vector(llvm::seq<int64_t>(numBatch));
  auto withBatch = [&](bool isBatched, ArrayRef<int64_t> dims) {
    SmallVector<int64_t> all;
    if (isBatched)
      all = batch;
    llvm::append_range(all, dims);
    return all;
  };
  SmallVector<int64_t> rhsDims = {k, n};
  if (getTransposeRhs())
    std::swap(rhsDims[0], rhsDims[1]);

  Slicer slicer(b, getLoc(), offsets, sizes);
  Value lhs = slicer.slice(getLhs(), withBatch(true, {m, k}));
  Value rhs = slicer.slice(getRhs(), withBatch(hasBatchedRhs(), rhsDims));
  Value lhsZeroPoint = slicer.slice(getLhsZeroPoint(), withBatch(true, {m}));
  Value rhsZeroPoint =
      slicer.slice(getRhsZeroPoint(), withBatch(hasBatchedRhs(), {n}));
  Value init = slicer.slice(getInit(), withBatch(true, {m, n}));
  auto tiled = MatmulOp::create(
      b, getLoc(), init.getType(), lhs, rhs, lhsZeroPoint, rhsZeroPoint, init,
      getTransposeRhs(), getLhsUnsigned(), getRhsUnsigned());
  return TilingResult{{tiled}, {tiled.getResult()}, slicer.takeSlices()};
}

LogicalResult MatmulOp::getResultTilePosition(
    OpBuilder &b, unsigned resultNumber, ArrayRef<OpFoldResult> offsets,
    ArrayRef<OpFoldResult> sizes, SmallVector<OpFoldResult> &resultOffsets,
    SmallVector<OpFoldResult> &resultSizes) {
  resultOffsets.assign(offsets.begin(), offsets.end() - 1);
  resultSizes.assign(sizes.begin(), sizes.end() - 1);
  return success();
}

LogicalResult MatmulOp::getIterationDomainTileFromResultTile(
    OpBuilder &b, unsigned resultNumber, ArrayRef<OpFoldResult> offsets,
    ArrayRef<OpFoldResult> sizes,
    SmallVectorImpl<OpFoldResult> &iterDomainOffsets,
    SmallVectorImpl<OpFoldResult> &iterDomainSizes) {
  // A tile of the result needs all of K.
  iterDomainOffsets.assign(offsets.begin(), offsets.end());
  iterDomainOffsets.push_back(b.getIndexAttr(0));
  iterDomainSizes.assign(sizes.begin(), sizes.end());
  iterDomainSizes.push_back(getMixedK(b, *this));
  return success();
}

FailureOr<TilingResult>
MatmulOp::generateResultTileValue(OpBuilder &b, unsigned resultNumber,
                                  ArrayRef<OpFoldResult> offsets,
                                  ArrayRef<OpFoldResult> sizes) {
  SmallVector<OpFoldResult> domainOffsets, domainSizes;
  if (failed(getIterationDomainTileFromResultTile(
          b, resultNumber, offsets, sizes, domainOffsets, domainSizes)))
    return failure();
  return getTiledImplementation(b, domainOffsets, domainSizes);
}
