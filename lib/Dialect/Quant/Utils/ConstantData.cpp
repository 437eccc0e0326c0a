//===- ConstantData.cpp - constants have their bytes ----------------------===//

#include "quant/Dialect/Quant/Utils/ConstantData.h"

#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/Interfaces/ShapedOpInterfaces.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace quantmlir;

std::optional<int64_t> quantmlir::countBytes(ShapedType type) {
  int64_t size = 1;
  if (Type element = type.getElementType(); element.isIntOrFloat())
    size = llvm::divideCeil(element.getIntOrFloatBitWidth(), 8u);
  // Also where a later size is 0: who multiplies them multiplies in order.
  for (int64_t dim : type.getShape())
    if (!ShapedType::isDynamic(dim) &&
        (dim < 0 || llvm::MulOverflow(size, dim, size)))
      return std::nullopt;
  return size;
}

static LogicalResult verifyData(Operation *op, DenseResourceElementsAttr attr) {
  ShapedType type = attr.getType();
  StringRef key = attr.getRawHandle().getKey();
  AsmResourceBlob *blob = attr.getRawHandle().getBlob();
  if (!blob)
    return op->emitError("the constant has no data: the file does not hold the "
                         "resource '")
           << key << "' (utils/attach-weights.py puts it in)";
  // i1 is stored in bits or in bytes; of other types upstream knows.
  Type element = type.getElementType();
  if (!element.isIntOrFloat() || element.isInteger(1))
    return success();
  std::optional<int64_t> size = countBytes(type);
  size_t found = blob->getData().size();
  if (size && static_cast<size_t>(*size) == found)
    return success();
  InFlightDiagnostic error = op->emitError("resource '")
                             << key << "': expected ";
  if (size)
    error << *size << " bytes";
  else
    error << "more bytes than there can be";
  return error << " for " << type << ", found " << found;
}

LogicalResult quantmlir::verifyConstantData(Operation *op) {
  LogicalResult whole = success();
  auto verify = [&](DenseResourceElementsAttr attr) {
    if (succeeded(whole))
      whole = verifyData(op, attr);
  };
  op->getDiscardableAttrDictionary().walk(verify);
  if (Attribute properties = op->getPropertiesAsAttribute())
    properties.walk(verify);
  return whole;
}

/// A size that is asked for is one of the operand's: upstream's lowering reads
/// past the sizes.
static LogicalResult verifyDim(Operation *op) {
  auto dim = dyn_cast<ShapedDimOpInterface>(op);
  if (!dim)
    return success();
  auto type = dyn_cast<ShapedType>(dim.getShapedValue().getType());
  std::optional<int64_t> index = getConstantIntValue(dim.getDimension());
  if (!type || !type.hasRank() || !index ||
      (*index >= 0 && *index < type.getRank()))
    return success();
  return op->emitOpError("expected a dimension of ")
         << type << ", found " << *index;
}

LogicalResult quantmlir::verifyTensorSizes(Operation *op) {
  for (Type type : op->getResultTypes())
    if (auto shaped = dyn_cast<RankedTensorType>(type);
        shaped && !countBytes(shaped))
      return op->emitOpError("expected a tensor of less than 2^63 bytes, but "
                             "got ")
             << shaped;
  return verifyDim(op);
}
