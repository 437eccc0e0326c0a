//===- PackedScaledMatmulOp.cpp - packed grouped matmul: shapes -----------===//

#include "quant/Dialect/Quant/IR/PackedScaledMatmul.h"

#include "VerifyUtils.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace quantmlir;

#define GET_OP_CLASSES
#include "quant/Dialect/Quant/IR/PackedScaledMatmulOp.cpp.inc"

int64_t quantmlir::getLargestScaledProduct(int64_t bits, bool lhsZeroPoint,
                                           bool rhsZeroPoint) {
  auto largest = [](int64_t bits, bool hasZeroPoint) {
    return hasZeroPoint ? (1 << bits) - 1 : 1 << (bits - 1);
  };
  constexpr int64_t nibbleFactor = 16;
  return largest(8, lhsZeroPoint) * largest(bits, rhsZeroPoint) *
         (bits == 4 ? nibbleFactor : 1);
}

int64_t PackedScaledMatmulOp::getLargestProduct() {
  return getLargestScaledProduct(getRhsBits(), !!getLhsZeroPoint(),
                                 !!getRhsZeroPoint());
}

/// C1, C2: the weight, as the instruction reads it.
static LogicalResult verifyRhs(PackedScaledMatmulOp op) {
  const qtarget::KernelRow &row = op.getKernel().getRow();
  ShapedType rhs = getShaped(op.getRhs());
  // packed_scaled_matmul_c2
  if (op.getRhsBits() != 4 && op.getRhsBits() != 8)
    return op.emitOpError("expected rhs_bits of 4 or 8, but got ")
           << op.getRhsBits();
  if (rhs.getRank() != 5 || !rhs.getElementType().isInteger(8) ||
      ShapedType::isDynamicShape(rhs.getShape().drop_front()) ||
      rhs.getDimSize(4) != 4)
    return op.emitOpError("expected rhs of [N/NR, K/G, G/KB, NR, 4] bytes with "
                          "static inner sizes, but got ")
           << rhs;
  // packed_scaled_matmul_c1
  if (row.grouped.panelColumns == 0)
    return op.emitOpError("expected a dot product of four bytes, or tiles of "
                          "signed by unsigned ones, but got ")
           << row.name;
  if (op.getNR() != row.grouped.panelColumns)
    return op.emitOpError("expected panels of ")
           << row.grouped.panelColumns << " columns for " << row.name
           << ", but got " << rhs;
  // packed_scaled_matmul_c8
  if (row.grouped.takesZeroPoints &&
      (op.getRowBias() || op.getRowFactors() || op.getRowSums()))
    return op.emitOpError("expected no corrections of rows for ") << row.name;
  if (!row.grouped.takesZeroPoints &&
      (op.getRhsZeroPoint() || op.getLhsZeroPoint()))
    return op.emitOpError("expected no zero points for ") << row.name;
  return success();
}

/// C3, C4: activations and result.
static LogicalResult verifyRowsAndColumns(PackedScaledMatmulOp op) {
  ShapedType lhs = getShaped(op.getLhs()), init = getShaped(op.getInit());
  // packed_scaled_matmul_c4
  if (init.getRank() != 2 ||
      !isa<Float32Type, Float16Type, BFloat16Type>(init.getElementType()))
    return op.emitOpError("expected init of rank 2 of f32, f16 or bf16, but "
                          "got ")
           << init;
  ShapedType rhs = getShaped(op.getRhs());
  if (!init.isDynamicDim(1) && !rhs.isDynamicDim(0)) {
    int64_t panels = llvm::divideCeil(init.getDimSize(1), op.getNR());
    if (panels != rhs.getDimSize(0))
      return op.emitOpError("expected ")
             << panels << " panels of rhs for the size " << init.getDimSize(1)
             << " of init, but got " << rhs;
  }
  // packed_scaled_matmul_c3
  if (op.getKernel().getRow().packsLhs &&
      op.getKernel().getRow().grouped.takesZeroPoints) {
    if (lhs.getRank() != 4 || !lhs.getElementType().isInteger(8) ||
        ShapedType::isDynamicShape(lhs.getShape().drop_front()) ||
        lhs.getDimSize(2) != 1 ||
        failed(
            verifyCompatibleShape({lhs.getDimSize(0)}, {init.getDimSize(0)})))
      return op.emitOpError("expected lhs of [M, K/64, 1, 64] bytes with M of "
                            "init, but got ")
             << lhs;
    return success();
  }
  int64_t k = op.getNumGroups() * op.getStepsPerGroup() * op.getStepSize();
  if (lhs.getRank() != 2 || !lhs.getElementType().isInteger(8) ||
      lhs.isDynamicDim(1) || lhs.getDimSize(1) < k ||
      failed(verifyCompatibleShape({lhs.getDimSize(0)}, {init.getDimSize(0)})))
    return op.emitOpError("expected lhs of [M, S] bytes with M of init and "
                          "static S >= ")
           << k << ", but got " << lhs;
  return success();
}

/// An operand, the shape and the element type that it should have.
namespace {
struct Expected {
  StringRef name;
  Value value;
  SmallVector<int64_t> shape;
  Type element;
  StringRef why;
};
} // namespace

/// `value` (if any) of rank 0 or [M].
static LogicalResult verifyRowValue(PackedScaledMatmulOp op, StringRef name,
                                    Value value, Type element) {
  if (!value)
    return success();
  if (getShaped(value).getElementType() != element)
    return op.emitOpError("expected ") << name << " elements of " << element
                                       << ", but got " << getShaped(value);
  return verifyScalarOrShape(op, name, getShaped(value),
                             {getShaped(op.getInit()).getDimSize(0)},
                             "[M] of init");
}

/// C5, C6: values for rows, columns and groups.
static LogicalResult verifyParameters(PackedScaledMatmulOp op) {
  Builder b(op.getContext());
  int64_t m = getShaped(op.getInit()).getDimSize(0);
  int64_t panels = getShaped(op.getRhs()).getDimSize(0);
  int64_t groups = op.getNumGroups(), nr = op.getNR();
  int64_t rank =
      op.getRowFactors() ? getShaped(op.getRowFactors()).getDimSize(0) : 0;
  Type f32 = b.getF32Type(), i32 = b.getI32Type();
  // packed_scaled_matmul_c5, c6
  const Expected all[] = {
      {"rhs_scale",
       op.getRhsScale(),
       {panels, groups, nr},
       f32,
       "[N/NR, K/G, NR]"},
      {"rhs_offset",
       op.getRhsOffset(),
       {panels, groups, nr},
       f32,
       "[N/NR, K/G, NR]"},
      {"rhs_zero_point",
       op.getRhsZeroPoint(),
       {panels, groups, nr},
       i32,
       "[N/NR, K/G, NR]"},
      {"rhs_sums",
       op.getRhsSums(),
       {panels, groups, nr},
       i32,
       "[N/NR, K/G, NR]"},
      {"col_factors",
       op.getColFactors(),
       {rank, panels, groups, nr},
       i32,
       "[R, N/NR, K/G, NR]"},
      {"bias", op.getBias(), {panels, nr}, f32, "[N/NR, NR]"},
      {"row_bias", op.getRowBias(), {m, groups}, i32, "[M, K/G]"},
      {"row_sums", op.getRowSums(), {m, groups}, i32, "[M, K/G]"},
      {"row_factors",
       op.getRowFactors(),
       {rank, m, groups},
       i32,
       "[R, M, K/G]"},
  };
  for (const Expected &e : all) {
    if (!e.value)
      continue;
    if (getShaped(e.value).getElementType() != e.element)
      return op.emitOpError("expected ")
             << e.name << " elements of " << e.element << ", but got "
             << getShaped(e.value);
    if (failed(verifyShape(op, e.name, getShaped(e.value), e.shape, e.why)))
      return failure();
  }
  if (ShapedType::isDynamic(rank))
    return op.emitOpError("expected row_factors of [R, M, K/G] with static R, "
                          "but got ")
           << getShaped(op.getRowFactors());
  if (failed(verifyRowValue(op, "row_scale", op.getRowScale(), f32)))
    return failure();
  return verifyRowValue(op, "lhs_zero_point", op.getLhsZeroPoint(), i32);
}

LogicalResult PackedScaledMatmulOp::verify() {
  // packed_scaled_matmul_c9
  if (failed(verifyOneKind(*this)))
    return failure();
  // packed_scaled_matmul_c7
  if (!getRowFactors() != !getColFactors())
    return emitOpError("expected row_factors and col_factors together");
  if (!getRowSums() != !getRhsOffset())
    return emitOpError("expected row_sums and rhs_offset together");
  if (!getLhsZeroPoint() != !getRhsSums())
    return emitOpError("expected lhs_zero_point and rhs_sums together");
  if (failed(verifyRhs(*this)) || failed(verifyRowsAndColumns(*this)))
    return failure();
  return verifyParameters(*this);
}

void PackedScaledMatmulOp::getEffects(
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
