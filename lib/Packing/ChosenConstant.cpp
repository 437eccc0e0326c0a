//===- ChosenConstant.cpp - one of several constants ----------------------===//

#include "ChosenConstant.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "quant/Dialect/Quant/Utils/Constants.h"

using namespace mlir;
using namespace quantmlir;

tensor::ExtractSliceOp quantmlir::getChoice(Value value) {
  auto slice = value.getDefiningOp<tensor::ExtractSliceOp>();
  if (!slice)
    return {};
  RankedTensorType source = slice.getSourceType();
  bool isChoice = source.getRank() == slice.getType().getRank() + 1 &&
                  source.hasStaticShape() && slice.hasUnitStride() &&
                  slice.getOffsets().size() == 1 && slice.isDynamicOffset(0) &&
                  slice.getDroppedDims().test(0) &&
                  source.getShape().drop_front() == slice.getType().getShape();
  return isChoice ? slice : tensor::ExtractSliceOp();
}

std::optional<ChosenConstant> ChosenConstant::get(Value value) {
  ChosenConstant constant{value, Value()};
  if (tensor::ExtractSliceOp choice = getChoice(value)) {
    constant.all = choice.getSource();
    constant.index = choice.getDynamicOffset(0);
    constant.count = choice.getSourceType().getDimSize(0);
  }
  if (!IntConstant::get(constant.all))
    return std::nullopt;
  return constant;
}

Value quantmlir::slicePart(OpBuilder &b, Location loc, Value all, int64_t dim,
                           int64_t size, Value index) {
  SmallVector<int64_t> shape(cast<RankedTensorType>(all.getType()).getShape());
  SmallVector<OpFoldResult> offsets(shape.size(), b.getIndexAttr(0)),
      strides(shape.size(), b.getIndexAttr(1));
  shape[dim] = size;
  Value step = arith::ConstantIndexOp::create(b, loc, size);
  offsets[dim] = arith::MulIOp::create(b, loc, index, step).getResult();
  return tensor::ExtractSliceOp::create(
      b, loc, all, offsets, getAsIndexOpFoldResult(b.getContext(), shape),
      strides);
}

Value ChosenConstant::choose(OpBuilder &b, Location loc, Value packed,
                             bool isOwnDim) const {
  if (!index)
    return packed;
  auto type = cast<RankedTensorType>(packed.getType());
  if (!isOwnDim)
    return slicePart(b, loc, packed, /*dim=*/0, type.getDimSize(0) / count,
                     index);
  SmallVector<OpFoldResult> offsets(type.getRank(), b.getIndexAttr(0)),
      strides(type.getRank(), b.getIndexAttr(1)),
      sizes = getAsIndexOpFoldResult(b.getContext(), type.getShape());
  offsets.front() = index;
  sizes.front() = b.getIndexAttr(1);
  auto part = RankedTensorType::get(type.getShape().drop_front(),
                                    type.getElementType());
  return tensor::ExtractSliceOp::create(b, loc, part, packed, offsets, sizes,
                                        strides);
}
