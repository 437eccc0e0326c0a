//===- ConstantWeight.cpp - store a constant weight quantized -------------===//

#include "quant/Import/Contraction/ConstantWeight.h"

#include "quant/Dialect/Quant/IR/Int4Constant.h"
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
/// unpacked where it is used if it has 4 bits, else a blob.
static Value emitInts(OpBuilder &builder, Location loc, ArrayRef<int64_t> shape,
                      unsigned bits, ArrayRef<int8_t> values) {
  auto type = RankedTensorType::get(shape, builder.getIntegerType(bits));
  return bits == 4
             ? createInt4Constant(builder, loc, type, values)
             : createConstant(builder, loc, makeIntTensorAttr(type, values));
}

FailureOr<QuantizedMatrix> quantmlir::emitConstantWeight(
    OpBuilder &builder, Location loc, Value matrix, bool isTransposed,
    bool asRows, const WeightScheme &scheme, ArrayRef<float> secondMoments,
    std::string &reason) {
  std::optional<FloatConstant> constant = FloatConstant::get(matrix);
  if (!constant) {
    reason = "the weight is not a constant whose data is there";
    return failure();
  }
  auto type = cast<RankedTensorType>(matrix.getType());
  int64_t n = type.getDimSize(isTransposed ? 0 : 1);
  int64_t k = type.getDimSize(isTransposed ? 1 : 0);
  std::vector<float> copy;
  ArrayRef<float> rows = constant->getStored();
  if (constant->isSplat()) {
    copy.assign(n * k, (*constant)[0]);
    rows = copy;
  } else if (!isTransposed) {
    copy = transpose(rows, k, n);
    rows = copy;
  }
  llvm::Expected<QuantizedWeight> weight =
      quantizeWeight(rows, n, k, scheme, secondMoments);
  if (!weight) {
    reason = llvm::toString(weight.takeError());
    return failure();
  }

  QuantizedMatrix result;
  bool keepsRows = isTransposed || asRows;
  if (!keepsRows)
    weight->ints = transpose<int8_t>(weight->ints, n, k);
  SmallVector<int64_t> shape =
      keepsRows ? SmallVector<int64_t>{n, k} : SmallVector<int64_t>{k, n};
  result.ints = emitInts(builder, loc, shape, scheme.bits, weight->ints);
  result.isUnsigned = scheme.isUnsigned;
  std::vector<int64_t> scales = scheme.getScaleShape(n, k);
  auto scaleType = RankedTensorType::get(scales, builder.getF32Type());
  result.scale = createConstant(builder, loc,
                                makeFloatTensorAttr(scaleType, weight->scales));
  if (!weight->zeroPoints.empty()) {
    auto zeroType = RankedTensorType::get(scales, builder.getI32Type());
    result.zeroPoint = createConstant(
        builder, loc, makeI32TensorAttr(zeroType, weight->zeroPoints));
  }
  return result;
}
