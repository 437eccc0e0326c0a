//===- VerifyUtils.cpp - checks that several verifiers share --------------===//

#include "quant/Dialect/Quant/Utils/VerifyUtils.h"

#include "quant/Dialect/Quant/Utils/ConstantData.h"
#include "quant/Dialect/Quant/Utils/Constants.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace quantmlir;

std::string quantmlir::formatShape(ArrayRef<int64_t> shape) {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << "[";
  llvm::interleaveComma(shape, os, [&](int64_t size) {
    if (ShapedType::isDynamic(size))
      os << "?";
    else
      os << size;
  });
  os << "]";
  return text;
}

LogicalResult quantmlir::verifyAxes(Operation *op, ArrayRef<int64_t> axes,
                                    ShapedType input) {
  int64_t previous = -1;
  for (int64_t axis : axes) {
    if (axis <= previous || axis >= input.getRank())
      return op->emitOpError("expected strictly increasing axes in [0, ")
             << input.getRank() << "), but got " << formatShape(axes);
    previous = axis;
  }
  return success();
}

SmallVector<int64_t> quantmlir::getAxesShape(ArrayRef<int64_t> axes,
                                             ShapedType input) {
  return llvm::map_to_vector(
      axes, [&](int64_t axis) { return input.getDimSize(axis); });
}

LogicalResult quantmlir::verifyShape(Operation *op, StringRef what,
                                     ShapedType type,
                                     ArrayRef<int64_t> expected,
                                     StringRef why) {
  if (succeeded(verifyCompatibleShape(type.getShape(), expected)))
    return success();
  return op->emitOpError("expected ")
         << what << " of shape " << formatShape(expected) << " (" << why
         << "), but got " << type;
}

/// A static 1 where the run alone knows the size.
static bool isOneOfUnknown(ShapedType type, ArrayRef<int64_t> expected) {
  return !llvm::all_of_zip(type.getShape(), expected,
                           [](int64_t size, int64_t wanted) {
                             return size != 1 || !ShapedType::isDynamic(wanted);
                           });
}

LogicalResult quantmlir::verifyParameterShape(Operation *op, StringRef what,
                                              ShapedType type,
                                              ArrayRef<int64_t> expected,
                                              StringRef why) {
  if (failed(verifyShape(op, what, type, expected, why)))
    return failure();
  if (!isOneOfUnknown(type, expected))
    return success();
  return op->emitOpError("expected ")
         << what << " of shape " << formatShape(expected) << " (" << why
         << "), or of rank 0 for one value, but got " << type;
}

LogicalResult quantmlir::verifyScalarOrShape(Operation *op, StringRef what,
                                             ShapedType type,
                                             ArrayRef<int64_t> expected,
                                             StringRef why) {
  if (type.getRank() == 0 ||
      (succeeded(verifyCompatibleShape(type.getShape(), expected)) &&
       !isOneOfUnknown(type, expected)))
    return success();
  return op->emitOpError("expected ")
         << what << " of rank 0 or shape " << formatShape(expected) << " ("
         << why << "), but got " << type;
}

LogicalResult quantmlir::verifyOneKind(Operation *op) {
  for (Type type : op->getOperandTypes())
    if (isa<BaseMemRefType>(type) !=
        isa<BaseMemRefType>(op->getOperand(0).getType()))
      return op->emitOpError("expected operands that are all tensors or all "
                             "memrefs, but got ")
             << op->getOperand(0).getType() << " and " << type;
  // Kernels add and multiply sizes.
  for (Type type : op->getOperandTypes())
    if (auto shaped = dyn_cast<ShapedType>(type);
        shaped && shaped.hasRank() && !countBytes(shaped))
      return op->emitOpError("expected operands of less than 2^63 bytes, but "
                             "got ")
             << type;
  return success();
}

LogicalResult quantmlir::verifyRange(Operation *op, ArrayRef<int64_t> range,
                                     Type type, bool isUnsigned) {
  if (range.size() != 2 || range[0] >= range[1])
    return op->emitOpError("expected range = [qmin, qmax] with qmin < qmax, "
                           "but got ")
           << formatShape(range);
  if (!type)
    return success();
  StorageRange stored = getStorageRange(type, isUnsigned);
  if (stored.contains(StorageRange{range[0], range[1]}))
    return success();
  return op->emitOpError("expected range within [")
         << stored.min << ", " << stored.max << "] of "
         << (isUnsigned ? "unsigned " : "signed ") << type << ", but got "
         << formatShape(range);
}

LogicalResult quantmlir::verifySymmetricRange(Operation *op,
                                              ArrayRef<int64_t> range,
                                              Type type) {
  if (failed(verifyRange(op, range, type, /*isUnsigned=*/false)))
    return failure();
  if (range[0] >= 0 || range[1] <= 0)
    return op->emitOpError("expected a range around 0, but got [")
           << range[0] << ", " << range[1] << "]";
  return success();
}

LogicalResult quantmlir::verifyConstantScale(Operation *op, StringRef what,
                                             Value scale, ScaleRange range) {
  std::optional<FloatConstant> values = FloatConstant::get(scale);
  if (!values)
    return success();
  for (auto [i, value] : llvm::enumerate(values->getStored()))
    if (!std::isfinite(value) ||
        (range == ScaleRange::AboveZero && value <= 0.0f) ||
        (range == ScaleRange::FromZero && value < 0.0f))
      return op->emitOpError("expected a finite ")
             << what
             << (range == ScaleRange::AboveZero  ? " > 0"
                 : range == ScaleRange::FromZero ? " >= 0"
                                                 : "")
             << ", but element " << i << " is " << value;
  return success();
}

LogicalResult quantmlir::verifyConstantInRange(Operation *op, StringRef what,
                                               Value value,
                                               StorageRange range) {
  std::optional<IntConstant> values = IntConstant::get(value);
  if (!values)
    return success();
  for (int64_t i = 0, e = values->isSplat() ? 1 : values->size(); i < e; ++i)
    if (!range.contains((*values)[i]))
      return op->emitOpError("expected ")
             << what << " in [" << range.min << ", " << range.max
             << "], but element " << i << " is " << (*values)[i];
  return success();
}

LogicalResult quantmlir::verifyRotation(Operation *op, int64_t size,
                                        int64_t seed) {
  if (size < 2 || size > 256 || !llvm::isPowerOf2_64(size))
    return op->emitOpError("expected a size that is a power of two from 2 to "
                           "256, but got ")
           << size;
  if (seed < 0 || seed > std::numeric_limits<int32_t>::max())
    return op->emitOpError("expected a seed from 0 to 2147483647, but got ")
           << seed;
  return success();
}
