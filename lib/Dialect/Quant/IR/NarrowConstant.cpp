//===- NarrowConstant.cpp - constants of 4 and 2 bits ---------------------===//

#include "quant/Dialect/Quant/IR/NarrowConstant.h"

#include "Canonicalize.h"

#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Dialect/Quant/Utils/Constants.h"
#include "quant/Reference/Reference.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace quantmlir;

Value quantmlir::getPackedBytes(Value value) {
  if (auto unpack = value.getDefiningOp<UnpackInt4Op>())
    return unpack.getInput();
  if (auto unpack = value.getDefiningOp<UnpackInt2Op>())
    return unpack.getInput();
  return {};
}

Value quantmlir::unpackBytes(OpBuilder &builder, Location loc,
                             RankedTensorType type, Value bytes) {
  if (type.getElementType().isInteger(2))
    return UnpackInt2Op::create(builder, loc, type, bytes);
  return UnpackInt4Op::create(builder, loc, type, bytes);
}

static bool isNarrow(Type element) {
  return element.isInteger(4) || element.isInteger(2);
}

static bool mayStayPlain(RankedTensorType type) {
  return type.getRank() == 0 ||
         type.getNumElements() <= kMaxInlineConstantBytes;
}

ElementsAttr quantmlir::makePackedAttr(RankedTensorType type,
                                       ArrayRef<int8_t> values) {
  constexpr unsigned byte = 8;
  unsigned bits = type.getElementTypeBitWidth();
  SmallVector<int64_t> shape(type.getShape());
  int64_t rowLength = shape.back();
  shape.back() = llvm::divideCeil(rowLength, byte / bits);
  auto packedType =
      RankedTensorType::get(shape, IntegerType::get(type.getContext(), byte));
  return makeTensorAttr(
      packedType, bits == 2 ? "quant_weight_int2" : "quant_weight_int4",
      [&](MutableArrayRef<char> out) {
        reference::packElements(
            bits, values, rowLength,
            {reinterpret_cast<int8_t *>(out.data()), out.size()});
      });
}

Value quantmlir::createNarrowConstant(OpBuilder &builder, Location loc,
                                      RankedTensorType type,
                                      ArrayRef<int8_t> values) {
  if (mayStayPlain(type))
    return createConstant(builder, loc, makeIntTensorAttr(type, values));
  return unpackBytes(
      builder, loc, type,
      createConstant(builder, loc, makePackedAttr(type, values)));
}

Value quantmlir::packNarrowConstant(OpBuilder &builder, Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  if (!isNarrow(type.getElementType()) || !type.hasStaticShape() ||
      mayStayPlain(type))
    return {};
  std::optional<IntConstant> constant = IntConstant::get(value);
  // All elements in one take no room.
  if (!constant || constant->isSplat())
    return {};
  std::vector<int8_t> values(constant->size());
  for (int64_t i = 0, e = constant->size(); i < e; ++i)
    values[i] = static_cast<int8_t>((*constant)[i]);
  return createNarrowConstant(builder, value.getLoc(), type, values);
}
