//===- WidenedOperand.cpp - integers behind widening ops ------------------===//
//
// `MatMulInteger` arrives as arithmetic that widens bytes and subtracts their
// zero point, then a matmul of i32 or i64. The widths are given back here, so
// that the products are those of bytes again.
//
//===----------------------------------------------------------------------===//

#include "quant/Import/Linalg/WidenedOperand.h"

#include "quant/Import/QDQ/EmitStored.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace quantmlir;

std::optional<QuantizedOperand>
quantmlir::matchWidened(OpBuilder &builder, const LoopTensor &tensor,
                        std::string &reason) {
  LoopTensor root = traceMovement(tensor);
  Type element = root.getType().getElementType();
  if (!element.isInteger() || element.getIntOrFloatBitWidth() <= 8)
    return std::nullopt;
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointAfterValue(root.value);
  Location loc = root.value.getLoc();
  Elements elements(builder.getContext(), root.getType().getShape());
  std::optional<StoredElement> stored =
      matchStored(elements, elements.getRoot(root.value));
  if (!stored)
    return std::nullopt;
  ElementSite site{builder, loc, elements,
                   tensor::getMixedSizes(builder, loc, root.value), &reason};
  // A contraction walks the repeated elements, too.
  site.isWhole = root.getType().hasStaticShape();
  std::optional<StoredTensor> emitted = emitStored(site, *stored);
  if (!emitted || !emitted->groups.empty() || emitted->orderedDim >= 0 ||
      !stored->factors.empty())
    return std::nullopt;
  QuantizedOperand operand;
  operand.isUnsigned = emitted->isUnsigned;
  operand.ints.value = emitted->ints;
  for (int64_t dim : emitted->dims)
    operand.ints.loops.push_back(root.loops[dim]);
  if (emitted->zeroPoint) {
    operand.zeroPoint.value = emitted->zeroPoint;
    for (int64_t axis : emitted->axes)
      operand.zeroPoint.loops.push_back(operand.ints.loops[axis]);
  }
  return operand;
}
