//===- GenericBuilder.cpp - linalg.generic from a formula -----------------===//

#include "quant/Dialect/Quant/Utils/GenericBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/AffineExpr.h"
#include "mlir/IR/AffineMap.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Sequence.h"

using namespace mlir;
using namespace quantmlir;

RankedTensorType quantmlir::tensorType(Value value) {
  return cast<RankedTensorType>(value.getType());
}

SmallVector<int64_t> quantmlir::allDims(int64_t rank) {
  return llvm::to_vector(llvm::seq<int64_t>(0, rank));
}

SmallVector<int64_t> quantmlir::paramDims(Value param, ArrayRef<int64_t> dims) {
  if (cast<RankedTensorType>(param.getType()).getRank() == 0)
    return {};
  return llvm::to_vector(dims);
}

/// The sizes of the dynamic dimensions of `type`, which stand at `dims` of
/// `like`.
static SmallVector<Value> dynamicSizes(OpBuilder &b, Location loc,
                                       RankedTensorType type, Value like,
                                       ArrayRef<int64_t> dims) {
  SmallVector<Value> sizes;
  for (auto [i, size] : llvm::enumerate(type.getShape()))
    if (ShapedType::isDynamic(size))
      sizes.push_back(tensor::DimOp::create(b, loc, like, dims[i]));
  return sizes;
}

Value quantmlir::emptyLike(OpBuilder &b, Location loc, RankedTensorType type,
                           Value like) {
  return tensor::EmptyOp::create(
      b, loc, type.getShape(), type.getElementType(),
      dynamicSizes(b, loc, type, like, allDims(type.getRank())));
}

Value quantmlir::filled(OpBuilder &b, Location loc, RankedTensorType type,
                        Value like, ArrayRef<int64_t> dims, TypedAttr value) {
  Value empty =
      tensor::EmptyOp::create(b, loc, type.getShape(), type.getElementType(),
                              dynamicSizes(b, loc, type, like, dims));
  Value scalar = arith::ConstantOp::create(b, loc, value);
  return linalg::FillOp::create(b, loc, scalar, empty).getResult(0);
}

linalg::GenericOp quantmlir::elementwise(OpBuilder &b, Location loc,
                                         ArrayRef<ElementwiseOperand> inputs,
                                         ValueRange inits, BodyBuilder body) {
  auto type = cast<RankedTensorType>(inits.front().getType());
  int64_t rank = type.getRank();
  SmallVector<Value> values;
  SmallVector<AffineMap> maps;
  for (const ElementwiseOperand &input : inputs) {
    values.push_back(input.value);
    SmallVector<AffineExpr> exprs;
    for (int64_t dim : input.dims)
      exprs.push_back(b.getAffineDimExpr(dim));
    maps.push_back(AffineMap::get(rank, 0, exprs, b.getContext()));
  }
  maps.append(inits.size(), b.getMultiDimIdentityMap(rank));
  SmallVector<utils::IteratorType> iterators(rank,
                                             utils::IteratorType::parallel);
  return linalg::GenericOp::create(
      b, loc, inits.getTypes(), values, inits, maps, iterators,
      [&](OpBuilder &b, Location loc, ValueRange args) {
        linalg::YieldOp::create(b, loc, body(b, loc, args));
      });
}

linalg::GenericOp quantmlir::reduceOver(OpBuilder &b, Location loc, Value input,
                                        ArrayRef<int64_t> axes,
                                        ValueRange inits, BodyBuilder combine) {
  int64_t rank = cast<RankedTensorType>(input.getType()).getRank();
  SmallVector<AffineExpr> kept;
  SmallVector<utils::IteratorType> iterators(rank,
                                             utils::IteratorType::reduction);
  for (int64_t axis : axes) {
    kept.push_back(b.getAffineDimExpr(axis));
    iterators[axis] = utils::IteratorType::parallel;
  }
  SmallVector<AffineMap> maps = {b.getMultiDimIdentityMap(rank)};
  maps.append(inits.size(), AffineMap::get(rank, 0, kept, b.getContext()));
  return linalg::GenericOp::create(
      b, loc, inits.getTypes(), input, inits, maps, iterators,
      [&](OpBuilder &b, Location loc, ValueRange args) {
        linalg::YieldOp::create(b, loc, combine(b, loc, args));
      });
}

Value quantmlir::constantFloat(OpBuilder &b, Location loc, double value) {
  return arith::ConstantOp::create(b, loc, b.getF32FloatAttr(value));
}

Value quantmlir::constantInt(OpBuilder &b, Location loc, int64_t value,
                             unsigned bits) {
  return arith::ConstantOp::create(
      b, loc, b.getIntegerAttr(b.getIntegerType(bits), value));
}

Value quantmlir::extendToF32(OpBuilder &b, Location loc, Value value) {
  if (value.getType().isF32())
    return value;
  return arith::ExtFOp::create(b, loc, b.getF32Type(), value);
}

Value quantmlir::truncateFromF32(OpBuilder &b, Location loc, Value value,
                                 Type type) {
  if (type.isF32())
    return value;
  return arith::TruncFOp::create(b, loc, type, value);
}

Value quantmlir::extendToI32(OpBuilder &b, Location loc, Value value,
                             bool isUnsigned) {
  Type i32 = b.getI32Type();
  if (isUnsigned)
    return arith::ExtUIOp::create(b, loc, i32, value);
  return arith::ExtSIOp::create(b, loc, i32, value);
}
