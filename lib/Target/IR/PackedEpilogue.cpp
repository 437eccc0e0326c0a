//===- PackedEpilogue.cpp - what follows the sums of a packed matmul ------===//
//
// The labels c5, c9, ... are the constraints of the op's docs.
//
//===----------------------------------------------------------------------===//

#include "quant/Target/IR/PackedMatmul.h"

#include "quant/Dialect/Quant/Utils/VerifyUtils.h"

#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace quantmlir;
using namespace quantmlir::qtarget;

/// [N/NR, NR], the shape of a vector over columns.
static SmallVector<int64_t> getPanels(PackedMatmulOp op) {
  return {getShaped(op.getRhs()).getDimSize(0), op.getNR()};
}

/// A value of rank 0, or one for each column in panels. (Where N is known by
/// the run only, panels are one of an unknown number: the run has compared N.)
static LogicalResult verifyScalarOrPanels(PackedMatmulOp op, StringRef name,
                                          ShapedType type) {
  SmallVector<int64_t> panels = getPanels(op);
  if (succeeded(verifyCompatibleShape(type.getShape(), panels)))
    return success();
  return verifyScalarOrShape(op, name, type, panels, "[N/NR, NR] of rhs");
}

/// C5: vectors over columns are packed like rhs; the factors stand together.
static LogicalResult verifyColumnVectors(PackedMatmulOp op) {
  // packed_matmul_c5
  SmallVector<int64_t> columns = getPanels(op);
  constexpr StringLiteral why = "[N/NR, NR] of rhs";
  if (op.getColBias() &&
      failed(verifyShape(op, "col_bias", getShaped(op.getColBias()), columns,
                         why)))
    return failure();
  if (op.getBias() &&
      failed(verifyShape(op, "bias", getShaped(op.getBias()), columns, why)))
    return failure();
  if (!op.getRowFactors() != !op.getColFactors())
    return op.emitOpError("expected row_factors and col_factors together, but "
                          "got only ")
           << (op.getRowFactors() ? "row_factors" : "col_factors");
  if (!op.getRowFactors())
    return success();
  ShapedType rows = getShaped(op.getRowFactors());
  if (rows.getRank() != 2 || rows.isDynamicDim(0))
    return op.emitOpError("expected row_factors of shape [R, M] with static "
                          "R, but got ")
           << rows;
  int64_t rank = rows.getDimSize(0);
  if (failed(verifyShape(op, "row_factors", rows,
                         {rank, getShaped(op.getInit()).getDimSize(0)},
                         "[R, M]")))
    return failure();
  return verifyShape(op, "col_factors", getShaped(op.getColFactors()),
                     {rank, columns[0], columns[1]}, "[R, N/NR, NR]");
}

/// C9 of an epilogue that is not fixed-point: scales, as the result's element
/// type wants them.
static LogicalResult verifyFloatEpilogue(PackedMatmulOp op) {
  ShapedType init = getShaped(op.getInit());
  bool hasScale = op.getRowScale() || op.getChannelScale();
  bool isAccumulator = init.getElementType().isInteger(32);
  Type element = init.getElementType();
  if (!isAccumulator && !element.isInteger(8) &&
      !isa<Float32Type, Float16Type, BFloat16Type>(element))
    return op.emitOpError("expected a result of i32, i8, f32, f16 or bf16, but "
                          "init is ")
           << init;
  if (isAccumulator && hasScale)
    return op.emitOpError("expected no scales with an i32 result, but got ")
           << (op.getRowScale() ? "row_scale" : "channel_scale");
  if (isAccumulator && (op.getBias() || op.getClampMin() || op.getClampMax()))
    return op.emitOpError("expected no bias and no clamp with an i32 result");
  if (!isAccumulator && !hasScale)
    return op.emitOpError("expected a row_scale or a channel_scale with ")
           << init << ", but got neither";
  if (op.getRowScale() &&
      failed(verifyScalarOrShape(op, "row_scale", getShaped(op.getRowScale()),
                                 {init.getDimSize(0)}, "[M] of init")))
    return failure();
  if (!op.getChannelScale())
    return success();
  return verifyScalarOrPanels(op, "channel_scale",
                              getShaped(op.getChannelScale()));
}

/// C10: what a multiplier comes with, and without.
static LogicalResult verifyFixedPointEpilogue(PackedMatmulOp op) {
  // packed_matmul_c10
  Type result = getShaped(op.getInit()).getElementType();
  if (!result.isInteger(8) && !result.isInteger(16) && !result.isInteger(32))
    return op.emitOpError("expected a result of i8, i16 or i32 with a "
                          "multiplier, but init is ")
           << getShaped(op.getInit());
  if (op.getRowScale() || op.getChannelScale() || op.getBias() ||
      op.getResidual() || op.getClampMin() || op.getClampMax())
    return op.emitOpError("expected no scale, bias, residual or clamp with a "
                          "multiplier");
  ShapedType multiplier = getShaped(op.getMultiplier());
  ShapedType shift = getShaped(op.getShift());
  for (auto [name, type, bits] : {std::make_tuple("multiplier", multiplier, 32),
                                  std::make_tuple("shift", shift, 8)}) {
    if (!type.getElementType().isInteger(bits))
      return op.emitOpError("expected ")
             << name << " elements of i" << bits << ", but got " << type;
    if (failed(verifyScalarOrPanels(op, name, type)))
      return failure();
  }
  if (multiplier.getRank() != shift.getRank())
    return op.emitOpError("expected multiplier and shift of one rank, but got ")
           << multiplier << " and " << shift;
  return success();
}

/// C9: what belongs to an integer result.
static LogicalResult verifyIntegerResult(PackedMatmulOp op) {
  // packed_matmul_c9
  ShapedType init = getShaped(op.getInit());
  if (!init.getElementType().isInteger(8) && !op.getMultiplier()) {
    if (op.getZeroPoint() || op.getRange() || op.getIsUnsigned())
      return op.emitOpError("expected zero_point, range and unsigned with an "
                            "8-bit result only, but init is ")
             << init;
    return success();
  }
  if (!op.getRange())
    return op.emitOpError("expected a range with ")
           << (op.getMultiplier() ? "a multiplier" : "an 8-bit result");
  return verifyRange(op, *op.getRange(), init.getElementType(),
                     op.getIsUnsigned());
}

LogicalResult quantmlir::qtarget::verifyEpilogue(PackedMatmulOp op) {
  if (failed(verifyColumnVectors(op)))
    return failure();
  // packed_matmul_c10
  bool hasMultiplier = static_cast<bool>(op.getMultiplier());
  if (hasMultiplier != static_cast<bool>(op.getShift()) ||
      hasMultiplier != op.getRounding().has_value())
    return op.emitOpError("expected multiplier, shift and rounding together");
  // packed_matmul_c9
  if (failed(hasMultiplier ? verifyFixedPointEpilogue(op)
                           : verifyFloatEpilogue(op)) ||
      failed(verifyIntegerResult(op)))
    return failure();
  // packed_matmul_c11
  if (!op.getResidual())
    return success();
  ShapedType init = getShaped(op.getInit());
  ShapedType residual = getShaped(op.getResidual());
  if (!isa<FloatType>(init.getElementType()))
    return op.emitOpError("expected a residual with a float result only, but "
                          "init is ")
           << init;
  return verifyShape(op, "residual", residual, init.getShape(),
                     "the shape of init");
}

