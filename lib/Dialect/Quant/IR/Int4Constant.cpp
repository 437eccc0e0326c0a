//===- Int4Constant.cpp - constants of 4 bits, as they are stored ---------===//

#include "quant/Dialect/Quant/IR/Int4Constant.h"

#include "Canonicalize.h"

#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Dialect/Quant/Utils/Constants.h"
#include "quant/Reference/Reference.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace quantmlir;

static bool mayStayPlain(RankedTensorType type) {
  return type.getRank() == 0 ||
         type.getNumElements() <= kMaxInlineConstantBytes;
}

Value quantmlir::createInt4Constant(OpBuilder &builder, Location loc,
                                    RankedTensorType type,
                                    ArrayRef<int8_t> values) {
  if (mayStayPlain(type))
    return createConstant(builder, loc, makeIntTensorAttr(type, values));
  SmallVector<int64_t> shape(type.getShape());
  int64_t rowLength = shape.back();
  shape.back() = llvm::divideCeil(rowLength, 2);
  auto packedType = RankedTensorType::get(shape, builder.getI8Type());
  ElementsAttr packed = makeTensorAttr(
      packedType, "quant_weight_int4", [&](MutableArrayRef<char> out) {
        reference::packInt4(
            values, rowLength,
            {reinterpret_cast<int8_t *>(out.data()), out.size()});
      });
  return UnpackInt4Op::create(builder, loc, type,
                              createConstant(builder, loc, packed));
}

Value quantmlir::packInt4Constant(OpBuilder &builder, Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  if (!type.getElementType().isInteger(4) || !type.hasStaticShape() ||
      mayStayPlain(type))
    return {};
  std::optional<IntConstant> constant = IntConstant::get(value);
  // All elements in one take no room.
  if (!constant || constant->isSplat())
    return {};
  std::vector<int8_t> values(constant->size());
  for (int64_t i = 0, e = constant->size(); i < e; ++i)
    values[i] = static_cast<int8_t>((*constant)[i]);
  return createInt4Constant(builder, value.getLoc(), type, values);
}
