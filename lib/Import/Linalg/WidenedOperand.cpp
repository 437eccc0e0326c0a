//===- WidenedOperand.cpp - integers behind widening ops ------------------===//
//
// `MatMulInteger` arrives as `ext`, then `sub` of the zero point, each an
// elementwise op of its own, then a matmul of i32 or i64. The widths are given
// back here, so that the products are those of bytes again.
//
//===----------------------------------------------------------------------===//

#include "quant/Import/Linalg/WidenedOperand.h"

#include "quant/Dialect/Quant/Utils/Constants.h"
#include "quant/Dialect/Quant/Utils/StorageRange.h"
#include "quant/Import/Contraction/MatmulEmitter.h"
#include "quant/Import/QDQGenerics/QDQGenerics.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace quantmlir;

namespace {
/// An input of an elementwise op, extended or not.
struct Extended {
  BodyParameter input;
  bool isExtended = false, isUnsigned = false;

  RankedTensorType getType() const {
    return cast<RankedTensorType>(input.value.getType());
  }
};
} // namespace

static std::optional<Extended> matchExtended(linalg::GenericOp op,
                                             Value value) {
  Extended extended;
  if (Operation *def = value.getDefiningOp();
      isa_and_nonnull<arith::ExtSIOp, arith::ExtUIOp>(def)) {
    extended.isExtended = true;
    extended.isUnsigned = isa<arith::ExtUIOp>(def);
    value = def->getOperand(0);
  }
  std::optional<BodyParameter> input = matchParameter(op, value);
  if (!input || !input->isTensor)
    return std::nullopt;
  extended.input = *input;
  return extended;
}

/// A zero point of the same width as its operand, as i32; no value if it
/// cannot be, and a null one if it is 0.
static std::optional<Value> emitZeroPoint(OpBuilder &builder, Location loc,
                                          Extended zeroPoint) {
  zeroPoint.input.value = emitWithoutUnitDims(builder, loc, zeroPoint.input);
  RankedTensorType type = zeroPoint.getType();
  if (!zeroPoint.isExtended || !type.getElementType().isInteger(8))
    return std::nullopt;
  if (isZeroConstant(zeroPoint.input.value))
    return Value();
  RankedTensorType wide = type.clone(builder.getI32Type());
  if (auto constants = getConstantInts(zeroPoint.input.value)) {
    SmallVector<int32_t> values;
    for (int64_t constant : *constants)
      values.push_back(zeroPoint.isUnsigned ? (constant & 0xFF) : constant);
    return Value(arith::ConstantOp::create(builder, loc,
                                           makeI32TensorAttr(wide, values)));
  }
  if (type.getRank() != 0)
    return std::nullopt;
  Value scalar = tensor::ExtractOp::create(builder, loc, zeroPoint.input.value,
                                           ValueRange{});
  Type i32 = builder.getI32Type();
  scalar = zeroPoint.isUnsigned
               ? Value(arith::ExtUIOp::create(builder, loc, i32, scalar))
               : Value(arith::ExtSIOp::create(builder, loc, i32, scalar));
  return Value(tensor::FromElementsOp::create(builder, loc, wide, scalar));
}

/// A zero point that is read with the other sign than its operand may lie out
/// of the operand's range; it stays where it is known not to.
static bool isInRange(const QuantizedOperand &operand, bool zeroIsUnsigned,
                      std::string &reason) {
  if (!operand.hasZeroPoint())
    return true;
  StorageRange range = getStorageRange(operand.ints.getType().getElementType(),
                                       operand.isUnsigned);
  auto describe = [&] {
    return "expected a zero point in [" + std::to_string(range.min) + ", " +
           std::to_string(range.max) + "], as the " +
           (operand.isUnsigned ? "unsigned" : "signed") +
           " integers that it belongs to, found ";
  };
  if (auto constants = IntConstant::get(operand.zeroPoint.value)) {
    for (int64_t i = 0, e = constants->size(); i < e; ++i)
      if (!range.contains((*constants)[i])) {
        reason = describe() + std::to_string((*constants)[i]);
        return false;
      }
    return true;
  }
  if (zeroIsUnsigned == operand.isUnsigned &&
      operand.ints.getType().getElementType().isInteger(8))
    return true;
  reason = describe() + (zeroIsUnsigned ? "an unsigned" : "a signed") +
           " byte of the run time";
  return false;
}

std::optional<QuantizedOperand>
quantmlir::matchWidened(OpBuilder &builder, const LoopTensor &tensor,
                        std::string &reason) {
  QuantizedOperand operand;
  bool zeroIsUnsigned = false;
  LoopTensor current = traceMovement(tensor);
  // At most a subtraction and an extension.
  for (int step = 0; step < 2; ++step) {
    auto op = current.value.getDefiningOp<linalg::GenericOp>();
    if (!op || !isElementwise(op))
      return std::nullopt;
    Value yielded = op.getBlock()->getTerminator()->getOperand(0);
    auto sub = yielded.getDefiningOp<arith::SubIOp>();
    std::optional<Extended> source =
        matchExtended(op, sub ? sub.getLhs() : yielded);
    if (!source || (sub && operand.hasZeroPoint()) ||
        static_cast<int64_t>(source->input.axes.size()) != op.getNumLoops())
      return std::nullopt;
    if (sub) {
      std::optional<Extended> zeroPoint = matchExtended(op, sub.getRhs());
      if (!zeroPoint)
        return std::nullopt;
      std::optional<Value> value =
          emitZeroPoint(builder, op.getLoc(), *zeroPoint);
      if (!value)
        return std::nullopt;
      SmallVector<int64_t> loops;
      for (int64_t axis : zeroPoint->input.axes)
        loops.push_back(current.loops[axis]);
      if (*value)
        operand.zeroPoint = {*value, loops};
      zeroIsUnsigned = zeroPoint->isUnsigned;
    }
    current = traceMovement({source->input.value, current.loops});
    Type element = source->getType().getElementType();
    if (!source->isExtended)
      continue;
    if (!element.isInteger(8) && !element.isInteger(4))
      return std::nullopt;
    operand.isUnsigned = source->isUnsigned;
    operand.ints = current;
    if (!isInRange(operand, zeroIsUnsigned, reason))
      return std::nullopt;
    return operand;
  }
  return std::nullopt;
}
