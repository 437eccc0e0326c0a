//===- ConstantParts.cpp - constants cut and padded -----------------------===//

#include "ConstantParts.h"

#include "mlir/IR/AsmState.h"
#include "mlir/IR/DialectResourceBlobManager.h"

#include "quant/Dialect/Quant/Utils/ConstantData.h"
#include "quant/Dialect/Quant/Utils/Constants.h"

using namespace mlir;
using namespace quantmlir;

ArrayRef<char> quantmlir::getStoredBytes(ElementsAttr attr) {
  if (auto dense = dyn_cast<DenseIntOrFPElementsAttr>(attr))
    return dense.getRawData();
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(attr))
    if (AsmResourceBlob *blob = resource.getRawHandle().getBlob())
      return blob->getData();
  return {};
}

/// A resource need not have the bytes of its type.
static bool holdsAll(ArrayRef<char> bytes, ShapedType type) {
  std::optional<int64_t> expected = countBytes(type);
  return expected && *expected == static_cast<int64_t>(bytes.size());
}

static int64_t getStoredWidth(Type element) {
  return llvm::divideCeil(element.getIntOrFloatBitWidth(), 8);
}

ElementsAttr quantmlir::cutConstant(ElementsAttr attr, RankedTensorType part,
                                    int64_t axis, int64_t offset) {
  if (auto splat = dyn_cast<SplatElementsAttr>(attr))
    return splat.resizeSplat(part);
  ArrayRef<char> bytes = getStoredBytes(attr);
  ArrayRef<int64_t> shape = attr.getShapedType().getShape();
  if (bytes.empty() || !holdsAll(bytes, attr.getShapedType()))
    return {};
  int64_t inner = getStoredWidth(part.getElementType());
  for (int64_t size : shape.drop_front(axis + 1))
    inner *= size;
  int64_t row = inner * shape[axis], rows = bytes.size() / row,
          length = inner * part.getDimSize(axis);
  return makeTensorAttr(part, "quant_part", [&](MutableArrayRef<char> to) {
    for (int64_t i = 0; i < rows; ++i)
      llvm::copy(bytes.slice(i * row + offset * inner, length),
                 to.begin() + i * length);
    if (part.getElementType().isInteger(4))
      for (char &nibble : to)
        nibble &= 0xF;
  });
}

/// Bytes of the slices along `axis` of a tensor, and how many there are.
static std::pair<int64_t, int64_t> getRuns(RankedTensorType type,
                                           int64_t axis) {
  int64_t inner = getStoredWidth(type.getElementType()), outer = 1;
  for (int64_t size : type.getShape().drop_front(axis + 1))
    inner *= size;
  for (int64_t size : type.getShape().take_front(axis))
    outer *= size;
  return {inner, outer};
}

ElementsAttr quantmlir::padConstant(ElementsAttr attr, RankedTensorType padded,
                                    int64_t axis, double padding) {
  // More than anybody stores, of a constant that is one number.
  constexpr int64_t mostBytes = int64_t(1) << 32;
  ArrayRef<char> bytes = getStoredBytes(attr);
  bool isSplat = isa<SplatElementsAttr>(attr);
  if (bytes.empty() || (!isSplat && !holdsAll(bytes, attr.getShapedType())) ||
      countBytes(padded).value_or(INT64_MAX) > mostBytes)
    return {};
  std::pair<int64_t, int64_t> runs = getRuns(padded, axis);
  int64_t inner = runs.first, outer = runs.second,
          run = inner * padded.getDimSize(axis),
          own = inner * attr.getShapedType().getDimSize(axis);
  auto one = static_cast<float>(padding);
  return makeTensorAttr(padded, "quant_padded", [&](MutableArrayRef<char> to) {
    for (int64_t i = 0; i < outer; ++i) {
      char *begin = to.begin() + i * run;
      for (int64_t byte = 0; byte < run; ++byte) {
        if (byte < own)
          begin[byte] =
              isSplat ? bytes[byte % bytes.size()] : bytes[i * own + byte];
        else
          begin[byte] =
              padding == 0
                  ? 0
                  : reinterpret_cast<const char *>(&one)[byte % sizeof(float)];
      }
    }
    if (padded.getElementType().isInteger(4))
      for (char &nibble : to)
        nibble &= 0xF;
  });
}
