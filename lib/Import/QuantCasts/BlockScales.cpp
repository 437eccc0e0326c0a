//===- BlockScales.cpp - scales of blocks ---------------------------------===//

#include "BlockScales.h"

#include "StoredGrid.h"

#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace quantmlir;

/// Elements of a block along each dimension: all, where the type says nothing.
static SmallVector<int64_t>
getBlockSizes(RankedTensorType tensor,
              quant::UniformQuantizedSubChannelType type) {
  SmallVector<int64_t> sizes(tensor.getShape());
  for (auto [dim, size] : type.getBlockSizeInfo())
    sizes[dim] = size;
  return sizes;
}

FailureOr<BlockScales>
quantmlir::readBlockScales(RankedTensorType tensor,
                           quant::UniformQuantizedSubChannelType type,
                           std::string &reason) {
  if (!tensor.hasStaticShape()) {
    reason = "expected static sizes for scales of blocks";
    return failure();
  }
  SmallVector<int64_t> block = getBlockSizes(tensor, type);
  int64_t rank = tensor.getRank(), split = -1;
  for (int64_t dim = 0; dim < rank; ++dim)
    if (block[dim] > 1 && block[dim] < tensor.getDimSize(dim))
      split = dim;

  BlockScales result;
  // For each axis: its size, and how many steps of it have one scale.
  SmallVector<int64_t> extents, repeats, dims;
  int64_t position = 0;
  for (int64_t dim = 0; dim < rank; ++dim) {
    int64_t size = tensor.getDimSize(dim);
    if (block[dim] < size) {
      result.axes.push_back(position);
      dims.push_back(dim);
      extents.push_back(dim == split ? size / block[dim] : size);
      repeats.push_back(dim == split ? 1 : block[dim]);
    }
    ReassociationIndices group{position++};
    if (dim == split) {
      result.splitShape.push_back(size / block[dim]);
      size = block[dim];
      group.push_back(position++);
    }
    result.splitShape.push_back(size);
    result.groups.push_back(std::move(group));
  }
  if (split < 0) {
    result.splitShape.clear();
    result.groups.clear();
  }

  SmallVector<float> scales;
  SmallVector<int32_t> zeroPoints;
  readBlockParameters(type, scales, zeroPoints);
  SmallVector<int64_t> index(extents.size(), 0);
  for (int64_t i = 0, e = llvm::product_of(extents); i < e; ++i) {
    // Where the blocks of this step are in the type's tensors of scales.
    int64_t at = 0;
    for (int64_t dim = 0; dim < rank; ++dim) {
      const auto *axis = llvm::find(dims, dim);
      at = at * (tensor.getDimSize(dim) / block[dim]) +
           (axis == dims.end()
                ? 0
                : index[axis - dims.begin()] / repeats[axis - dims.begin()]);
    }
    result.scales.push_back(scales[at]);
    result.zeroPoints.push_back(zeroPoints[at]);
    for (int64_t axis = index.size() - 1; axis >= 0; --axis) {
      if (++index[axis] < extents[axis])
        break;
      index[axis] = 0;
    }
  }
  return result;
}
