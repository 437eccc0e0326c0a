//===- CastsByFormula.cpp - casts of any stored width ---------------------===//
//
// Upstream folds `dcast(qcast(x))` to x, so that a cast which stays is a grid
// that is lost. Our ops store 8 and 4 bits; every other width is computed here,
// as the same formula on scalars:
//
//   q = clamp(roundeven(x / s) + z, qmin, qmax)          x = s * (q - z)
//
// In f32, where all integers of 16 bits are exact; wider ones are shifted and
// clamped in f64. Scales of an axis or of blocks are constants that the map of
// their operand indexes, by a `floordiv` for blocks.
//
//===----------------------------------------------------------------------===//

#include "CastsByFormula.h"
#include "StoredGrid.h"

#include "quant/Dialect/Quant/Utils/Constants.h"
#include "quant/Dialect/Quant/Utils/GenericBuilder.h"
#include "quant/Dialect/Quant/Utils/RescaleFormula.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace quantmlir;

/// Integers of so many bits are sums and differences in f32 without rounding.
static constexpr unsigned kExactInF32 = 16;

namespace {
/// What a type says of one element, and how an element finds its parameters.
struct Grid : StoredGrid {
  /// One scale and zero point for all elements where there is no `map`, else a
  /// tensor of this shape that is read through it.
  SmallVector<int64_t> shape;
  AffineMap map;

  bool isWide() const { return storage.getWidth() > kExactInF32; }
};
} // namespace

static LogicalResult readAxis(quant::UniformQuantizedPerAxisType type,
                              RankedTensorType tensor, Grid &grid,
                              std::string &reason) {
  int64_t axis = type.getQuantizedDimension();
  if (!tensor || tensor.isDynamicDim(axis)) {
    reason = "expected a static size along the axis of the scales";
    return failure();
  }
  llvm::append_range(grid.scales, type.getScales());
  llvm::append_range(grid.zeroPoints, type.getZeroPoints());
  grid.shape.push_back(grid.scales.size());
  grid.map = AffineMap::get(tensor.getRank(), 0,
                            getAffineDimExpr(axis, type.getContext()));
  return success();
}

static LogicalResult readBlocks(quant::UniformQuantizedSubChannelType type,
                                RankedTensorType tensor, Grid &grid,
                                std::string &reason) {
  if (!tensor || !tensor.hasStaticShape()) {
    reason = "expected static sizes for scales of blocks";
    return failure();
  }
  MLIRContext *context = type.getContext();
  SmallVector<AffineExpr> results(tensor.getRank(),
                                  getAffineConstantExpr(0, context));
  for (auto [dim, size] : type.getBlockSizeInfo())
    results[dim] = getAffineDimExpr(dim, context).floorDiv(size);
  grid.map = AffineMap::get(tensor.getRank(), 0, results, context);
  llvm::append_range(grid.shape, type.getScales().getType().getShape());
  readBlockParameters(type, grid.scales, grid.zeroPoints);
  return success();
}

/// Reads the type of `container`, a scalar or a ranked tensor.
static FailureOr<Grid> readGrid(Type container, std::string &reason) {
  auto tensor = dyn_cast<RankedTensorType>(container);
  if (isa<ShapedType>(container) && !tensor) {
    reason = "expected a scalar or a ranked tensor";
    return failure();
  }
  auto type = cast<quant::QuantizedType>(getElementTypeOrSelf(container));
  Grid grid;
  if (failed(readStorage(type, grid, reason)))
    return failure();
  LogicalResult read = success();
  if (auto perTensor = dyn_cast<quant::UniformQuantizedType>(type)) {
    grid.scales.push_back(perTensor.getScale());
    grid.zeroPoints.push_back(perTensor.getZeroPoint());
  } else if (auto axis = dyn_cast<quant::UniformQuantizedPerAxisType>(type)) {
    read = readAxis(axis, tensor, grid, reason);
  } else if (auto blocks =
                 dyn_cast<quant::UniformQuantizedSubChannelType>(type)) {
    read = readBlocks(blocks, tensor, grid, reason);
  } else {
    reason = "expected scales for the tensor, along one axis or by blocks";
    return failure();
  }
  if (failed(read))
    return failure();
  // The types hold no scale that is 0, negative or infinite in f32.
  return grid;
}

/// clamp(rounded + zero point) for integers that f32 does not hold.
static Value saturateWide(OpBuilder &b, Location loc, Value rounded,
                          Value zeroPoint, const Grid &grid) {
  Type f64 = b.getF64Type(), i64 = b.getI64Type();
  auto constant = [&](double v) -> Value {
    return arith::ConstantOp::create(b, loc, b.getFloatAttr(f64, v));
  };
  Value wide = arith::ExtFOp::create(b, loc, f64, rounded);
  Value zero = arith::SIToFPOp::create(b, loc, f64, zeroPoint);
  Value sum = arith::AddFOp::create(b, loc, wide, zero);
  Value isNaN =
      arith::CmpFOp::create(b, loc, arith::CmpFPredicate::UNO, wide, wide);
  Value number = arith::SelectOp::create(b, loc, isNaN, zero, sum);
  Value clamped = arith::MinimumFOp::create(
      b, loc, arith::MaximumFOp::create(b, loc, number, constant(grid.min)),
      constant(grid.max));
  Value integer = arith::FPToSIOp::create(b, loc, i64, clamped);
  return arith::TruncIOp::create(b, loc, grid.storage, integer);
}

/// The stored integer of `x`; `zeroPoint` is an i32.
static Value quantizeElement(OpBuilder &b, Location loc, Value x, Value scale,
                             Value zeroPoint, const Grid &grid) {
  Value quotient = arith::DivFOp::create(b, loc, extendToF32(b, loc, x), scale);
  Value rounded = math::RoundEvenOp::create(b, loc, quotient);
  if (grid.isWide())
    return saturateWide(b, loc, rounded, zeroPoint, grid);
  Value zero = arith::SIToFPOp::create(b, loc, b.getF32Type(), zeroPoint);
  return saturate(b, loc, rounded, zero, grid.min, grid.max, grid.storage);
}

/// The float of a stored integer, of the type `expressed`.
static Value dequantizeElement(OpBuilder &b, Location loc, Value q, Value scale,
                               Value zeroPoint, const Grid &grid,
                               Type expressed) {
  Type i64 = b.getI64Type();
  Value wide = grid.isUnsigned ? Value(arith::ExtUIOp::create(b, loc, i64, q))
                               : Value(arith::ExtSIOp::create(b, loc, i64, q));
  Value zero = arith::ExtSIOp::create(b, loc, i64, zeroPoint);
  Value steps = arith::SubIOp::create(b, loc, wide, zero);
  Value f = arith::SIToFPOp::create(b, loc, b.getF32Type(), steps);
  return truncateFromF32(b, loc, arith::MulFOp::create(b, loc, scale, f),
                         expressed);
}

/// `element(b, loc, x, scale, zero point)` of a scalar, or of each element of a
/// tensor, as a value of `type`.
static Value emitElements(
    OpBuilder &builder, Location loc, Value input, Type type, const Grid &grid,
    function_ref<Value(OpBuilder &, Location, Value, Value, Value)> element) {
  auto scalar = [&](OpBuilder &b, Location at, Value x) {
    Value scale = constantFloat(b, at, grid.scales.front());
    Value zeroPoint = constantInt(b, at, grid.zeroPoints.front());
    return element(b, at, x, scale, zeroPoint);
  };
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor)
    return scalar(builder, loc, input);
  AffineMap identity = builder.getMultiDimIdentityMap(tensor.getRank());
  SmallVector<Value> inputs = {input};
  SmallVector<AffineMap> maps = {identity};
  if (grid.map) {
    inputs.push_back(arith::ConstantOp::create(
        builder, loc,
        makeFloatTensorAttr(
            RankedTensorType::get(grid.shape, builder.getF32Type()),
            grid.scales)));
    inputs.push_back(arith::ConstantOp::create(
        builder, loc,
        makeI32TensorAttr(
            RankedTensorType::get(grid.shape, builder.getI32Type()),
            grid.zeroPoints)));
    maps.append(2, grid.map);
  }
  maps.push_back(identity);
  SmallVector<utils::IteratorType> loops(tensor.getRank(),
                                         utils::IteratorType::parallel);
  return linalg::GenericOp::create(
             builder, loc, tensor, inputs,
             emptyLike(builder, loc, tensor, input), maps, loops,
             [&](OpBuilder &b, Location at, ValueRange args) {
               linalg::YieldOp::create(
                   b, at,
                   grid.map ? element(b, at, args[0], args[1], args[2])
                            : scalar(b, at, args[0]));
             })
      .getResult(0);
}

/// `type` with `element` for its elements, or `element` where it is a scalar.
static Type withElement(Type type, Type element) {
  auto shaped = dyn_cast<ShapedType>(type);
  return shaped ? Type(shaped.clone(element)) : element;
}

LogicalResult quantmlir::quantizeByFormula(quant::QuantizeCastOp op,
                                           std::string &reason) {
  FailureOr<Grid> grid = readGrid(op.getType(), reason);
  if (failed(grid))
    return failure();
  OpBuilder builder(op);
  Value stored = emitElements(
      builder, op.getLoc(), op.getInput(),
      withElement(op.getType(), grid->storage), *grid,
      [&](OpBuilder &b, Location loc, Value x, Value scale, Value zeroPoint) {
        return quantizeElement(b, loc, x, scale, zeroPoint, *grid);
      });
  op.getResult().replaceAllUsesWith(
      quant::StorageCastOp::create(builder, op.getLoc(), op.getType(), stored));
  op.erase();
  return success();
}

LogicalResult quantmlir::dequantizeByFormula(quant::DequantizeCastOp op,
                                             std::string &reason) {
  FailureOr<Grid> grid = readGrid(op.getInput().getType(), reason);
  if (failed(grid))
    return failure();
  OpBuilder builder(op);
  Value stored = quant::StorageCastOp::create(
      builder, op.getLoc(), withElement(op.getInput().getType(), grid->storage),
      op.getInput());
  Value floats = emitElements(
      builder, op.getLoc(), stored, op.getType(), *grid,
      [&](OpBuilder &b, Location loc, Value q, Value scale, Value zeroPoint) {
        return dequantizeElement(b, loc, q, scale, zeroPoint, *grid,
                                 getElementTypeOrSelf(op.getType()));
      });
  op.getResult().replaceAllUsesWith(floats);
  op.erase();
  return success();
}
