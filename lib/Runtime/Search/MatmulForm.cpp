//===- MatmulForm.cpp - how one matmul was quantized ----------------------===//

#include "quant/Runtime/Search/MatmulForm.h"

#include "quant/Dialect/Quant/IR/NarrowConstant.h"
#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Dialect/Quant/IR/QuantizeBlocks.h"
#include "quant/Dialect/Quant/Utils/Constants.h"
#include "quant/Import/Contraction/NamedMatmuls.h"
#include "quant/Quantize/QuantScheme.h"

#include "llvm/Support/MathExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace quantmlir;

//===----------------------------------------------------------------------===//
// Stored weights
//===----------------------------------------------------------------------===//

size_t StoredWeight::getIndex(size_t size, int64_t row, int64_t column) const {
  if (size == 1)
    return 0;
  int64_t perRow = llvm::divideCeil(k, groupSize);
  return static_cast<int64_t>(size) == n ? row
                                         : row * perRow + column / groupSize;
}

float StoredWeight::getValue(int64_t row, int64_t column) const {
  int64_t q = ints[row * k + column];
  if (!zeroPoints.empty())
    q -= zeroPoints[getIndex(zeroPoints.size(), row, column)];
  float value = getScale(row, column) * static_cast<float>(q);
  if (!offsets.empty())
    value += offsets[getIndex(offsets.size(), row, column)];
  return value;
}

double StoredWeight::getSteps(float value, int64_t row, int64_t column) const {
  double x = value;
  if (!offsets.empty())
    x -= offsets[getIndex(offsets.size(), row, column)];
  x /= getScale(row, column);
  if (!zeroPoints.empty())
    x += zeroPoints[getIndex(zeroPoints.size(), row, column)];
  return x;
}

/// Reads the integers of `value`, `[N, K]` or (`isTransposed`) `[K, N]`; packed
/// ones too.
static bool readInts(Value value, bool isTransposed, StoredWeight &weight) {
  auto type = cast<RankedTensorType>(value.getType());
  if (type.getRank() != 2 || !type.hasStaticShape())
    return false;
  weight.n = type.getDimSize(isTransposed ? 1 : 0);
  weight.k = type.getDimSize(isTransposed ? 0 : 1);
  weight.bits = type.getElementTypeBitWidth();
  StorageRange range =
      getStorageRange(type.getElementType(), weight.isUnsigned);
  weight.min = range.min;
  weight.max = range.max;
  Value bytes = getPackedBytes(value);
  Value stored = bytes ? bytes : value;
  std::optional<IntConstant> ints = IntConstant::get(stored);
  if (!ints)
    return false;
  int64_t columns = type.getDimSize(1);
  int64_t perByte = bytes ? 8 / weight.bits : 1;
  int64_t storedColumns = llvm::divideCeil(columns, perByte);
  weight.ints.resize(weight.n * weight.k);
  for (int64_t i = 0, e = type.getDimSize(0); i < e; ++i)
    for (int64_t j = 0; j < columns; ++j) {
      int64_t q = (*ints)[i * storedColumns + j / perByte];
      q >>= j % perByte * weight.bits;
      if (weight.isUnsigned)
        q &= (1 << weight.bits) - 1;
      else
        q = llvm::SignExtend64(q, weight.bits);
      weight.ints[isTransposed ? j * weight.k + i : i * columns + j] = q;
    }
  return true;
}

/// Numbers of a code book's entries become the entries, if there is one.
static void lookUpCodes(ArrayRef<int8_t> codes, StoredWeight &weight) {
  if (codes.empty())
    return;
  constexpr int16_t nibble = 15;
  for (int16_t &q : weight.ints)
    q = codes[q & nibble];
  auto [min, max] = std::minmax_element(codes.begin(), codes.end());
  weight.min = *min;
  weight.max = *max;
}

template <typename T>
static std::vector<T> readAll(Value value) {
  std::vector<T> all;
  if (!value)
    return all;
  if constexpr (std::is_same_v<T, float>) {
    if (std::optional<FloatConstant> constant = FloatConstant::get(value))
      for (int64_t i = 0; i < constant->size(); ++i)
        all.push_back((*constant)[i]);
  } else if (std::optional<IntConstant> constant = IntConstant::get(value)) {
    for (int64_t i = 0; i < constant->size(); ++i)
      all.push_back((*constant)[i]);
  }
  return all;
}

/// Bytes of a constant as it is stored.
static int64_t getBytes(Value value) {
  if (!value)
    return 0;
  if (Value bytes = getPackedBytes(value))
    value = bytes;
  auto type = cast<RankedTensorType>(value.getType());
  if (!type.hasStaticShape())
    return 0;
  return llvm::divideCeil(type.getNumElements() * type.getElementTypeBitWidth(),
                          8);
}

//===----------------------------------------------------------------------===//
// Schemes
//===----------------------------------------------------------------------===//

namespace {
/// What both quantized matmul ops say.
struct Parts {
  Value lhs, rhs, lhsZeroPoint, rhsZeroPoint, rowScale, rhsScale, rhsOffset;
  bool rhsUnsigned = false, isTransposed = false;
  int64_t groupSize = 0;
  /// Entries of the code book of rhs, or none.
  ArrayRef<int8_t> codes;
  /// Of activations with scales for blocks.
  QuantizeBlocksOp blocks;
};
} // namespace

/// What quantized `value` in blocks, if anything did.
static QuantizeBlocksOp findBlocks(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (auto blocks = dyn_cast<QuantizeBlocksOp>(op))
      return blocks;
    if (op->getName().getDialectNamespace() != "tensor" ||
        op->getNumOperands() == 0)
      break;
    value = op->getOperand(0);
  }
  return {};
}

/// The op that rescales the accumulator.
static RescaleOp findRescale(Value value) {
  for (Operation *user : value.getUsers()) {
    if (auto rescale = dyn_cast<RescaleOp>(user))
      return rescale;
    if (user->getNumResults() == 1 &&
        user->getName().getDialectNamespace() == "tensor")
      if (RescaleOp found = findRescale(user->getResult(0)))
        return found;
  }
  return nullptr;
}

static std::optional<Parts> findParts(func::FuncOp function) {
  std::optional<Parts> parts;
  function.walk([&](ScaledMatmulOp op) {
    parts =
        Parts{op.getLhs(),          op.getRhs(),        op.getLhsZeroPoint(),
              op.getRhsZeroPoint(), op.getRowScale(),   op.getRhsScale(),
              op.getRhsOffset(),    op.getRhsUnsigned()};
    parts->groupSize = op.getGroupSize();
    parts->codes = op.getRhsCodebook().value_or(ArrayRef<int8_t>());
    parts->blocks = findBlocks(op.getLhs());
  });
  function.walk([&](MatmulOp op) {
    parts = Parts{op.getLhs(), op.getRhs(), op.getLhsZeroPoint(),
                  op.getRhsZeroPoint()};
    parts->rhsUnsigned = op.getRhsUnsigned();
    parts->isTransposed = !op.getTransposeRhs();
    if (RescaleOp rescale = findRescale(op.getResult())) {
      parts->rowScale = rescale.getRowScale();
      parts->rhsScale = rescale.getChannelScale();
    }
  });
  return parts;
}

static int64_t getRank(Value value) {
  return value ? cast<RankedTensorType>(value.getType()).getRank() : 0;
}

/// The scheme of a matmul that the program itself gives in integers.
static QuantScheme readScheme(const Parts &parts, int64_t k) {
  QuantScheme scheme;
  WeightScheme &weight = scheme.weight;
  weight.bits =
      cast<RankedTensorType>(parts.rhs.getType()).getElementTypeBitWidth();
  weight.groupSize = parts.groupSize;
  weight.granularity =
      parts.groupSize && parts.groupSize < k ? WeightScheme::Granularity::Group
      : getRank(parts.rhsScale) == 0         ? WeightScheme::Granularity::Tensor
                                     : WeightScheme::Granularity::Channel;
  weight.symmetric = !parts.rhsZeroPoint && !parts.rhsOffset;
  if (!parts.codes.empty())
    weight.format = findWeightFormat(parts.codes, parts.groupSize)
                        .value_or(WeightFormat::Int);
  auto lhs = cast<RankedTensorType>(parts.lhs.getType());
  if (isa<FloatType>(lhs.getElementType())) {
    scheme.activations = ActivationScheme::Float;
    return scheme;
  }
  if (QuantizeBlocksOp blocks = parts.blocks) {
    scheme.activations = ActivationScheme::DynamicBlock;
    scheme.activationBits = llvm::Log2_64_Ceil(blocks.getRange()[1] + 1) + 1;
    scheme.blockSize = blocks.getBlock();
    scheme.activationScales = static_cast<ActivationScales>(blocks.getScales());
    return scheme;
  }
  // Canonicalizing multiplies a constant scale into those of the columns.
  bool isStatic =
      !parts.rowScale || FloatConstant::get(parts.rowScale).has_value();
  scheme.activations = isStatic ? ActivationScheme::Static
                       : getRank(parts.rowScale) == 0
                           ? ActivationScheme::DynamicTensor
                           : ActivationScheme::DynamicToken;
  scheme.activationBits = lhs.getElementTypeBitWidth();
  scheme.symmetric = !parts.lhsZeroPoint;
  return scheme;
}

/// The activations' grid, where it is one for all inputs.
static std::optional<StaticGrid> readGrid(const Parts &parts) {
  auto quantize = parts.lhs.getDefiningOp<QuantizeOp>();
  Value lhs = parts.lhs;
  while (!quantize && lhs.getDefiningOp() &&
         lhs.getDefiningOp()->getName().getDialectNamespace() == "tensor" &&
         lhs.getDefiningOp()->getNumOperands()) {
    lhs = lhs.getDefiningOp()->getOperand(0);
    quantize = lhs.getDefiningOp<QuantizeOp>();
  }
  if (!quantize)
    return std::nullopt;
  std::vector<float> scale = readAll<float>(quantize.getScale());
  std::vector<int32_t> zeroPoint = readAll<int32_t>(quantize.getZeroPoint());
  if (scale.size() != 1 || zeroPoint.size() > 1 ||
      (quantize.getZeroPoint() && zeroPoint.empty()))
    return std::nullopt;
  ArrayRef<int64_t> range = quantize.getRange();
  return StaticGrid{scale.front(), zeroPoint.empty() ? 0 : zeroPoint.front(),
                    range[0], range[1]};
}

MatmulForm quantmlir::getMatmulForm(func::FuncOp function) {
  MatmulForm form;
  std::optional<Parts> parts = findParts(function);
  if (!parts) {
    if (std::optional<FloatWeight> weight = getFloatWeight(function))
      form.weightBytes = weight->bytes;
    return form;
  }
  form.isQuantized = true;
  function.walk([&](RotateOp op) { form.rotation = op.getRotation(); });
  StoredWeight weight;
  weight.isUnsigned = parts->rhsUnsigned;
  bool hasInts = readInts(parts->rhs, parts->isTransposed, weight);
  QuantScheme scheme = readScheme(*parts, weight.k);
  form.weightBits = scheme.weight.bits;
  form.scheme = scheme.describe();
  form.grid = readGrid(*parts);
  if (!hasInts)
    return form;
  lookUpCodes(parts->codes, weight);
  form.weightBytes = getBytes(parts->rhs) + getBytes(parts->rhsScale) +
                     getBytes(parts->rhsZeroPoint) + getBytes(parts->rhsOffset);
  weight.groupSize = parts->groupSize ? parts->groupSize : weight.k;
  weight.scales = readAll<float>(parts->rhsScale);
  weight.offsets = readAll<float>(parts->rhsOffset);
  weight.zeroPoints = readAll<int32_t>(parts->rhsZeroPoint);
  bool hasRowScale = parts->groupSize || parts->rowScale;
  if (!hasRowScale && form.grid)
    for (float &scale : weight.scales)
      scale /= form.grid->scale;
  if (!weight.scales.empty() && (hasRowScale || form.grid))
    form.weight = std::move(weight);
  return form;
}

std::optional<FloatWeight> quantmlir::getFloatWeight(func::FuncOp function) {
  std::optional<FloatWeight> found;
  function.walk([&](linalg::LinalgOp op) {
    std::string reason;
    FailureOr<Contraction> c = matchContraction(op, reason);
    if (failed(c))
      return;
    if (!traceMovement(c->rhs).isConstant())
      c->swapOperands();
    LoopTensor rhs = traceMovement(c->rhs);
    std::optional<FloatConstant> values = FloatConstant::get(rhs.value);
    if (!values)
      return;
    RankedTensorType type = rhs.getType();
    FloatWeight weight;
    weight.n = weight.k = 1;
    // Each dimension advances n or k, in the order of the dimensions.
    SmallVector<std::pair<bool, int64_t>> dims;
    for (auto [dim, loop] : llvm::enumerate(rhs.loops)) {
      bool isK = llvm::is_contained(c->k, loop);
      int64_t size = type.getDimSize(dim);
      (isK ? weight.k : weight.n) *= size;
      dims.emplace_back(isK, size);
    }
    weight.bytes = values->size() * type.getElementTypeBitWidth() / 8;
    weight.values.resize(values->size());
    SmallVector<int64_t> strides(dims.size());
    int64_t n = weight.k, k = 1;
    for (size_t i = dims.size(); i-- > 0;) {
      int64_t &stride = dims[i].first ? k : n;
      strides[i] = stride;
      stride *= dims[i].second;
    }
    for (int64_t i = 0, e = values->size(); i < e; ++i) {
      int64_t rest = i, to = 0;
      for (size_t d = dims.size(); d-- > 0;) {
        to += rest % dims[d].second * strides[d];
        rest /= dims[d].second;
      }
      weight.values[to] = (*values)[i];
    }
    found = std::move(weight);
  });
  return found;
}
