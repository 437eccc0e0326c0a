//===- ConstantLayout.cpp - constants in another shape --------------------===//

#include "quant/Import/Contraction/ConstantLayout.h"

#include "quant/Dialect/Quant/Utils/Constants.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Matchers.h"

#include <cstring>

using namespace mlir;
using namespace quantmlir;

Value quantmlir::reshapeConstant(OpBuilder &builder, Location loc, Value value,
                                 RankedTensorType type) {
  ElementsAttr attr;
  if (!type.hasStaticShape() || !matchPattern(value, m_Constant(&attr)))
    return {};
  ElementsAttr reshaped;
  if (auto dense = dyn_cast<DenseElementsAttr>(attr))
    reshaped = dense.reshape(type);
  else if (auto resource = dyn_cast<DenseResourceElementsAttr>(attr))
    reshaped = DenseResourceElementsAttr::get(type, resource.getRawHandle());
  else
    return {};
  return arith::ConstantOp::create(builder, loc, type, reshaped);
}

/// The stored bytes of `attr`, empty when there are none.
static ArrayRef<char> getStoredBytes(ElementsAttr attr) {
  if (auto dense = dyn_cast<DenseElementsAttr>(attr))
    return dense.getRawData();
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(attr))
    if (AsmResourceBlob *blob = resource.getRawHandle().getBlob())
      return blob->getData();
  return {};
}

Value quantmlir::transposeConstant(OpBuilder &builder, Location loc,
                                   Value value, ArrayRef<int64_t> permutation) {
  ElementsAttr attr;
  auto type = cast<RankedTensorType>(value.getType());
  if (!type.hasStaticShape() || !type.getElementType().isIntOrFloat() ||
      !matchPattern(value, m_Constant(&attr)))
    return {};
  auto transposed = RankedTensorType::get(
      applyPermutation(type.getShape(), permutation), type.getElementType());
  auto dense = dyn_cast<DenseElementsAttr>(attr);
  if (dense && dense.isSplat())
    return reshapeConstant(builder, loc, value, transposed);

  // Elements take whole bytes, those of 4 bits one.
  unsigned bits = type.getElementTypeBitWidth();
  size_t size = bits == 4 ? 1 : bits / 8;
  ArrayRef<char> source = getStoredBytes(attr);
  if ((bits % 8 != 0 && bits != 4) ||
      source.size() != size * type.getNumElements())
    return {};
  SmallVector<int64_t> strides = computeStrides(type.getShape());
  applyPermutationToVector(strides, permutation);
  auto fill = [&](MutableArrayRef<char> target) {
    SmallVector<int64_t> index(type.getRank(), 0);
    int64_t from = 0;
    for (char *to = target.begin(); to != target.end(); to += size) {
      std::memcpy(to, source.data() + from * size, size);
      // Count up like an odometer, the last dimension fastest.
      for (int64_t dim = type.getRank() - 1; dim >= 0; --dim) {
        from += strides[dim];
        if (++index[dim] < transposed.getDimSize(dim))
          break;
        from -= strides[dim] * index[dim];
        index[dim] = 0;
      }
    }
  };
  return arith::ConstantOp::create(
      builder, loc, makeTensorAttr(transposed, "quant_weight", fill));
}
