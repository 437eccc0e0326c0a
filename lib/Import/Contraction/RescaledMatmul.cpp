//===- RescaledMatmul.cpp - replace a contraction -------------------------===//

#include "quant/Import/Contraction/RescaledMatmul.h"

#include "quant/Calibration/WeightFormat.h"
#include "quant/Dialect/Quant/IR/NarrowConstant.h"
#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Dialect/Quant/Utils/Constants.h"
#include "quant/Import/MatmulNames.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <array>

using namespace mlir;
using namespace quantmlir;

QuantizedMatrix quantmlir::emitGiven(MatmulEmitter &emitter,
                                     const QuantizedOperand &operand,
                                     bool isLhs) {
  auto emitVector = [&](const LoopTensor &vector) {
    return isLhs ? emitter.emitRowVector(vector)
                 : emitter.emitColumnVector(vector);
  };
  QuantizedMatrix matrix;
  matrix.isUnsigned = operand.isUnsigned;
  matrix.ints =
      isLhs ? emitter.emitLhs(operand.ints) : emitter.emitRhs(operand.ints);
  matrix.scale = emitVector(operand.scale);
  if (operand.hasZeroPoint())
    matrix.zeroPoint =
        isLhs ? emitter.emitRowVector(operand.zeroPoint)
              : emitter.emitRhsZeroPoint(operand.zeroPoint, matrix.ints);
  return matrix;
}

static Value emitMatmul(OpBuilder &builder, MatmulEmitter &emitter,
                        Location loc, const QuantizedMatrix &lhs,
                        const QuantizedMatrix &rhs, Value init) {
  UnitAttr unit = builder.getUnitAttr(), none;
  return MatmulOp::create(
      builder, loc, init.getType(), lhs.ints, rhs.ints, lhs.zeroPoint,
      rhs.zeroPoint, init, emitter.isRhsTransposed() ? unit : none,
      lhs.isUnsigned ? unit : none, rhs.isUnsigned ? unit : none);
}

/// The quantized matmul goes by the name of the contraction, and keeps what was
/// noted of its scheme.
static void copyName(Operation *from, Value to) {
  for (StringRef attribute :
       {kMatmulNameAttr, kMatmulOrdinalAttr, kSchemePartlyAttr})
    if (Attribute name = from->getAttr(attribute))
      to.getDefiningOp()->setAttr(attribute, name);
}

/// The init as a vector over the columns, where it is a copy of one for each
/// row: a convolution's bias. Null if it is not, or has other elements.
static Value emitInitBias(MatmulEmitter &emitter, const Contraction &c) {
  LoopTensor init = traceMovement(c.init);
  if (init.value == c.init.value || c.n.empty() || init.getLoopRank() == 0 ||
      !isRankZeroOrOver(init, c.n) ||
      init.getType().getElementType() != c.getResultElementType())
    return {};
  return emitter.emitColumnVector(init);
}

/// The same for a rescale to f32, whose bias is f32.
static Value emitFloatBias(MatmulEmitter &emitter, const Contraction &c) {
  return c.getResultElementType().isF32() ? emitInitBias(emitter, c) : Value();
}

/// `matrix`, `[batch.., M, N]`, and the contraction's init, where that is not
/// zero and not in the matrix yet, take the contraction's place.
static void replaceContraction(OpBuilder &builder, MatmulEmitter &emitter,
                               const Contraction &contraction, Value matrix,
                               bool hasInit) {
  Location loc = contraction.op->getLoc();
  Value result = emitter.emitResult(matrix);
  Value init = contraction.init.value;
  if (!hasInit && !isZeroInit(init)) {
    Value empty = tensor::EmptyOp::create(
        builder, loc, tensor::getMixedSizes(builder, loc, init),
        contraction.getResultElementType());
    result = linalg::AddOp::create(builder, loc, ValueRange{result, init},
                                   ValueRange{empty})
                 .getResult(0);
  }
  contraction.op->getResult(0).replaceAllUsesWith(result);
  eraseDeadChain(contraction.op);
}

/// `f32(acc) * (row scale * column scale)` where each batch has columns of its
/// own, which quant.rescale does not know: `columnScale` is `[batch.., N]`.
static Value emitBatchRescale(OpBuilder &builder, Location loc, Value acc,
                              Value rowScale, Value columnScale,
                              RankedTensorType type) {
  int64_t rank = type.getRank();
  // `dims` without what has one element for all.
  auto getMap = [&](Value value, ArrayRef<int64_t> dims) {
    auto given = cast<RankedTensorType>(value.getType());
    SmallVector<AffineExpr> exprs;
    for (auto [size, dim] : llvm::zip(given.getShape(), dims))
      exprs.push_back(size == 1 ? builder.getAffineConstantExpr(0)
                                : builder.getAffineDimExpr(dim));
    return AffineMap::get(rank, 0, exprs, builder.getContext());
  };
  auto dims = llvm::to_vector(llvm::seq<int64_t>(0, rank - 1));
  SmallVector<Value> inputs{acc, rowScale, columnScale};
  AffineMap identity = builder.getMultiDimIdentityMap(rank);
  SmallVector<AffineMap> maps{identity, getMap(rowScale, dims)};
  dims.back() = rank - 1;
  maps.append({getMap(columnScale, dims), identity});
  SmallVector<utils::IteratorType> kinds(rank, utils::IteratorType::parallel);
  Type element = type.getElementType(), f32 = builder.getF32Type();
  Value empty = tensor::EmptyOp::create(
      builder, loc, tensor::getMixedSizes(builder, loc, acc), element);
  auto op = linalg::GenericOp::create(
      builder, loc, TypeRange{empty.getType()}, inputs, empty, maps, kinds,
      [&](OpBuilder &b, Location l, ValueRange args) {
        Value scale = arith::MulFOp::create(b, l, args[1], args[2]);
        Value sum = arith::SIToFPOp::create(b, l, f32, args[0]);
        Value real = arith::MulFOp::create(b, l, sum, scale);
        if (element.getIntOrFloatBitWidth() < 32)
          real = arith::TruncFOp::create(b, l, element, real);
        linalg::YieldOp::create(b, l, real);
      });
  return op.getResult(0);
}

void quantmlir::emitRescaledMatmul(OpBuilder &builder, MatmulEmitter &emitter,
                                   const Contraction &contraction,
                                   const QuantizedMatrix &lhs,
                                   const QuantizedMatrix &rhs) {
  Location loc = contraction.op->getLoc();
  Value zero = emitter.emitZeroAccumulator(lhs.ints, rhs.ints);
  Value accumulator = emitMatmul(builder, emitter, loc, lhs, rhs, zero);
  copyName(contraction.op, accumulator);
  auto type = cast<RankedTensorType>(zero.getType())
                  .clone(contraction.getResultElementType());
  if (rhs.scale && cast<RankedTensorType>(rhs.scale.getType()).getRank() > 1) {
    Value floats =
        emitBatchRescale(builder, loc, accumulator, lhs.scale, rhs.scale, type);
    replaceContraction(builder, emitter, contraction, floats,
                       /*hasInit=*/false);
    return;
  }
  Value bias = emitFloatBias(emitter, contraction);
  Value rescaled = RescaleOp::create(
      builder, loc, type, accumulator, lhs.scale, rhs.scale, bias,
      /*residual=*/Value(), /*zero_point=*/IntegerAttr(),
      /*range=*/DenseI64ArrayAttr(), /*clamp_min=*/FloatAttr(),
      /*clamp_max=*/FloatAttr(), /*is_unsigned=*/UnitAttr());
  replaceContraction(builder, emitter, contraction, rescaled, bool(bias));
}

/// The numbers of the entries of E2M1's code book that the constant `weight`,
/// of bytes, consists of, as i4; null where it has others, or fits in i4
/// without a table.
static Value emitE2M1Codes(OpBuilder &builder, Location loc, Value weight) {
  auto type = cast<RankedTensorType>(weight.getType());
  std::optional<IntConstant> ints = IntConstant::get(weight);
  if (!type.getElementType().isInteger(8) || !ints || ints->size() == 0)
    return {};
  ArrayRef<int8_t> codes = getFormatRow(WeightFormat::MXFP4).codes;
  std::array<int8_t, 256> numberOf;
  numberOf.fill(-1);
  // Of the two zeros the first.
  for (int8_t number = codes.size() - 1; number >= 0; --number)
    numberOf[static_cast<uint8_t>(codes[number])] = number;
  std::vector<int8_t> numbers(ints->size());
  bool isWide = false;
  for (auto [i, number] : llvm::enumerate(numbers)) {
    int64_t value = (*ints)[i];
    number = numberOf[static_cast<uint8_t>(value)];
    if (number < 0)
      return {};
    isWide |= value < -8 || value > 7;
  }
  if (!isWide)
    return {};
  return createNarrowConstant(builder, loc, type.clone(builder.getI4Type()),
                              numbers);
}

ScaledMatmulOp quantmlir::emitScaledMatmul(
    OpBuilder &builder, MatmulEmitter &emitter, const Contraction &contraction,
    const QuantizedMatrix &lhs, const QuantizedMatrix &rhs, int64_t groupSize,
    Value blockScale) {
  Location loc = contraction.op->getLoc();
  auto lhsType = cast<RankedTensorType>(lhs.ints.getType());
  SmallVector<int64_t> shape(lhsType.getShape());
  shape.back() = cast<RankedTensorType>(rhs.ints.getType()).getDimSize(0);
  UnitAttr unit = builder.getUnitAttr(), none;
  Value bias = emitFloatBias(emitter, contraction);
  Value codes = rhs.isUnsigned || rhs.zeroPoint
                    ? Value()
                    : emitE2M1Codes(builder, loc, rhs.ints);
  auto scaled = ScaledMatmulOp::create(
      builder, loc,
      RankedTensorType::get(shape, contraction.getResultElementType()),
      lhs.ints, codes ? codes : rhs.ints, lhs.zeroPoint, lhs.scale, rhs.scale,
      rhs.zeroPoint, /*rhs_offset=*/Value(), bias,
      builder.getI64IntegerAttr(groupSize), lhs.isUnsigned ? unit : none,
      rhs.isUnsigned ? unit : none);
  if (codes)
    scaled.setRhsCodebook(getFormatRow(WeightFormat::MXFP4).codes);
  if (blockScale) {
    scaled.getLhsScaleMutable().assign(blockScale);
    scaled.setLhsGroupSize(groupSize);
  }
  copyName(contraction.op, scaled);
  replaceContraction(builder, emitter, contraction, scaled, bool(bias));
  return scaled;
}

/// The one `quant.rescale_fixed_point` without bias that reads the sums `c`,
/// column by column.
static RescaleFixedPointOp getRescale(const Contraction &c) {
  Value sums = c.op->getResult(0);
  if (!sums.hasOneUse() || c.n.size() != 1 || c.init.loops.empty() ||
      c.init.loops.back() != c.n.front())
    return {};
  auto rescale = dyn_cast<RescaleFixedPointOp>(*sums.getUsers().begin());
  return rescale && !rescale.getBias() ? rescale : RescaleFixedPointOp();
}

bool quantmlir::emitFixedPointMatmul(OpBuilder &builder, MatmulEmitter &emitter,
                                     const Contraction &contraction,
                                     const QuantizedMatrix &lhs,
                                     const QuantizedMatrix &rhs) {
  RescaleFixedPointOp rescale = getRescale(contraction);
  if (!rescale)
    return false;
  Value bias;
  if (!isZeroInit(contraction.init.value)) {
    bias = emitInitBias(emitter, contraction);
    if (!bias)
      return false;
  }
  // Where the rescale stands: its multipliers may come after the sums.
  builder.setInsertionPoint(rescale);
  Value zero = emitter.emitZeroAccumulator(lhs.ints, rhs.ints);
  Value sums =
      emitMatmul(builder, emitter, contraction.op->getLoc(), lhs, rhs, zero);
  auto moved = cast<RescaleFixedPointOp>(builder.clone(*rescale));
  moved.getAccMutable().assign(sums);
  if (bias)
    moved.getBiasMutable().assign(bias);
  Type element = getElementTypeOrSelf(rescale.getType());
  moved.getResult().setType(
      cast<RankedTensorType>(sums.getType()).clone(element));
  rescale.getResult().replaceAllUsesWith(emitter.emitResult(moved));
  rescale.erase();
  return true;
}

Value quantmlir::emitIntegerSums(OpBuilder &builder, MatmulEmitter &emitter,
                                 const Contraction &contraction,
                                 const QuantizedMatrix &lhs,
                                 const QuantizedMatrix &rhs) {
  Value init = isZeroInit(contraction.init.value)
                   ? emitter.emitZeroAccumulator(lhs.ints, rhs.ints)
                   : emitter.emitInit();
  Value accumulator =
      emitMatmul(builder, emitter, contraction.op->getLoc(), lhs, rhs, init);
  return emitter.emitResult(accumulator);
}
