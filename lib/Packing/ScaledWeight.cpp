//===- ScaledWeight.cpp - a grouped weight as the kernel reads it ---------===//

#include "ScaledWeight.h"

#include "ChosenConstant.h"
#include "quant/Dialect/Quant/IR/NarrowConstant.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace quantmlir;

/// Chooses how many bits an element is packed in.
static void chooseBits(GroupLayout &layout, ScaledMatmulOp op,
                       const qtarget::KernelRow &row) {
  unsigned bits = op.getRhs().getType().getElementTypeBitWidth();
  layout.bits = bits;
  if (op.getRhsCodebook() && !row.grouped.looksUpCodes) {
    layout.bits = 8;
  } else if (bits < row.grouped.leastBits) {
    layout.bits = row.grouped.leastBits;
    layout.widened =
        row.name.str() + " unpacks no elements of " + std::to_string(bits);
  } else if (bits == 2 && layout.groups > 1 &&
             layout.groupSize % layout.stepSize() != 0) {
    layout.widened = "groups of " + std::to_string(layout.groupSize) +
                     " are not a multiple of " +
                     std::to_string(layout.stepSize());
    layout.bits = 4;
  }
}

/// The groups of `op` as the kernel steps through them, or a reason why it
/// cannot.
static std::optional<GroupLayout> getLayout(ScaledMatmulOp op,
                                            const qtarget::KernelRow &row,
                                            std::string &reason) {
  RankedTensorType rhs = op.getRhs().getType();
  if (!rhs.hasStaticShape() || rhs.getNumElements() == 0) {
    reason = "the weight's sizes are dynamic or 0";
    return std::nullopt;
  }
  GroupLayout layout;
  layout.n = rhs.getDimSize(0);
  layout.k = rhs.getDimSize(1);
  layout.lanes = row.grouped.panelColumns;
  layout.groupSize = op.getLongestGroup();
  layout.sharedSize =
      std::min(static_cast<int64_t>(op.getGroupSize()), layout.k);
  layout.groups = llvm::divideCeil(layout.k, layout.groupSize);
  chooseBits(layout, op, row);
  layout.paddedGroup = llvm::alignTo(layout.groupSize, layout.stepSize());
  if (layout.groups > 1 && layout.paddedGroup != layout.groupSize) {
    reason = "groups of " + std::to_string(layout.groupSize) +
             " are not a multiple of " + std::to_string(layout.stepSize());
    return std::nullopt;
  }
  return layout;
}

Value ScaledWeight::getAll(Value parameter) const {
  if (!group.index || !parameter)
    return parameter;
  tensor::ExtractSliceOp choice = getChoice(parameter);
  return choice && choice.getDynamicOffset(0) == group.index
             ? choice.getSource()
             : Value();
}

/// Values of [N, shared groups] for each group, [N, K/G].
template <typename To, typename From>
static SmallVector<To> spread(const GroupLayout &layout, From &&values) {
  SmallVector<To> all;
  for (int64_t n = 0; n < layout.allColumns(); ++n)
    for (int64_t g = 0; g < layout.groups; ++g)
      all.push_back(
          static_cast<To>(values[n * layout.numShared() + layout.shared(g)]));
  return all;
}

SmallVector<float> ScaledWeight::getFloats(Value parameter) const {
  return spread<float>(group, *getConstantFloats(getAll(parameter)));
}

std::optional<ScaledWeight> ScaledWeight::get(ScaledMatmulOp op,
                                              const qtarget::KernelRow &row,
                                              std::string &reason) {
  std::optional<GroupLayout> layout = getLayout(op, row, reason);
  if (!layout)
    return std::nullopt;
  ScaledWeight weight;
  weight.group = *layout;
  Value source = op.getRhs();
  weight.storedBits = op.getRhs().getType().getElementTypeBitWidth();
  if (Value bytes = getPackedBytes(source)) {
    source = bytes;
    weight.logPerByte = llvm::Log2_32(8 / weight.storedBits);
  }
  tensor::ExtractSliceOp choice = getChoice(source);
  // A GPU keeps its constants: it would be sent a part of one in every call.
  if (choice && !row.grouped.takesZeroPoints) {
    source = choice.getSource();
    weight.group.count = choice.getSourceType().getDimSize(0);
    weight.group.index = choice.getDynamicOffset(0);
  }
  std::optional<IntConstant> values = IntConstant::get(source);
  if (!values) {
    reason = "the weight is not a constant";
    return std::nullopt;
  }
  ArrayRef<int8_t> direct = values->getBytes();
  if (direct.empty()) {
    weight.owned.resize(values->size());
    for (auto [i, byte] : llvm::enumerate(weight.owned))
      byte = static_cast<uint8_t>((*values)[i]);
    weight.bytes = weight.owned;
  } else {
    weight.bytes = {reinterpret_cast<const uint8_t *>(direct.data()),
                    direct.size()};
  }
  weight.isUnsigned = row.grouped.storesUnsigned(layout->bits);
  if (std::optional<ArrayRef<int8_t>> codes = op.getRhsCodebook()) {
    weight.added = row.grouped.isWeightUnsigned ? 128 : 0;
    for (int8_t code : *codes)
      weight.codes.push_back(code + weight.added);
  } else if (op.getRhsUnsigned() != weight.isUnsigned) {
    weight.flip = 1 << (weight.storedBits - 1);
    weight.added = op.getRhsUnsigned() ? -weight.flip : weight.flip;
  }
  weight.setZeroPoints(op);
  return weight;
}

void ScaledWeight::setZeroPoints(ScaledMatmulOp op) {
  zeros.assign(1, added);
  if (!op.getRhsZeroPoint())
    return;
  Value all = getAll(op.getRhsZeroPoint());
  std::optional<SmallVector<int64_t>> values;
  if (all)
    values = getConstantInts(all);
  // Without values the op is not packed.
  if (!values)
    return;
  zeros.clear();
  for (int64_t z : spread<int64_t>(group, *values))
    zeros.push_back(static_cast<int32_t>(z) + added);
  if (!llvm::all_equal(zeros)) {
    int32_t kept = *llvm::max_element(zeros);
    int32_t other = (isUnsigned ? (1 << storedBits) - 1 : -1) - kept;
    if (!llvm::all_of(zeros,
                      [&](int32_t z) { return z == kept || z == other; }))
      return;
    for (int32_t &z : zeros) {
      mirrored.push_back(z == other);
      z = kept;
    }
  }
  zeros.resize(1);
}

SmallVector<float> ScaledWeight::orient(SmallVector<float> scales) const {
  for (auto [scale, isMirrored] : llvm::zip(scales, mirrored))
    if (isMirrored)
      scale = -scale;
  return scales;
}

/// The panels of the chosen weight, of those of all in dimension `dim`.
static Value choosePanels(OpBuilder &b, Location loc, const GroupLayout &layout,
                          Value all, int64_t dim) {
  return layout.index
             ? slicePart(b, loc, all, dim, layout.panels(), layout.index)
             : all;
}

Value ScaledWeight::pack(OpBuilder &b, Location loc) const {
  int64_t lanes = group.lanes, steps = group.steps(), panels = group.panels();
  auto type = RankedTensorType::get(
      {group.allPanels(), group.groups, steps, lanes, 4}, b.getI8Type());
  // An element of a group in the program's order; padding is 0.
  auto read = [&](int64_t which, int64_t n, int64_t g, int64_t i) -> int32_t {
    return n < group.n && i < group.length(g)
               ? at(which * group.n + n, g * group.groupSize + i)
               : 0;
  };
  auto fill = [&](MutableArrayRef<char> out) {
    int64_t next = 0;
    for (int64_t panel = 0; panel < group.allPanels(); ++panel)
      for (int64_t g = 0; g < group.groups; ++g)
        for (int64_t step = 0; step < steps; ++step)
          for (int64_t lane = 0; lane < lanes; ++lane)
            for (int64_t p = 0; p < 4; ++p) {
              int64_t which = panel / panels;
              int64_t n = panel % panels * lanes + lane;
              int64_t i = step * group.stepSize() + p;
              int32_t byte = 0;
              for (int64_t j = 0; j < group.perByte(); ++j)
                byte |= read(which, n, g, i + 4 * j) << (group.bits * j);
              out[next++] = static_cast<char>(byte);
            }
  };
  Value all = arith::ConstantOp::create(
      b, loc, type, makeTensorAttr(type, "quant_packed", fill));
  return choosePanels(b, loc, group, all, /*dim=*/0);
}

void ScaledWeight::readPacked(RewriterBase &b, ScaledMatmulOp op,
                              Value panels) const {
  Value constant = op.getRhs();
  // Bytes as they are, or with the sign bit flipped.
  bool isPlain = storedBits == 8 && group.bits == 8 && !group.index &&
                 codes.empty() && mirrored.empty();
  Operation *definition = constant.getDefiningOp();
  if (!isPlain || !isa_and_nonnull<arith::ConstantOp>(definition))
    return;
  SmallVector<tensor::ExtractOp> lookups;
  for (Operation *user : constant.getUsers())
    if (auto extract = dyn_cast<tensor::ExtractOp>(user))
      lookups.push_back(extract);
    else if (user != op)
      return;
  if (lookups.empty())
    return;
  b.moveOpAfter(panels.getDefiningOp(), definition);
  for (tensor::ExtractOp extract : lookups) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(extract);
    Location loc = extract.getLoc();
    auto divide = [&](Value value, int64_t by) {
      Value size = arith::ConstantIndexOp::create(b, loc, by);
      Value quotient = arith::DivUIOp::create(b, loc, value, size);
      Value rest = arith::RemUIOp::create(b, loc, value, size);
      return std::make_pair(quotient, rest);
    };
    auto [panel, lane] = divide(extract.getIndices()[0], group.lanes);
    auto [number, inGroup] = divide(extract.getIndices()[1], group.groupSize);
    auto [step, place] = divide(inGroup, group.stepSize());
    Value byte = tensor::ExtractOp::create(
        b, loc, panels, ValueRange{panel, number, step, lane, place});
    if (flip) {
      Value sign =
          arith::ConstantOp::create(b, loc, b.getI8IntegerAttr(int8_t(flip)));
      byte = arith::XOrIOp::create(b, loc, byte, sign);
    }
    b.replaceOp(extract, byte);
  }
}

std::vector<int32_t> ScaledWeight::sumGroups() const {
  std::vector<int32_t> sums(group.allColumns() * group.groups, 0);
  for (int64_t n = 0; n < group.allColumns(); ++n)
    for (int64_t k = 0; k < group.k; ++k)
      sums[n * group.groups + k / group.groupSize] += number(n, k);
  return sums;
}

std::vector<int32_t> ScaledWeight::zeroPointsOfGroups() const {
  if (zeros.size() > 1)
    return zeros;
  return std::vector<int32_t>(group.allColumns() * group.groups, zeros.front());
}

std::vector<int32_t> ScaledWeight::sumDifferences() const {
  std::vector<int32_t> sums = sumGroups(), zeroPoints = zeroPointsOfGroups();
  for (auto [i, sum] : llvm::enumerate(sums))
    sum -= zeroPoints[i] * static_cast<int32_t>(group.length(i % group.groups));
  return sums;
}

/// Calls `put(to, from)` for each value of [N, K/G] and its place in
/// [N/NR][K/G][NR].
static void forEachGroupValue(const GroupLayout &layout,
                              function_ref<void(int64_t, int64_t)> put) {
  for (int64_t n = 0; n < layout.allColumns(); ++n)
    for (int64_t g = 0; g < layout.groups; ++g) {
      int64_t own = n % layout.n, lane = own % layout.lanes;
      int64_t panel = n / layout.n * layout.panels() + own / layout.lanes;
      put((panel * layout.groups + g) * layout.lanes + lane,
          n * layout.groups + g);
    }
}

static int64_t packedSize(const GroupLayout &layout) {
  return layout.allPanels() * layout.groups * layout.lanes;
}

Value quantmlir::packGroupFloats(OpBuilder &b, Location loc,
                                 const GroupLayout &layout, Type element,
                                 ArrayRef<float> values) {
  std::vector<float> packed(packedSize(layout), 0.0f);
  forEachGroupValue(
      layout, [&](int64_t to, int64_t from) { packed[to] = values[from]; });
  auto type = RankedTensorType::get(
      {layout.allPanels(), layout.groups, layout.lanes}, element);
  Value all = arith::ConstantOp::create(
      b, loc, type, makeFloatTensorAttr(type, packed, "quant_packed"));
  return choosePanels(b, loc, layout, all, /*dim=*/0);
}

Value quantmlir::packGroupInts(OpBuilder &b, Location loc,
                               const GroupLayout &layout,
                               ArrayRef<int32_t> values) {
  std::vector<int32_t> packed(packedSize(layout), 0);
  forEachGroupValue(
      layout, [&](int64_t to, int64_t from) { packed[to] = values[from]; });
  auto type = RankedTensorType::get(
      {layout.allPanels(), layout.groups, layout.lanes}, b.getI32Type());
  Value all = arith::ConstantOp::create(
      b, loc, type, makeI32TensorAttr(type, packed, "quant_packed"));
  return choosePanels(b, loc, layout, all, /*dim=*/0);
}

Value quantmlir::stackGroupInts(OpBuilder &b, Location loc,
                                const GroupLayout &layout,
                                ArrayRef<std::vector<int32_t>> values) {
  int64_t size = packedSize(layout);
  std::vector<int32_t> packed(size * values.size(), 0);
  for (size_t r = 0; r < values.size(); ++r)
    forEachGroupValue(layout, [&](int64_t to, int64_t from) {
      packed[r * size + to] = values[r][from];
    });
  auto type =
      RankedTensorType::get({static_cast<int64_t>(values.size()),
                             layout.allPanels(), layout.groups, layout.lanes},
                            b.getI32Type());
  Value all = arith::ConstantOp::create(
      b, loc, type, makeI32TensorAttr(type, packed, "quant_packed"));
  return choosePanels(b, loc, layout, all, /*dim=*/1);
}
