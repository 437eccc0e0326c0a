//===- ZeroPoints.cpp - zero points as additive corrections ---------------===//

#include "ZeroPoints.h"

#include "ChosenConstant.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "quant/Dialect/Quant/Utils/Constants.h"
#include "quant/Dialect/Quant/Utils/GenericBuilder.h"

using namespace mlir;
using namespace quantmlir;

static Value constantVector(OpBuilder &b, Location loc,
                            ArrayRef<int32_t> values) {
  auto type = RankedTensorType::get({static_cast<int64_t>(values.size())},
                                    b.getI32Type());
  return arith::ConstantOp::create(b, loc, type,
                                   makeI32TensorAttr(type, values));
}

/// A vector as numbers, where it is constant.
static std::optional<SmallVector<int32_t>> vectorConstant(Value v) {
  std::optional<SmallVector<int64_t>> values = getConstantInts(v);
  if (!values)
    return std::nullopt;
  return llvm::map_to_vector(*values,
                             [](int64_t x) { return static_cast<int32_t>(x); });
}

/// sum_k of a constant 8-bit operand; null where it is none.
static Value constantSums(OpBuilder &b, Location loc,
                          const ZeroPointedOperand &operand) {
  std::optional<ChosenConstant> chosen = ChosenConstant::get(operand.value);
  if (!chosen)
    return {};
  std::optional<IntConstant> values = IntConstant::get(chosen->all);
  RankedTensorType type = tensorType(operand.value);
  int64_t k = type.getDimSize(operand.kDim);
  int64_t rows = type.getDimSize(1 - operand.kDim);
  SmallVector<int32_t> sums(chosen->count * rows, 0);
  ArrayRef<int8_t> bytes = values->getBytes();
  auto read = [&](int64_t i) -> int32_t {
    int64_t stored = bytes.empty() ? (*values)[i] : bytes[i];
    return static_cast<int32_t>(operand.isUnsigned ? stored & 255 : stored);
  };
  // In the order of the source.
  int64_t outer = operand.kDim == 1 ? rows : k;
  int64_t inner = operand.kDim == 1 ? k : rows;
  for (int64_t which = 0; which < chosen->count; ++which)
    for (int64_t o = 0; o < outer; ++o)
      for (int64_t i = 0; i < inner; ++i)
        sums[which * rows + (operand.kDim == 1 ? o : i)] +=
            read((which * outer + o) * inner + i);
  return chosen->choose(b, loc, constantVector(b, loc, sums));
}

/// sum_k of an operand as `tensor<rows x i32>`.
static Value sumOverK(OpBuilder &b, Location loc,
                      const ZeroPointedOperand &operand) {
  if (Value sums = constantSums(b, loc, operand))
    return sums;
  RankedTensorType type = tensorType(operand.value);
  int64_t rowDim = 1 - operand.kDim;
  auto sumType =
      RankedTensorType::get({type.getDimSize(rowDim)}, b.getI32Type());
  Value zero =
      filled(b, loc, sumType, operand.value, {rowDim}, b.getI32IntegerAttr(0));
  AffineMap rows = AffineMap::get(2, 0, b.getAffineDimExpr(rowDim));
  SmallVector<utils::IteratorType> iterators(2);
  iterators[rowDim] = utils::IteratorType::parallel;
  iterators[operand.kDim] = utils::IteratorType::reduction;
  return linalg::GenericOp::create(
             b, loc, sumType, operand.value, zero,
             ArrayRef<AffineMap>{b.getMultiDimIdentityMap(2), rows}, iterators,
             [&](OpBuilder &b, Location loc, ValueRange args) {
               Value x = extendToI32(b, loc, args[0], operand.isUnsigned);
               Value sum = arith::AddIOp::create(b, loc, args[1], x);
               linalg::YieldOp::create(b, loc, sum);
             })
      .getResult(0);
}

/// `scale * v + addend` over a vector like `like`; `v` is rank 0 or 1, and may
/// be null (0), as may `addend`.
static Value affineVector(OpBuilder &b, Location loc, Value v, Value scale,
                          Value addend, Value like, int64_t rowDim) {
  auto type = RankedTensorType::get({tensorType(like).getDimSize(rowDim)},
                                    b.getI32Type());
  SmallVector<Value> sizes;
  if (type.isDynamicDim(0))
    sizes.push_back(tensor::DimOp::create(b, loc, like, rowDim));
  Value init = tensor::EmptyOp::create(b, loc, type.getShape(),
                                       type.getElementType(), sizes);
  SmallVector<ElementwiseOperand> inputs;
  if (v)
    inputs.push_back({v, paramDims(v, {0})});
  if (addend)
    inputs.push_back({addend, {0}});
  return elementwise(
             b, loc, inputs, init,
             [&](OpBuilder &b, Location loc,
                 ValueRange args) -> SmallVector<Value> {
               Value sum;
               if (v)
                 sum = arith::MulIOp::create(b, loc, args[0], scale);
               if (addend) {
                 Value a = args[v ? 1 : 0];
                 sum = sum ? arith::AddIOp::create(b, loc, sum, a).getResult()
                           : a;
               }
               return {sum ? sum : constantInt(b, loc, 0)};
             })
      .getResult(0);
}

Value quantmlir::addVectors(OpBuilder &b, Location loc, Value x, Value y) {
  if (!x || !y)
    return x ? x : y;
  auto cx = vectorConstant(x), cy = vectorConstant(y);
  if (cx && cy) {
    for (auto [a, c] : llvm::zip_equal(*cx, *cy))
      a = static_cast<int32_t>(static_cast<uint32_t>(a) +
                               static_cast<uint32_t>(c));
    return constantVector(b, loc, *cx);
  }
  return affineVector(b, loc, x, constantInt(b, loc, 1), y, x, 0);
}

/// `factor * v` modulo 2^32, folded where `v` is constant.
static Value scaleVector(OpBuilder &b, Location loc, Value v, int32_t factor) {
  if (auto values = vectorConstant(v)) {
    for (int32_t &x : *values)
      x = static_cast<int32_t>(static_cast<uint32_t>(x) *
                               static_cast<uint32_t>(factor));
    return constantVector(b, loc, *values);
  }
  return affineVector(b, loc, v, constantInt(b, loc, factor), Value(), v, 0);
}

/// (K lz[m] - sum_k l[m]), the row factor of the right zero point.
static Value rhsRowFactor(OpBuilder &b, Location loc,
                          const ZeroPointedOperand &lhs) {
  Value sums = sumOverK(b, loc, lhs);
  Value negated =
      affineVector(b, loc, sums, constantInt(b, loc, -1), Value(), sums, 0);
  if (!lhs.hasZeroPoint())
    return negated;
  Value kIndex = tensor::DimOp::create(b, loc, lhs.value, lhs.kDim);
  Value k = arith::IndexCastOp::create(b, loc, b.getI32Type(), kIndex);
  Value factor = negated;
  if (lhs.zeroPoint)
    factor = affineVector(b, loc, lhs.zeroPoint, k, factor, sums, 0);
  if (lhs.constantZeroPoint != 0) {
    auto scalar = RankedTensorType::get({}, b.getI32Type());
    Value zp = arith::ConstantOp::create(
        b, loc, scalar, DenseElementsAttr::get(scalar, lhs.constantZeroPoint));
    factor = affineVector(b, loc, zp, k, factor, sums, 0);
  }
  return factor;
}

/// The whole zero point of `rhs` as `tensor<Nxi32>`.
static Value rhsZeroPointVector(OpBuilder &b, Location loc,
                                const ZeroPointedOperand &rhs) {
  int64_t rowDim = 1 - rhs.kDim;
  Value constant;
  if (rhs.constantZeroPoint != 0 || !rhs.zeroPoint) {
    auto scalar = RankedTensorType::get({}, b.getI32Type());
    constant = arith::ConstantOp::create(
        b, loc, scalar, DenseElementsAttr::get(scalar, rhs.constantZeroPoint));
    constant = affineVector(b, loc, constant, constantInt(b, loc, 1), Value(),
                            rhs.value, rowDim);
  }
  if (!rhs.zeroPoint)
    return constant;
  return affineVector(b, loc, rhs.zeroPoint, constantInt(b, loc, 1), constant,
                      rhs.value, rowDim);
}

Corrections quantmlir::computeCorrections(OpBuilder &b, Location loc,
                                          const ZeroPointedOperand &lhs,
                                          const ZeroPointedOperand &rhs) {
  Corrections result;
  if (lhs.hasZeroPoint()) {
    Value sums = sumOverK(b, loc, rhs);
    if (lhs.constantZeroPoint != 0)
      result.colBias = scaleVector(b, loc, sums, -lhs.constantZeroPoint);
    if (lhs.zeroPoint) {
      Value minus = affineVector(b, loc, lhs.zeroPoint, constantInt(b, loc, -1),
                                 Value(), lhs.value, 1 - lhs.kDim);
      result.rows.push_back(minus);
      result.cols.push_back(sums);
    }
  }
  if (rhs.hasZeroPoint()) {
    result.rows.push_back(rhsRowFactor(b, loc, lhs));
    result.cols.push_back(rhsZeroPointVector(b, loc, rhs));
  }
  return result;
}
