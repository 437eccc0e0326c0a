//===- PackedMatmulOp.cpp - packed matmul: shapes and effects -------------===//
//
// Verifier and side effects. The labels c1, c2, ... are the constraints of the
// op's docs. Operands are tensors or memrefs, so that shapes are asked of
// ShapedType.
//
//===----------------------------------------------------------------------===//

#include "VerifyUtils.h"

#include "quant/Dialect/Quant/IR/QuantOps.h"

#include "mlir/IR/TypeUtilities.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace quantmlir;

/// An operand in tiles: rank 4, the inner two static.
static LogicalResult verifyTiles(PackedMatmulOp op, StringRef name,
                                 ShapedType type) {
  if (type.getRank() != 4)
    return op.emitOpError("expected ")
           << name << " of rank 4, but got " << type;
  if (type.isDynamicDim(2) || type.isDynamicDim(3) || type.getDimSize(2) <= 0 ||
      type.getDimSize(3) <= 0)
    return op.emitOpError("expected static, non-empty inner tiles of ")
           << name << ", but got " << type;
  return success();
}

/// C1: operands of the same K.
static LogicalResult verifyPackedOperands(PackedMatmulOp op) {
  // packed_matmul_c1
  ShapedType lhs = getShaped(op.getLhs()), rhs = getShaped(op.getRhs());
  if (failed(verifyTiles(op, "rhs", rhs)))
    return failure();
  bool isPlain = !op.getKernel().getRow().packsLhs;
  if (isPlain && !op.hasPlainLhs())
    return op.emitOpError("expected lhs of rank 2, but got ") << lhs;
  if (!isPlain && failed(verifyTiles(op, "lhs", lhs)))
    return failure();
  // packed_matmul_c11
  if (op.getRhsNibbles() && !isPlain)
    return op.emitOpError("expected no nibbles for ")
           << op.getKernel().getRow().name;
  if (lhs.isDynamicDim(1) || rhs.isDynamicDim(1))
    return success();
  int64_t rhsK = rhs.getDimSize(1) * op.getStepSize();
  int64_t lhsK = isPlain ? llvm::alignTo(lhs.getDimSize(1), op.getStepSize())
                         : lhs.getDimSize(1) * lhs.getDimSize(3);
  if (lhsK != rhsK)
    return op.emitOpError("expected equal padded K sizes, but lhs has ")
           << lhsK << " and rhs has " << rhsK;
  return success();
}

/// KR of C1, C2, C3 and C8: what the kernel's row says.
static LogicalResult verifyKernel(PackedMatmulOp op) {
  const qtarget::KernelRow &row = op.getKernel().getRow();
  ShapedType lhs = getShaped(op.getLhs()), rhs = getShaped(op.getRhs());
  // packed_matmul_c1
  for (auto [name, type, format] : {std::make_tuple("lhs", lhs, row.lhs),
                                    std::make_tuple("rhs", rhs, row.rhs)})
    if (type.getRank() == 4 && type.getDimSize(3) != format.kTile)
      return op.emitOpError("expected inner K tiles of ")
             << format.kTile << " in " << name << " for " << row.name
             << ", but got " << type;
  // packed_matmul_c2
  if (rhs.getDimSize(2) % row.n != 0)
    return op.emitOpError("expected inner N tiles of a multiple of ")
           << row.n << " for " << row.name << ", but got " << rhs;
  // Each vector of a panel is code of its own.
  constexpr int64_t mostVectors = 64;
  if (rhs.getDimSize(2) / row.n > mostVectors)
    return op.emitOpError("expected inner N tiles of at most ")
           << mostVectors * row.n << " for " << row.name << ", but got " << rhs;
  // packed_matmul_c3
  for (auto [name, type, format] : {std::make_tuple("lhs", lhs, row.lhs),
                                    std::make_tuple("rhs", rhs, row.rhs)})
    if (!type.getElementType().isInteger(format.storedBits))
      return op.emitOpError("expected ")
             << name << " elements of i" << format.storedBits << " for "
             << row.name << ", but got " << type;
  // packed_matmul_c8
  if (row.hasFixedTiles &&
      (lhs.getDimSize(2) > row.m || rhs.getDimSize(2) != row.n))
    return op.emitOpError("expected inner tiles of at most ")
           << row.m << " rows in lhs and of " << row.n << " columns in rhs for "
           << row.name << ", but got " << lhs << " and " << rhs;
  for (auto [name, value] : {std::make_pair("col_bias", op.getColBias()),
                             std::make_pair("row_factors", op.getRowFactors()),
                             std::make_pair("col_factors", op.getColFactors())})
    if (value && !getShaped(value).getElementType().isInteger(row.accBits))
      return op.emitOpError("expected ")
             << name << " elements of i" << row.accBits << ", but got "
             << getShaped(value);
  for (auto [name, value] :
       {std::make_pair("row_scale", op.getRowScale()),
        std::make_pair("channel_scale", op.getChannelScale())})
    if (value && !getShaped(value).getElementType().isF32())
      return op.emitOpError("expected ")
             << name << " elements of f32, but got " << getShaped(value);
  return success();
}

/// C4: `init` is [M, N], and its sizes rounded up to tiles are the outer sizes.
static LogicalResult verifyResultShape(PackedMatmulOp op) {
  // packed_matmul_c4
  ShapedType init = getShaped(op.getInit());
  if (init.getRank() != 2)
    return op.emitOpError("expected init of rank 2, but got ") << init;
  for (auto [dim, name, operand] :
       {std::make_tuple(0, "lhs", getShaped(op.getLhs())),
        std::make_tuple(1, "rhs", getShaped(op.getRhs()))}) {
    if (init.isDynamicDim(dim) || operand.isDynamicDim(0))
      continue;
    bool isPlain = dim == 0 && op.hasPlainLhs();
    int64_t size = init.getDimSize(dim);
    int64_t tile = isPlain ? 1 : operand.getDimSize(2);
    int64_t tiles = llvm::divideCeil(size, tile);
    if (tiles != operand.getDimSize(0))
      return op.emitOpError("expected ")
             << tiles << " tiles of " << tile << " in " << name
             << " for the size " << size << " of init, but got " << operand;
  }
  return success();
}

/// [N/NR, NR], the shape of a vector over columns.
static SmallVector<int64_t> getPanels(PackedMatmulOp op) {
  ShapedType rhs = getShaped(op.getRhs());
  return {rhs.getDimSize(0), rhs.getDimSize(2)};
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

/// C6 of an epilogue that is not fixed-point: scales, as the result's element
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

/// C9: what a multiplier comes with, and without.
static LogicalResult verifyFixedPointEpilogue(PackedMatmulOp op) {
  // packed_matmul_c9
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

/// C7: what belongs to an integer result.
static LogicalResult verifyIntegerResult(PackedMatmulOp op) {
  // packed_matmul_c7
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

/// C6, C7, C9 and C10.
static LogicalResult verifyEpilogue(PackedMatmulOp op) {
  // packed_matmul_c9
  bool hasMultiplier = static_cast<bool>(op.getMultiplier());
  if (hasMultiplier != static_cast<bool>(op.getShift()) ||
      hasMultiplier != op.getRounding().has_value())
    return op.emitOpError("expected multiplier, shift and rounding together");
  // packed_matmul_c6
  if (failed(hasMultiplier ? verifyFixedPointEpilogue(op)
                           : verifyFloatEpilogue(op)) ||
      failed(verifyIntegerResult(op)))
    return failure();
  // packed_matmul_c10
  if (!op.getResidual())
    return success();
  ShapedType init = getShaped(op.getInit());
  ShapedType residual = getShaped(op.getResidual());
  if (!isa<FloatType>(init.getElementType()))
    return op.emitOpError("expected a residual with a float result only, but "
                          "init is ")
           << init;
  if (!residual.getElementType().isF32())
    return op.emitOpError("expected residual elements of f32, but got ")
           << residual;
  return verifyShape(op, "residual", residual, init.getShape(),
                     "the shape of init");
}

SmallVector<Value> PackedMatmulOp::getColumnVectors() {
  SmallVector<Value> vectors;
  for (Value value : {getColBias(), getChannelScale(), getBias(),
                      getMultiplier(), getShift()})
    if (value && getShaped(value).getRank() > 0)
      vectors.push_back(value);
  return vectors;
}

LogicalResult PackedMatmulOp::verify() {
  // packed_matmul_c12
  if (failed(verifyOneKind(*this)) || failed(verifyPackedOperands(*this)) ||
      failed(verifyKernel(*this)) || failed(verifyResultShape(*this)) ||
      failed(verifyColumnVectors(*this)))
    return failure();
  return verifyEpilogue(*this);
}

void PackedMatmulOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
        &effects) {
  for (OpOperand &operand : (*this)->getOpOperands()) {
    if (!isa<MemRefType>(operand.get().getType()))
      continue;
    if (isDpsInit(&operand))
      effects.emplace_back(MemoryEffects::Write::get(), &operand);
    else
      effects.emplace_back(MemoryEffects::Read::get(), &operand);
  }
}
