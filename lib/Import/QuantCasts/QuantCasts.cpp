//===- QuantCasts.cpp - from upstream's casts to our ops ------------------===//

#include "quant/Import/QuantCasts/QuantCasts.h"

#include "BlockScales.h"
#include "CastsByFormula.h"
#include "StoredGrid.h"

#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Dialect/Quant/Utils/Constants.h"
#include "quant/Import/Contraction/ConstantLayout.h"
#include "quant/Import/Contraction/MatmulEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include "llvm/Support/FormatVariadic.h"

#include <cmath>

using namespace mlir;
using namespace quantmlir;

namespace {
/// What a `!quant.uniform` type says, as the attributes of our ops.
struct UniformParams : StoredGrid {
  RankedTensorType storedType;
  SmallVector<int64_t> axes;
  /// How the tensor is split where the scales are those of blocks, see
  /// BlockScales.h.
  SmallVector<int64_t> splitShape;
  SmallVector<ReassociationIndices> groups;

  bool hasZeroPoint() const {
    return llvm::any_of(zeroPoints, [](int32_t z) { return z != 0; });
  }
};
} // namespace

/// Reads scales and zero points: for the tensor, along one axis or by blocks.
static LogicalResult readScales(quant::QuantizedType type,
                                UniformParams &params, std::string &reason) {
  if (auto perTensor = dyn_cast<quant::UniformQuantizedType>(type)) {
    params.scales.push_back(perTensor.getScale());
    params.zeroPoints.push_back(perTensor.getZeroPoint());
    return success();
  }
  if (auto blocks = dyn_cast<quant::UniformQuantizedSubChannelType>(type)) {
    FailureOr<BlockScales> read =
        readBlockScales(params.storedType, blocks, reason);
    if (failed(read))
      return failure();
    params.axes = std::move(read->axes);
    params.scales = std::move(read->scales);
    params.zeroPoints = std::move(read->zeroPoints);
    params.splitShape = std::move(read->splitShape);
    params.groups = std::move(read->groups);
    return success();
  }
  auto perAxis = dyn_cast<quant::UniformQuantizedPerAxisType>(type);
  if (!perAxis) {
    reason = "expected scales for the tensor, along one axis or by blocks";
    return failure();
  }
  // One number for an axis of an unknown size is that of the tensor.
  if (int64_t axis = perAxis.getQuantizedDimension();
      perAxis.getScales().size() != 1 || !params.storedType.isDynamicDim(axis))
    params.axes.push_back(axis);
  llvm::append_range(params.scales, perAxis.getScales());
  llvm::append_range(params.zeroPoints, perAxis.getZeroPoints());
  return success();
}

/// Types may have zero points that their storage of `width` bits does not hold.
static LogicalResult checkZeroPoints(const UniformParams &params,
                                     unsigned width, std::string &reason) {
  int64_t min = params.isUnsigned ? 0 : llvm::minIntN(width);
  int64_t max =
      params.isUnsigned ? llvm::maxUIntN(width) : llvm::maxIntN(width);
  for (int64_t zeroPoint : params.zeroPoints) {
    if (zeroPoint >= min && zeroPoint <= max)
      continue;
    reason = llvm::formatv("expected zero points in [{0}, {1}], found {2}", min,
                           max, zeroPoint);
    return failure();
  }
  return success();
}

/// Reads `container`, a tensor of a quantized type. Fails with a text that
/// says what is not supported.
static FailureOr<UniformParams>
readParams(Type container, ArrayRef<unsigned> widths, std::string &reason) {
  auto tensorType = dyn_cast<RankedTensorType>(container);
  if (!tensorType) {
    reason = "expected a ranked tensor";
    return failure();
  }
  auto type = cast<quant::QuantizedType>(tensorType.getElementType());
  unsigned width = type.getStorageTypeIntegralWidth();
  if (!llvm::is_contained(widths, width)) {
    reason = "expected 8 or 4 stored bits, found " + std::to_string(width);
    return failure();
  }
  UniformParams params;
  if (failed(readStorage(type, params, reason)))
    return failure();
  params.storedType = tensorType.clone(params.storage);
  if (failed(readScales(type, params, reason)))
    return failure();
  if (!llvm::all_of(params.scales,
                    [](float s) { return std::isfinite(s) && s > 0; })) {
    reason = "expected scales that are finite and > 0 in f32";
    return failure();
  }
  if (failed(checkZeroPoints(params, width, reason)))
    return failure();
  return params;
}

/// Scale and, unless all are 0, zero point as constants.
static std::pair<Value, Value> emitParams(OpBuilder &builder, Location loc,
                                          const UniformParams &params) {
  SmallVector<int64_t> shape;
  // The size of one axis may be known by its scales only.
  if (params.axes.size() == 1)
    shape.push_back(params.scales.size());
  else
    for (int64_t axis : params.axes)
      shape.push_back(params.groups.empty() ? params.storedType.getDimSize(axis)
                                            : params.splitShape[axis]);
  auto scaleType = RankedTensorType::get(shape, builder.getF32Type());
  Value scale = arith::ConstantOp::create(
      builder, loc, makeFloatTensorAttr(scaleType, params.scales));
  if (!params.hasZeroPoint())
    return {scale, Value()};
  auto zeroPointType = RankedTensorType::get(shape, builder.getI32Type());
  Value zeroPoint = arith::ConstantOp::create(
      builder, loc, makeI32TensorAttr(zeroPointType, params.zeroPoints));
  return {scale, zeroPoint};
}

/// `value` with its dimensions split as the blocks of `params` want it.
static Value splitBlocks(OpBuilder &builder, Location loc, Value value,
                         const UniformParams &params) {
  if (params.groups.empty())
    return value;
  auto type = RankedTensorType::get(params.splitShape,
                                    getElementTypeOrSelf(value.getType()));
  if (Value constant = reshapeConstant(builder, loc, value, type))
    return constant;
  return tensor::ExpandShapeOp::create(builder, loc, type, value,
                                       params.groups);
}

/// The inverse, for what an op made of such a tensor.
static Value mergeBlocks(OpBuilder &builder, Location loc, Value value,
                         const UniformParams &params) {
  if (params.groups.empty())
    return value;
  return tensor::CollapseShapeOp::create(builder, loc, value, params.groups);
}

/// The type of a tensor that is split so.
static RankedTensorType getSplitType(RankedTensorType type,
                                     const UniformParams &params) {
  return params.groups.empty()
             ? type
             : RankedTensorType::get(params.splitShape, type.getElementType());
}

static LogicalResult convertQuantize(quant::QuantizeCastOp op,
                                     std::string &reason) {
  FailureOr<UniformParams> params = readParams(op.getType(), {8, 4}, reason);
  if (failed(params))
    return failure();
  OpBuilder builder(op);
  Location loc = op.getLoc();
  auto [scale, zeroPoint] = emitParams(builder, loc, *params);
  Value ints = QuantizeOp::create(
      builder, loc, getSplitType(params->storedType, *params),
      splitBlocks(builder, loc, op.getInput(), *params), scale, zeroPoint,
      builder.getDenseI64ArrayAttr(params->axes),
      builder.getDenseI64ArrayAttr({params->min, params->max}),
      params->isUnsigned ? builder.getUnitAttr() : UnitAttr());
  ints = mergeBlocks(builder, loc, ints, *params);
  Value quantized =
      quant::StorageCastOp::create(builder, loc, op.getType(), ints);
  op.getResult().replaceAllUsesWith(quantized);
  op.erase();
  return success();
}

/// A bias is stored in 32 bits, at the scale of the sums: it is rescaled.
static LogicalResult convertBias(quant::DequantizeCastOp op,
                                 const UniformParams &params,
                                 std::string &reason) {
  int64_t rank = params.storedType.getRank();
  bool isAlongColumns = llvm::equal(params.axes, ArrayRef<int64_t>{rank - 1});
  if (rank == 0 || params.isUnsigned || params.hasZeroPoint() ||
      !params.groups.empty() || !(params.axes.empty() || isAlongColumns)) {
    reason = "expected 32 stored bits to be signed, without zero point, and "
             "with scales for the tensor or its last dimension";
    return failure();
  }
  OpBuilder builder(op);
  Location loc = op.getLoc();
  Value scale = emitParams(builder, loc, params).first;
  Value ints = quant::StorageCastOp::create(builder, loc, params.storedType,
                                            op.getInput());
  Value floats = RescaleOp::create(
      builder, loc, op.getType(), ints, /*row_scale=*/Value(), scale,
      /*bias=*/Value(), /*residual=*/Value(),
      /*zero_point=*/IntegerAttr(),
      /*range=*/DenseI64ArrayAttr(), /*clamp_min=*/FloatAttr(),
      /*clamp_max=*/FloatAttr(), /*is_unsigned=*/UnitAttr());
  op.getResult().replaceAllUsesWith(floats);
  op.erase();
  return success();
}

/// The integers that a tensor of a quantized type stores.
static Value getStored(OpBuilder &builder, Location loc, Value quantized,
                       const UniformParams &params) {
  auto cast = quantized.getDefiningOp<quant::StorageCastOp>();
  if (cast && cast.getInput().getType() == params.storedType)
    return cast.getInput();
  return quant::StorageCastOp::create(builder, loc, params.storedType,
                                      quantized);
}

static LogicalResult convertDequantize(quant::DequantizeCastOp op,
                                       std::string &reason) {
  FailureOr<UniformParams> params =
      readParams(op.getInput().getType(), {8, 4, 32}, reason);
  if (failed(params))
    return failure();
  if (params->storedType.getElementType().isInteger(32))
    return convertBias(op, *params, reason);
  OpBuilder builder(op);
  Location loc = op.getLoc();
  auto [scale, zeroPoint] = emitParams(builder, loc, *params);
  Value ints = getStored(builder, loc, op.getInput(), *params);
  Value floats = DequantizeOp::create(
      builder, loc, getSplitType(cast<RankedTensorType>(op.getType()), *params),
      splitBlocks(builder, loc, ints, *params), scale, zeroPoint,
      builder.getDenseI64ArrayAttr(params->axes),
      params->isUnsigned ? builder.getUnitAttr() : UnitAttr());
  floats = mergeBlocks(builder, loc, floats, *params);
  op.getResult().replaceAllUsesWith(floats);
  op.erase();
  return success();
}

/// Removes pairs of casts to a quantized type and back to the same integers.
static void foldStorageCasts(Operation *root) {
  SmallVector<quant::StorageCastOp> casts;
  root->walk([&](quant::StorageCastOp op) { casts.push_back(op); });
  for (quant::StorageCastOp op : casts)
    if (auto inner = op.getInput().getDefiningOp<quant::StorageCastOp>();
        inner && inner.getInput().getType() == op.getType())
      op.getResult().replaceAllUsesWith(inner.getInput());
  for (quant::StorageCastOp op : llvm::reverse(casts))
    if (op->use_empty())
      op.erase();
}

/// By our op where there is one for the stored type, else by the formula.
static LogicalResult convertCast(Operation *op) {
  std::string reason, noFormula;
  auto quantize = dyn_cast<quant::QuantizeCastOp>(op);
  auto dequantize = dyn_cast<quant::DequantizeCastOp>(op);
  if (succeeded(quantize ? convertQuantize(quantize, reason)
                         : convertDequantize(dequantize, reason)))
    return success();
  Location loc = op->getLoc();
  if (failed(quantize ? quantizeByFormula(quantize, noFormula)
                      : dequantizeByFormula(dequantize, noFormula)))
    return op->emitOpError("is not supported: ") << noFormula;
  emitRemark(loc) << "cast is computed in float: " << reason;
  return success();
}

LogicalResult quantmlir::convertQuantCasts(Operation *root) {
  moveStoredIntegers(root);
  SmallVector<Operation *> casts;
  root->walk([&](Operation *op) {
    if (isa<quant::QuantizeCastOp, quant::DequantizeCastOp>(op))
      casts.push_back(op);
  });
  // All of them are named, not only the first that is wrong.
  bool allConverted = true;
  for (Operation *op : casts)
    allConverted &= succeeded(convertCast(op));
  foldStorageCasts(root);
  return success(allConverted);
}
