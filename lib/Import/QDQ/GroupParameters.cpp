//===- GroupParameters.cpp - groups that are looked up by index -----------===//
//
// GPTQ's exports gather the scale of each row by an index tensor, `g_idx`. In
// order, equal neighbours are a group; with activation order (`desc_act`) the
// members of a group stand anywhere, and are brought together.
//
//===----------------------------------------------------------------------===//

#include "Parameters.h"

#include "llvm/ADT/Hashing.h"
#include "llvm/ADT/bit.h"

#include <algorithm>
#include <numeric>
#include <unordered_map>

using namespace mlir;
using namespace quantmlir;

namespace {
/// Parameters as lines along one coordinate.
class Lines {
public:
  Lines(const ConstantParameters &parameters, int64_t dim)
      : parameters(parameters), size(parameters.grid.sizes[dim]) {
    stride = 1;
    for (size_t i = dim + 1; i < parameters.grid.sizes.size(); ++i)
      stride *= parameters.grid.sizes[i];
  }

  bool areEqual(int64_t a, int64_t b) const {
    for (int64_t start = 0, e = parameters.scales.size(); start < e;
         start += size * stride)
      for (int64_t i = 0; i < stride; ++i) {
        int64_t x = start + a * stride + i, y = start + b * stride + i;
        if (parameters.scales[x] != parameters.scales[y] ||
            parameters.zeros[x] != parameters.zeros[y])
          return false;
      }
    return true;
  }

  llvm::hash_code hash(int64_t at) const {
    llvm::hash_code code(0);
    for (int64_t start = 0, e = parameters.scales.size(); start < e;
         start += size * stride)
      for (int64_t i = 0; i < stride; ++i) {
        int64_t x = start + at * stride + i;
        code = llvm::hash_combine(
            code, llvm::bit_cast<uint32_t>(parameters.scales[x]),
            parameters.zeros[x]);
      }
    return code;
  }

private:
  const ConstantParameters &parameters;
  int64_t size, stride;
};
} // namespace

/// The elements that have each line of parameters in common; none where there
/// are too many lines to be those of groups.
static std::vector<std::vector<int64_t>> gatherEqual(const Lines &lines,
                                                     int64_t size) {
  std::vector<std::vector<int64_t>> classes;
  std::unordered_map<size_t, std::vector<size_t>> known;
  for (int64_t i = 0; i < size; ++i) {
    std::vector<size_t> &candidates = known[lines.hash(i)];
    auto found = llvm::find_if(candidates, [&](size_t index) {
      return lines.areEqual(classes[index].front(), i);
    });
    if (found != candidates.end()) {
      classes[*found].push_back(i);
      continue;
    }
    candidates.push_back(classes.size());
    classes.push_back({i});
    if (classes.size() > llvm::divideCeil(size, 2))
      return {};
  }
  return classes;
}

/// The elements of `dim` brought together by their parameters, and the size of
/// a group, the largest there is; 0 where they make no groups of one size (the
/// last may be shorter). Groups may have the same parameters.
static int64_t orderGroups(const Lines &lines, int64_t size,
                           SmallVectorImpl<int64_t> &order) {
  std::vector<std::vector<int64_t>> classes = gatherEqual(lines, size);
  size_t group = 0;
  for (const std::vector<int64_t> &members : classes)
    group = std::max(group, members.size());
  auto isWhole = [&](const std::vector<int64_t> &members) {
    return members.size() % group == 0;
  };
  while (group > 1 && llvm::count_if(classes, isWhole) + 1 <
                          static_cast<int64_t>(classes.size()))
    --group;
  if (group < 2)
    return 0;
  std::stable_partition(classes.begin(), classes.end(), isWhole);
  for (const std::vector<int64_t> &members : classes)
    llvm::append_range(order, members);
  return group;
}

/// Keeps every `step`-th parameter along `dim`, in `order` where there is one.
static void coarsen(ConstantParameters &parameters, int64_t dim, int64_t step,
                    ArrayRef<int64_t> order) {
  ConstantParameters coarse = parameters;
  int64_t size = parameters.grid.sizes[dim], stride = 1;
  for (size_t i = dim + 1; i < parameters.grid.sizes.size(); ++i)
    stride *= parameters.grid.sizes[i];
  coarse.scales.clear();
  coarse.zeros.clear();
  for (int64_t start = 0, e = parameters.scales.size(); start < e;
       start += size * stride)
    for (int64_t at = 0; at < size; at += step)
      for (int64_t i = 0; i < stride; ++i) {
        int64_t from = start + (order.empty() ? at : order[at]) * stride + i;
        coarse.scales.push_back(parameters.scales[from]);
        coarse.zeros.push_back(parameters.zeros[from]);
      }
  coarse.grid.sizes[dim] = llvm::divideCeil(size, step);
  coarse.grid.steps[dim] = step;
  coarse.steps[dim] = step >= size ? 0 : step;
  parameters = std::move(coarse);
}

void quantmlir::groupEqualParameters(ConstantParameters &parameters,
                                     ArrayRef<int64_t> shape,
                                     const llvm::SmallBitVector &summed) {
  int64_t numElements = 1, numDims = 0;
  for (int64_t size : shape) {
    if (ShapedType::isDynamic(size))
      return;
    numElements *= size;
    numDims += size > 1;
  }
  if (numDims < (summed.any() ? 1 : 2) || parameters.grid.size() != numElements)
    return;
  for (int64_t dim = 0, rank = shape.size(); dim < rank; ++dim) {
    int64_t size = shape[dim];
    if (parameters.steps[dim] != 1 || size < 2)
      continue;
    Lines lines(parameters, dim);
    int64_t step = 0;
    for (int64_t i = 1; i < size && step != 1; ++i)
      if (!lines.areEqual(i - 1, i))
        step = std::gcd(step, i);
    if (step != 0 && !summed.empty() && !summed.test(dim))
      continue;
    if (step != 1) {
      coarsen(parameters, dim, step == 0 ? size : step, {});
      continue;
    }
    SmallVector<int64_t> order;
    if (parameters.orderedDim >= 0)
      continue;
    if (int64_t group = orderGroups(lines, size, order)) {
      coarsen(parameters, dim, group, order);
      parameters.orderedDim = dim;
      parameters.order = std::move(order);
    }
  }
}
