//===- ConstantWeight.cpp - store a constant weight quantized -------------===//

#include "quant/Import/Contraction/ConstantWeight.h"

#include "quant/Dialect/Quant/IR/NarrowConstant.h"
#include "quant/Dialect/Quant/Utils/Constants.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace quantmlir;

/// Rows of a matrix become columns.
template <typename T>
static std::vector<T> transpose(ArrayRef<T> values, int64_t rows,
                                int64_t columns) {
  std::vector<T> result(values.size());
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j)
      result[j * rows + i] = values[i * columns + j];
  return result;
}

static Value createConstant(OpBuilder &builder, Location loc,
                            ElementsAttr attr) {
  return arith::ConstantOp::create(builder, loc, attr);
}

/// Integers of `bits` as a constant: dense while it is small, packed and
/// unpacked where it is used if it has 4 or 2 bits, else a blob.
static Value emitInts(OpBuilder &builder, Location loc, ArrayRef<int64_t> shape,
                      unsigned bits, ArrayRef<int8_t> values) {
  auto type = RankedTensorType::get(shape, builder.getIntegerType(bits));
  return bits < 8
             ? createNarrowConstant(builder, loc, type, values)
             : createConstant(builder, loc, makeIntTensorAttr(type, values));
}

namespace {

/// Quantizes matrices one after the other.
struct WeightAppender {
  const WeightScheme &scheme;
  int64_t n, k;
  bool isTransposed, asRows;
  Rotation rotation;
  std::vector<int8_t> ints = {};
  std::vector<float> scales = {};
  std::vector<int32_t> zeroPoints = {};

  bool keepsRows() const { return isTransposed || asRows; }
  SmallVector<int64_t> getScaleShape() const {
    auto shape = llvm::to_vector_of<int64_t>(scheme.getScaleShape(n, k));
    return asRows && shape.size() < 2 ? SmallVector<int64_t>{n, 1} : shape;
  }
  llvm::Error append(ArrayRef<float> matrix, ArrayRef<float> secondMoments);

private:
  /// One parameter of all rows as one for each, if there must be one.
  template <typename T>
  void appendParameters(std::vector<T> &all, ArrayRef<T> added) const {
    int64_t copies = asRows && scheme.getScaleShape(n, k).empty() ? n : 1;
    for (int64_t i = 0; i < copies; ++i)
      all.insert(all.end(), added.begin(), added.end());
  }
};

} // namespace

llvm::Error WeightAppender::append(ArrayRef<float> matrix,
                                   ArrayRef<float> secondMoments) {
  std::vector<float> rows;
  if (!isTransposed) {
    rows = transpose(matrix, k, n);
    matrix = rows;
  }
  if (rotation) {
    rows = reference::rotateRows(matrix, k, rotation);
    matrix = rows;
  }
  llvm::Expected<QuantizedWeight> weight =
      quantizeWeight(matrix, n, k, scheme, secondMoments);
  if (!weight)
    return weight.takeError();
  if (!keepsRows())
    weight->ints = transpose<int8_t>(weight->ints, n, k);
  if (ints.empty())
    ints = std::move(weight->ints);
  else
    ints.insert(ints.end(), weight->ints.begin(), weight->ints.end());
  appendParameters<float>(scales, weight->scales);
  appendParameters<int32_t>(zeroPoints, weight->zeroPoints);
  return llvm::Error::success();
}

FailureOr<QuantizedMatrix> quantmlir::emitConstantWeight(
    OpBuilder &builder, Location loc, Value matrix, bool isTransposed,
    bool asRows, const WeightScheme &scheme, ArrayRef<float> secondMoments,
    std::string &reason, const Rotation &rotation) {
  std::optional<FloatConstant> constant = FloatConstant::get(matrix);
  if (!constant) {
    reason = "the weight is not a constant whose data is there";
    return failure();
  }
  auto type = cast<RankedTensorType>(matrix.getType());
  ArrayRef<int64_t> outer = type.getShape().drop_back(2),
                    sizes = type.getShape().take_back(2);
  WeightAppender appender{scheme,
                          sizes[isTransposed ? 0 : 1],
                          sizes[isTransposed ? 1 : 0],
                          isTransposed,
                          asRows,
                          rotation};
  int64_t size = sizes[0] * sizes[1];
  std::vector<float> copy;
  if (constant->isSplat())
    copy.assign(size, (*constant)[0]);
  for (int64_t i = 0, e = outer.empty() ? 1 : outer.front(); i < e; ++i) {
    ArrayRef<float> values = constant->isSplat()
                                 ? ArrayRef<float>(copy)
                                 : constant->getStored().slice(i * size, size);
    if (llvm::Error error = appender.append(values, secondMoments)) {
      reason = llvm::toString(std::move(error));
      return failure();
    }
  }

  auto withOuter = [&](ArrayRef<int64_t> inner) {
    SmallVector<int64_t> shape(outer);
    llvm::append_range(shape, inner);
    return shape;
  };
  QuantizedMatrix result;
  SmallVector<int64_t> shape{appender.n, appender.k};
  if (!appender.keepsRows())
    std::swap(shape[0], shape[1]);
  result.ints = emitInts(builder, loc, withOuter(shape), scheme.getStoredBits(),
                         appender.ints);
  result.isUnsigned = scheme.isUnsigned;
  SmallVector<int64_t> scales = withOuter(appender.getScaleShape());
  auto scaleType = RankedTensorType::get(scales, builder.getF32Type());
  result.scale = createConstant(
      builder, loc, makeFloatTensorAttr(scaleType, appender.scales));
  if (!appender.zeroPoints.empty()) {
    auto zeroType = RankedTensorType::get(scales, builder.getI32Type());
    result.zeroPoint = createConstant(
        builder, loc, makeI32TensorAttr(zeroType, appender.zeroPoints));
  }
  return result;
}
