//===- EmitConstantStored.cpp - integers with constant parameters ---------===//
//
// A constant's integers are evaluated once. Where scales are negative, a block
// is mirrored within its range, `q' = min + max - q`, and so is its zero point:
// the real values stay what they are. A block whose scale is 0 holds zeros.
//
//===----------------------------------------------------------------------===//

#include "StoredTensors.h"

#include "quant/Dialect/Quant/IR/NarrowConstant.h"
#include "quant/Dialect/Quant/Utils/Constants.h"
#include "quant/Import/Contraction/ConstantLayout.h"
#include "quant/Import/Contraction/MatmulEmitter.h"
#include "quant/Import/Elements/EmitElement.h"
#include "quant/Import/Elements/Gather.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Tensor/Utils/Utils.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/IR/Matchers.h"

#include <limits>

using namespace mlir;
using namespace quantmlir;

namespace {

/// What becomes of the integers of a block that has one scale.
struct BlockRange {
  int64_t min = std::numeric_limits<int64_t>::max();
  int64_t max = std::numeric_limits<int64_t>::min();
};

/// Emits one stored element whose parameters are constants.
class ConstantEmitter {
public:
  ConstantEmitter(const ElementSite &site, const StoredElement &stored,
                  ConstantParameters parameters)
      : site(site), elements(site.elements), stored(stored),
        parameters(std::move(parameters)) {}

  std::optional<StoredTensor> emit();

private:
  ArrayRef<int64_t> getShape() const { return elements.getShape(); }
  void splitChannels();
  void chooseDims();
  bool mirror();
  bool fitsOwnStorage() const;
  bool readRanges();
  bool chooseStorage();
  Value emitInts();
  Value reuseConstant();
  Value evaluateInts();
  int64_t readStored(int64_t value) const;
  /// The split coordinate with its last group filled up.
  int64_t getPaddedSize() const {
    return llvm::alignTo(getShape()[splitCoordinate], groupSize);
  }
  template <typename Take>
  void forEachStored(ArrayRef<int64_t> dims, Take take);
  void emitParameters();
  Value splitInts(Value ints);

  const ElementSite &site;
  Elements &elements;
  const StoredElement &stored;
  ConstantParameters parameters;
  StoredTensor result;
  Storage storage;
  /// For each block: whether it is mirrored, about what sum, or all zero.
  std::vector<int64_t> mirrorSums;
  std::vector<char> isMirrored, isZero;
  std::vector<BlockRange> ranges;
  bool isConstant = false, isChanged = false;
  /// The coordinate that is split, and how many of its elements are a group.
  int64_t splitCoordinate = -1, groupSize = 0;
};

} // namespace

/// Neighbours that have a parameter in common are no group where nothing sums
/// over them: each has its own.
void ConstantEmitter::splitChannels() {
  if (site.summed.empty())
    return;
  SmallVector<int64_t> steps = parameters.steps;
  for (auto [dim, step] : llvm::enumerate(steps))
    if (step > 1 && !site.summed.test(dim))
      step = 1;
  if (steps != parameters.steps)
    parameters = parameters.refine(steps, getShape());
}

/// Coordinates that matter, and which one is split.
void ConstantEmitter::chooseDims() {
  groupEqualParameters(parameters, getShape(), site.summed);
  splitChannels();
  llvm::SmallBitVector dependence = getDependence(elements, stored.stored);
  for (int64_t dim = 0, rank = getShape().size(); dim < rank; ++dim) {
    int64_t step = parameters.steps[dim];
    bool isRepeated =
        !dependence.test(dim) && step == 0 && getShape()[dim] != 1;
    if (isRepeated && !(isConstant && site.isWhole))
      continue;
    result.dims.push_back(dim);
    if (step > 1)
      splitCoordinate = dim;
  }
  if (splitCoordinate >= 0)
    groupSize = parameters.steps[splitCoordinate];
  if (parameters.orderedDim >= 0) {
    result.orderedDim =
        llvm::find(result.dims, parameters.orderedDim) - result.dims.begin();
    result.order = parameters.order;
    isChanged = true;
  }
  // Blocks in more than one dimension: along the others each step has its own
  // copy of the parameters.
  if (splitCoordinate < 0)
    return;
  SmallVector<int64_t> steps = parameters.steps;
  for (auto [dim, step] : llvm::enumerate(steps))
    if (step > 1 && static_cast<int64_t>(dim) != splitCoordinate)
      step = 1;
  if (steps == parameters.steps)
    return;
  parameters = parameters.refine(steps, getShape());
}

/// An evaluated element of `stored` as the integer that it stands for.
int64_t ConstantEmitter::readStored(int64_t value) const {
  unsigned bits = stored.stored->type.getIntOrFloatBitWidth();
  if (bits <= 8 && stored.isUnsigned)
    return value & ((int64_t(1) << bits) - 1);
  return value;
}

/// Calls `take(position, value, block)` for each integer, the coordinates
/// `dims` in order.
template <typename Take>
void ConstantEmitter::forEachStored(ArrayRef<int64_t> dims, Take take) {
  ElementGrid grid;
  grid.sizes.assign(getShape().size(), 1);
  grid.steps.assign(getShape().size(), 1);
  for (int64_t dim : dims)
    grid.sizes[dim] = getShape()[dim];
  SmallVector<int64_t> strides = parameters.getStrides();
  SmallVector<int64_t> at(grid.sizes.size(), 0);
  // Where each element comes to stand when groups are brought together.
  SmallVector<int64_t> places = invertPermutationVector(parameters.order);
  auto getPosition = [&](int64_t given, ArrayRef<int64_t> moved) {
    if (places.empty())
      return given;
    int64_t position = 0;
    for (auto [place, size] : llvm::zip_equal(moved, grid.sizes))
      position = position * size + place;
    return position;
  };
  evaluateIntegers(
      elements, stored.stored, grid,
      [&](int64_t first, ArrayRef<int64_t> values) {
        SmallVector<int64_t> moved;
        for (auto [i, value] : llvm::enumerate(values)) {
          int64_t block = 0;
          moved = at;
          if (!places.empty())
            moved[parameters.orderedDim] = places[at[parameters.orderedDim]];
          for (auto [dim, position] : llvm::enumerate(moved))
            block += position / parameters.grid.steps[dim] * strides[dim];
          take(getPosition(first + i, moved), readStored(value), block);
          for (int64_t dim = at.size() - 1; dim >= 0; --dim) {
            if (++at[dim] < grid.sizes[dim])
              break;
            at[dim] = 0;
          }
        }
      });
}

/// Whether the program's own storage holds all there is to store: nothing has
/// to be evaluated to know it.
bool ConstantEmitter::fitsOwnStorage() const {
  unsigned bits = stored.stored->type.getIntOrFloatBitWidth();
  if (!isStoredType(stored.stored->type) || (bits != 8 && bits != 4) ||
      !llvm::all_of(parameters.scales, [](float scale) { return scale > 0; }))
    return false;
  Storage own{bits, stored.isUnsigned, 0};
  return llvm::all_of(parameters.zeros,
                      [&](int64_t zero) { return own.holds(zero, zero); });
}

/// The extremes of each block; fails where numbers are too large to store.
bool ConstantEmitter::readRanges() {
  ranges.assign(parameters.scales.size(), BlockRange());
  forEachStored(result.dims, [&](int64_t, int64_t value, int64_t block) {
    ranges[block].min = std::min(ranges[block].min, value);
    ranges[block].max = std::max(ranges[block].max, value);
  });
  return llvm::all_of(ranges, [](const BlockRange &range) {
    return range.max <= (int64_t(1) << 31) && range.min >= -(int64_t(1) << 31);
  });
}

/// Makes all scales > 0.
bool ConstantEmitter::mirror() {
  size_t size = parameters.scales.size();
  isMirrored.assign(size, 0);
  isZero.assign(size, 0);
  mirrorSums.assign(size, 0);
  unsigned bits = stored.stored->type.getIntOrFloatBitWidth();
  for (size_t i = 0; i < size; ++i) {
    float &scale = parameters.scales[i];
    if (scale > 0)
      continue;
    isChanged = true;
    if (!isConstant)
      return false;
    if (scale == 0) {
      isZero[i] = 1;
      scale = 1;
      parameters.zeros[i] = 0;
      continue;
    }
    isMirrored[i] = 1;
    scale = -scale;
    // About 0 where that fits, else within the range of the type.
    int64_t least = bits <= 8 ? -(int64_t(1) << (bits - 1)) : INT64_MIN;
    if (bits <= 8 && stored.isUnsigned)
      mirrorSums[i] = (int64_t(1) << bits) - 1;
    else if (std::min(ranges[i].min, parameters.zeros[i]) == least)
      mirrorSums[i] = -1;
    parameters.zeros[i] = mirrorSums[i] - parameters.zeros[i];
  }
  return true;
}

/// The program's own storage if all fits, else the narrowest that holds all.
bool ConstantEmitter::chooseStorage() {
  unsigned bits = stored.stored->type.getIntOrFloatBitWidth();
  int64_t min = 0, max = 0;
  bool isFirst = true;
  auto add = [&](int64_t low, int64_t high) {
    min = isFirst ? low : std::min(min, low);
    max = isFirst ? high : std::max(max, high);
    isFirst = false;
  };
  for (int64_t zero : parameters.zeros)
    add(zero, zero);
  if (!isConstant) {
    bits = getStoredBits(stored);
    storage = {bits, stored.isUnsigned, 0};
    if (!storage.holds(min, max))
      refuseZero(site, storage,
                 std::to_string(storage.holds(min, min) ? max : min));
    return (bits == 8 || bits == 4) && storage.holds(min, max);
  }
  for (auto [i, range] : llvm::enumerate(ranges)) {
    if (range.min > range.max)
      continue;
    if (isZero[i])
      add(0, 0);
    else if (isMirrored[i])
      add(mirrorSums[i] - range.max, mirrorSums[i] - range.min);
    else
      add(range.min, range.max);
  }
  SmallVector<Storage> candidates;
  if (bits == 8 || bits == 4)
    candidates.push_back({bits, stored.isUnsigned, 0});
  for (unsigned width : {4u, 8u})
    for (bool isUnsigned : {false, true})
      if (bits != 8 || width == 8)
        candidates.push_back({width, isUnsigned, 0});
  candidates.push_back({8, false, -128 - min});
  for (const Storage &candidate : candidates)
    if (candidate.holds(min, max)) {
      storage = candidate;
      isChanged = isChanged || storage.bits != bits || storage.shift != 0 ||
                  storage.isUnsigned != stored.isUnsigned;
      return true;
    }
  return false;
}

/// The program's own constant, where it can stay as it is.
Value ConstantEmitter::reuseConstant() {
  const Element *element = stored.stored;
  while (element && element->kind == Element::Kind::Tensor &&
         !matchPattern(element->value, m_Constant()))
    element = elements.expand(element);
  if (isChanged || !element || element->kind != Element::Kind::Tensor)
    return {};
  Value whole =
      emitElement(site.builder, site.loc, element, result.dims, site.sizes);
  if (whole && matchPattern(whole, m_Constant()))
    return whole;
  if (whole && whole.getDefiningOp())
    eraseDeadChain(whole.getDefiningOp());
  return {};
}

Value ConstantEmitter::evaluateInts() {
  SmallVector<int64_t> shape;
  for (int64_t dim : result.dims)
    shape.push_back(getShape()[dim]);
  std::vector<int8_t> values(llvm::product_of(shape));
  forEachStored(result.dims, [&](int64_t i, int64_t value, int64_t block) {
    int64_t kept = isZero[block]       ? 0
                   : isMirrored[block] ? mirrorSums[block] - value
                                       : value;
    values[i] = static_cast<int8_t>(kept + storage.shift);
  });
  auto type =
      RankedTensorType::get(shape, site.builder.getIntegerType(storage.bits));
  if (storage.bits == 4)
    return createNarrowConstant(site.builder, site.loc, type, values);
  return arith::ConstantOp::create(site.builder, site.loc,
                                   makeIntTensorAttr(type, values));
}

Value ConstantEmitter::emitInts() {
  if (!isConstant) {
    Value given = emitGivenInts(site, stored, result.dims);
    return given && result.orderedDim >= 0
               ? emitGather(site.builder, site.loc,
                            {given, result.orderedDim, result.order})
               : given;
  }
  if (Value constant = reuseConstant())
    return constant;
  return evaluateInts();
}

/// The split coordinate as groups, the last one padded with what stands for 0.
Value ConstantEmitter::splitInts(Value ints) {
  auto type = cast<RankedTensorType>(ints.getType());
  OpBuilder &builder = site.builder;
  SmallVector<int64_t> padded, split;
  for (auto [position, dim] : llvm::enumerate(result.dims)) {
    int64_t size = type.getDimSize(position);
    ReassociationIndices group{static_cast<int64_t>(split.size())};
    if (dim == splitCoordinate) {
      result.splitDim = position;
      result.mergedSize = getShape()[dim];
      padded.push_back(getPaddedSize());
      split.push_back(getPaddedSize() / groupSize);
      group.push_back(split.size());
      split.push_back(groupSize);
    } else {
      padded.push_back(size);
      split.push_back(size);
    }
    result.groups.push_back(std::move(group));
  }
  auto splitType = RankedTensorType::get(split, type.getElementType());
  if (padded != SmallVector<int64_t>(type.getShape())) {
    // Zero points differ between groups; a tail of any integers is cut off
    // again, so that 0 is as good as another.
    Value zero = arith::ConstantOp::create(
        builder, site.loc, builder.getIntegerAttr(type.getElementType(), 0));
    ints = tensor::createPadHighOp(type.clone(padded), ints, zero,
                                   /*nofold=*/false, site.loc, builder);
  }
  if (Value constant = reshapeConstant(builder, site.loc, ints, splitType))
    return constant;
  return tensor::ExpandShapeOp::create(builder, site.loc, splitType, ints,
                                       result.groups);
}

void ConstantEmitter::emitParameters() {
  OpBuilder &builder = site.builder;
  SmallVector<int64_t> shape;
  int64_t position = 0;
  for (int64_t dim : result.dims) {
    if (parameters.steps[dim] != 0) {
      result.axes.push_back(position);
      shape.push_back(parameters.grid.sizes[dim]);
    }
    position += dim == splitCoordinate ? 2 : 1;
  }
  auto type = RankedTensorType::get(shape, builder.getF32Type());
  if (!stored.factors.empty())
    result.scale = arith::ConstantOp::create(
        builder, site.loc, makeFloatTensorAttr(type, parameters.scales));
  std::vector<int32_t> zeros;
  for (int64_t zero : parameters.zeros)
    zeros.push_back(zero + storage.shift);
  if (llvm::any_of(zeros, [](int32_t zero) { return zero != 0; }))
    result.zeroPoint = arith::ConstantOp::create(
        builder, site.loc,
        makeI32TensorAttr(type.clone(builder.getI32Type()), zeros));
}

std::optional<StoredTensor> ConstantEmitter::emit() {
  isConstant = isConstantElement(elements, stored.stored);
  chooseDims();
  // Groups must be of a known number.
  auto isStatic = [&](int64_t dim) {
    return !ShapedType::isDynamic(getShape()[dim]);
  };
  if ((isConstant || splitCoordinate >= 0) &&
      !llvm::all_of(result.dims, isStatic))
    return std::nullopt;
  if ((isConstant && !fitsOwnStorage() && !readRanges()) || !mirror() ||
      !chooseStorage())
    return std::nullopt;
  Value ints = emitInts();
  if (!ints)
    return std::nullopt;
  result.isUnsigned = storage.isUnsigned;
  emitParameters();
  result.ints = splitCoordinate >= 0 ? splitInts(ints) : ints;
  return result;
}

std::optional<StoredTensor>
quantmlir::emitConstantStored(const ElementSite &site,
                              const StoredElement &stored,
                              ConstantParameters parameters) {
  return ConstantEmitter(site, stored, std::move(parameters)).emit();
}
