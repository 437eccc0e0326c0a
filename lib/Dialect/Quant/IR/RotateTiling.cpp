//===- RotateTiling.cpp - tiles and shapes of rotate ----------------------===//
//
// The loops are those of all dimensions but the last, whose blocks stay whole.
//
//===----------------------------------------------------------------------===//

#include "TilingUtils.h"

#include "quant/Dialect/Quant/IR/QuantOps.h"

using namespace mlir;
using namespace quantmlir;

static int64_t getNumLoops(RotateOp op) {
  return op.getResult().getType().getRank() - 1;
}

SmallVector<utils::IteratorType> RotateOp::getLoopIteratorTypes() {
  return SmallVector<utils::IteratorType>(getNumLoops(*this),
                                          utils::IteratorType::parallel);
}

SmallVector<Range> RotateOp::getIterationDomain(OpBuilder &b) {
  SmallVector<OpFoldResult> sizes =
      tensor::getMixedSizes(b, getLoc(), getInput());
  sizes.pop_back();
  return llvm::map_to_vector(sizes, [&](OpFoldResult size) {
    return Range{b.getIndexAttr(0), size, b.getIndexAttr(1)};
  });
}

FailureOr<TilingResult>
RotateOp::getTiledImplementation(OpBuilder &b, ArrayRef<OpFoldResult> offsets,
                                 ArrayRef<OpFoldResult> sizes) {
  RankedTensorType type = getResult().getType();
  SmallVector<OpFoldResult> allOffsets(offsets), allSizes(sizes);
  allOffsets.push_back(b.getIndexAttr(0));
  allSizes.push_back(b.getIndexAttr(type.getShape().back()));
  Slicer slicer(b, getLoc(), allOffsets, allSizes);
  Value input = slicer.slice(
      getInput(), llvm::to_vector(llvm::seq<int64_t>(0, type.getRank())));
  auto sliced = cast<RankedTensorType>(input.getType());
  auto tiled =
      RotateOp::create(b, getLoc(), sliced.clone(type.getElementType()), input,
                       getSize(), getSeed());
  return TilingResult{{tiled}, {tiled.getResult()}, slicer.takeSlices()};
}

LogicalResult RotateOp::getResultTilePosition(
    OpBuilder &b, unsigned, ArrayRef<OpFoldResult> offsets,
    ArrayRef<OpFoldResult> sizes, SmallVector<OpFoldResult> &resultOffsets,
    SmallVector<OpFoldResult> &resultSizes) {
  resultOffsets.assign(offsets.begin(), offsets.end());
  resultSizes.assign(sizes.begin(), sizes.end());
  resultOffsets.push_back(b.getIndexAttr(0));
  resultSizes.push_back(
      b.getIndexAttr(getResult().getType().getShape().back()));
  return success();
}

LogicalResult RotateOp::getIterationDomainTileFromResultTile(
    OpBuilder &, unsigned, ArrayRef<OpFoldResult> offsets,
    ArrayRef<OpFoldResult> sizes, SmallVectorImpl<OpFoldResult> &domainOffsets,
    SmallVectorImpl<OpFoldResult> &domainSizes) {
  // Part of a row needs all of its blocks.
  int64_t k = getResult().getType().getShape().back();
  if (getConstantIntValue(offsets.back()) != 0 ||
      getConstantIntValue(sizes.back()) != k)
    return failure();
  domainOffsets.assign(offsets.begin(), offsets.end() - 1);
  domainSizes.assign(sizes.begin(), sizes.end() - 1);
  return success();
}

FailureOr<TilingResult>
RotateOp::generateResultTileValue(OpBuilder &b, unsigned,
                                  ArrayRef<OpFoldResult> offsets,
                                  ArrayRef<OpFoldResult> sizes) {
  SmallVector<OpFoldResult> domainOffsets, domainSizes;
  if (failed(getIterationDomainTileFromResultTile(b, 0, offsets, sizes,
                                                  domainOffsets, domainSizes)))
    return failure();
  return getTiledImplementation(b, domainOffsets, domainSizes);
}

LogicalResult RotateOp::reifyResultShapes(OpBuilder &b,
                                          ReifiedRankedShapedTypeDims &shapes) {
  shapes.assign({tensor::getMixedSizes(b, getLoc(), getInput())});
  return success();
}
