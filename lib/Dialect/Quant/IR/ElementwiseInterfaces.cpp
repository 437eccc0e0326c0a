//===- ElementwiseInterfaces.cpp - tiling and shapes ----------------------===//
//
// quantize, dequantize and the rescales compute each element by itself: a loop
// for each dimension of the result, all parallel. A tile is the same op on
// slices of its operands; a scale, zero point or bias is sliced along the
// dimensions that it has. tensor.dim of a result is answered by the operands.
//
//===----------------------------------------------------------------------===//

#include "TilingUtils.h"

#include "quant/Dialect/Quant/IR/QuantOps.h"

using namespace mlir;
using namespace quantmlir;

//===----------------------------------------------------------------------===//
// The loops along which each operand runs
//===----------------------------------------------------------------------===//

/// All dimensions of the result, but the last `dropped` ones.
static SmallVector<int64_t> getLeadingDims(Value result, int64_t dropped = 0) {
  int64_t rank = cast<RankedTensorType>(result.getType()).getRank();
  return llvm::to_vector(llvm::seq<int64_t>(rank - dropped));
}
static SmallVector<int64_t> getLastDim(Value result) {
  return {cast<RankedTensorType>(result.getType()).getRank() - 1};
}

/// The loops of `operand`, of an op with `axes`.
template <typename OpT>
static SmallVector<int64_t> getAxesOperandDims(OpT op, OpOperand &operand) {
  if (operand.get() == op.getInput())
    return getLeadingDims(op.getResult());
  return SmallVector<int64_t>(op.getAxes());
}

static SmallVector<int64_t> getOperandDims(QuantizeOp op, OpOperand &operand) {
  return getAxesOperandDims(op, operand);
}
static SmallVector<int64_t> getOperandDims(DequantizeOp op,
                                           OpOperand &operand) {
  return getAxesOperandDims(op, operand);
}
static SmallVector<int64_t> getOperandDims(RescaleOp op, OpOperand &operand) {
  auto residual = op.getResidualMutable();
  bool isResidual = !residual.empty() && &*residual.begin() == &operand;
  if (operand.getOperandNumber() == 0 || isResidual)
    return getLeadingDims(op.getResult());
  auto row = op.getRowScaleMutable();
  bool isRow = !row.empty() && &*row.begin() == &operand;
  return isRow ? getLeadingDims(op.getResult(), /*dropped=*/1)
               : getLastDim(op.getResult());
}
static SmallVector<int64_t> getOperandDims(RescaleFixedPointOp op,
                                           OpOperand &operand) {
  return operand.getOperandNumber() == 0 ? getLeadingDims(op.getResult())
                                         : getLastDim(op.getResult());
}

//===----------------------------------------------------------------------===//
// Tiling
//===----------------------------------------------------------------------===//

template <typename OpT>
static FailureOr<TilingResult> tile(OpT op, OpBuilder &b,
                                    ArrayRef<OpFoldResult> offsets,
                                    ArrayRef<OpFoldResult> sizes) {
  Slicer slicer(b, op.getLoc(), offsets, sizes);
  SmallVector<Value> operands;
  for (OpOperand &operand : op->getOpOperands())
    operands.push_back(
        slicer.slice(operand.get(), getOperandDims(op, operand)));
  auto sliced = cast<RankedTensorType>(operands.front().getType());
  Type type = sliced.clone(op.getResult().getType().getElementType());
  Operation *tiled = mlir::clone(b, op, type, operands);
  return TilingResult{
      {tiled}, SmallVector<Value>(tiled->getResults()), slicer.takeSlices()};
}

static SmallVector<Range> getDomain(OpBuilder &b, Location loc, Value operand) {
  return llvm::map_to_vector(
      tensor::getMixedSizes(b, loc, operand), [&](OpFoldResult size) {
        return Range{b.getIndexAttr(0), size, b.getIndexAttr(1)};
      });
}

static LogicalResult reify(OpBuilder &b, Location loc, Value operand,
                           ReifiedRankedShapedTypeDims &shapes) {
  shapes.assign({tensor::getMixedSizes(b, loc, operand)});
  return success();
}

// Each element of the result is one iteration: positions are the same.
#define QUANT_ELEMENTWISE_INTERFACES(OP)                                       \
  SmallVector<utils::IteratorType> OP::getLoopIteratorTypes() {                \
    return SmallVector<utils::IteratorType>(getResult().getType().getRank(),   \
                                            utils::IteratorType::parallel);    \
  }                                                                            \
  SmallVector<Range> OP::getIterationDomain(OpBuilder &b) {                    \
    return getDomain(b, getLoc(), getOperand(0));                              \
  }                                                                            \
  FailureOr<TilingResult> OP::getTiledImplementation(                          \
      OpBuilder &b, ArrayRef<OpFoldResult> offsets,                            \
      ArrayRef<OpFoldResult> sizes) {                                          \
    return tile(*this, b, offsets, sizes);                                     \
  }                                                                            \
  FailureOr<TilingResult> OP::generateResultTileValue(                         \
      OpBuilder &b, unsigned, ArrayRef<OpFoldResult> offsets,                  \
      ArrayRef<OpFoldResult> sizes) {                                          \
    return tile(*this, b, offsets, sizes);                                     \
  }                                                                            \
  LogicalResult OP::getResultTilePosition(                                     \
      OpBuilder &, unsigned, ArrayRef<OpFoldResult> offsets,                   \
      ArrayRef<OpFoldResult> sizes, SmallVector<OpFoldResult> &resultOffsets,  \
      SmallVector<OpFoldResult> &resultSizes) {                                \
    resultOffsets.assign(offsets.begin(), offsets.end());                      \
    resultSizes.assign(sizes.begin(), sizes.end());                            \
    return success();                                                          \
  }                                                                            \
  LogicalResult OP::getIterationDomainTileFromResultTile(                      \
      OpBuilder &, unsigned, ArrayRef<OpFoldResult> offsets,                   \
      ArrayRef<OpFoldResult> sizes,                                            \
      SmallVectorImpl<OpFoldResult> &domainOffsets,                            \
      SmallVectorImpl<OpFoldResult> &domainSizes) {                            \
    domainOffsets.assign(offsets.begin(), offsets.end());                      \
    domainSizes.assign(sizes.begin(), sizes.end());                            \
    return success();                                                          \
  }                                                                            \
  LogicalResult OP::reifyResultShapes(OpBuilder &b,                            \
                                      ReifiedRankedShapedTypeDims &shapes) {   \
    return reify(b, getLoc(), getOperand(0), shapes);                          \
  }

QUANT_ELEMENTWISE_INTERFACES(QuantizeOp)
QUANT_ELEMENTWISE_INTERFACES(DequantizeOp)
QUANT_ELEMENTWISE_INTERFACES(RescaleOp)
QUANT_ELEMENTWISE_INTERFACES(RescaleFixedPointOp)

#undef QUANT_ELEMENTWISE_INTERFACES

//===----------------------------------------------------------------------===//
// choose_qparams: shapes only
//===----------------------------------------------------------------------===//

LogicalResult
ChooseQParamsOp::reifyResultShapes(OpBuilder &b,
                                   ReifiedRankedShapedTypeDims &shapes) {
  SmallVector<OpFoldResult> sizes;
  for (int64_t axis : getAxes())
    sizes.push_back(tensor::getMixedSize(b, getLoc(), getInput(), axis));
  shapes.assign(getNumResults(), sizes);
  return success();
}
