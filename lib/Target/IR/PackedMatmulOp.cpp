//===- PackedMatmulOp.cpp - packed matmul: shapes and effects -------------===//
//
// Verifier and side effects. The labels c1, c2, ... are the constraints of the
// op's docs. Operands are tensors or memrefs, so that shapes are asked of
// ShapedType.
//
//===----------------------------------------------------------------------===//

#include "quant/Target/IR/PackedMatmul.h"

#include "quant/Dialect/Quant/Utils/BufferEffects.h"
#include "quant/Dialect/Quant/Utils/VerifyUtils.h"

#include "mlir/IR/TypeUtilities.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace quantmlir;
using namespace quantmlir::qtarget;

#define GET_OP_CLASSES
#include "quant/Target/IR/PackedMatmulOp.cpp.inc"

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

namespace {
/// An operand as the layout has it.
struct LaidOut {
  StringRef name, notation;
  ShapedType type;
  OperandTiles tiles;
  /// Its sizes, as far as the layout says them.
  SmallVector<int64_t> shape;
};
} // namespace

static LaidOut getLhsLayout(PackedMatmulOp op) {
  constexpr int64_t any = ShapedType::kDynamic;
  OperandTiles tiles = op.getLayout().getLhs();
  ShapedType type = getShaped(op.getLhs());
  if (!tiles.isTiled())
    return {"lhs", "[M, K]", type, tiles, {any, any}};
  return {"lhs",
          "[M/MR, K/KL, MR, KL]",
          type,
          tiles,
          {any, any, tiles.rows, tiles.k}};
}

static LaidOut getRhsLayout(PackedMatmulOp op) {
  constexpr int64_t any = ShapedType::kDynamic;
  OperandTiles tiles = op.getLayout().getRhs();
  ShapedType type = getShaped(op.getRhs());
  int64_t bytes = tiles.k / op.getRhsPerElement();
  if (!op.isGrouped())
    return {"rhs",
            "[N/NR, K/KB, NR, KB]",
            type,
            tiles,
            {any, any, tiles.rows, bytes}};
  return {"rhs",
          "[N/NR, K/G, G/KB, NR, KB]",
          type,
          tiles,
          {any, any, op.getStepsPerGroup(), tiles.rows, bytes}};
}

/// Whether `type` has the sizes of `expected`, all of which are static in it.
static bool hasSizes(ShapedType type, ArrayRef<int64_t> expected) {
  return type.getRank() == static_cast<int64_t>(expected.size()) &&
         llvm::all_of_zip(
             type.getShape(), expected, [](int64_t size, int64_t wanted) {
               return ShapedType::isDynamic(wanted) || size == wanted;
             });
}

/// C1 of one operand.
static LogicalResult verifyLaidOut(PackedMatmulOp op, const LaidOut &operand) {
  // packed_matmul_c1
  Type element = operand.type.getElementType();
  bool isFloat = operand.tiles.isFloat;
  bool isElement =
      isFloat ? element.isF32()
              : element.isInteger(operand.tiles.bits) ||
                    (operand.name == "rhs" && op.getRhsPerElement() > 1);
  if (!isElement)
    return op.emitOpError("expected ")
           << operand.name << " elements of " << (isFloat ? 'f' : 'i')
           << operand.tiles.bits << " (" << op.getLayout() << "), but got "
           << operand.type;
  if (hasSizes(operand.type, operand.shape))
    return success();
  return op.emitOpError("expected ")
         << operand.name << " of shape " << formatShape(operand.shape) << " ("
         << operand.notation << " of " << op.getLayout() << "), but got "
         << operand.type;
}

/// C2: operands of the same K.
static LogicalResult verifyK(PackedMatmulOp op) {
  // packed_matmul_c2
  ShapedType lhs = getShaped(op.getLhs()), rhs = getShaped(op.getRhs());
  if (lhs.isDynamicDim(1) || rhs.isDynamicDim(1))
    return success();
  int64_t rhsK = rhs.getDimSize(1) * op.getStepSize();
  int64_t lhsK = op.hasPlainLhs()
                     ? llvm::alignTo(lhs.getDimSize(1), op.getStepSize())
                     : lhs.getDimSize(1) * op.getLayout().getLhs().k;
  if (lhsK != rhsK)
    return op.emitOpError("expected equal padded K sizes, but lhs has ")
           << lhsK << " and rhs has " << rhsK;
  return success();
}

/// The same of an op with groups, of which tiles of lhs may have less.
static LogicalResult verifyGroupedK(PackedMatmulOp op) {
  // packed_matmul_c2
  ShapedType lhs = getShaped(op.getLhs()), rhs = getShaped(op.getRhs());
  if (rhs.isDynamicDim(1) || lhs.isDynamicDim(1))
    return op.emitOpError("expected static K sizes with groups, but got ")
           << lhs << " and " << rhs;
  int64_t group = op.getLayout().getGroup();
  bool isPlain = op.hasPlainLhs();
  int64_t least =
      isPlain ? op.getNumGroups() * group : (op.getNumGroups() - 1) * group + 1;
  int64_t k = isPlain ? lhs.getDimSize(1)
                      : lhs.getDimSize(1) * op.getLayout().getLhs().k;
  if (k < least)
    return op.emitOpError("expected lhs of at least ")
           << least << " elements along K for " << op.getNumGroups()
           << " groups of " << group << ", but got " << lhs;
  return success();
}

/// C3: `init` is [M, N], and its sizes rounded up to tiles are the outer sizes.
static LogicalResult verifyResultShape(PackedMatmulOp op) {
  // packed_matmul_c3
  ShapedType init = getShaped(op.getInit());
  if (init.getRank() != 2)
    return op.emitOpError("expected init of rank 2, but got ") << init;
  const LaidOut operands[] = {getLhsLayout(op), getRhsLayout(op)};
  for (auto [dim, operand] : llvm::enumerate(operands)) {
    if (init.isDynamicDim(dim) || operand.type.isDynamicDim(0))
      continue;
    int64_t size = init.getDimSize(dim);
    int64_t tile = operand.tiles.isTiled() ? operand.tiles.rows : 1;
    int64_t tiles = llvm::divideCeil(size, tile);
    if (tiles != operand.type.getDimSize(0))
      return op.emitOpError("expected ")
             << tiles << " tiles of " << tile << " in " << operand.name
             << " for the size " << size << " of init, but got "
             << operand.type;
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Kernel
//===----------------------------------------------------------------------===//

/// C13: panels that the kernel has.
static LogicalResult verifyTiles(PackedMatmulOp op, const KernelRow &row) {
  // packed_matmul_c13
  ShapedType lhs = getShaped(op.getLhs()), rhs = getShaped(op.getRhs());
  if (op.getNR() % row.n != 0)
    return op.emitOpError("expected inner N tiles of a multiple of ")
           << row.n << " for " << row.name << ", but got " << rhs;
  // Each vector of a panel is code of its own.
  constexpr int64_t mostVectors = 64;
  if (op.getNR() / row.n > mostVectors)
    return op.emitOpError("expected inner N tiles of at most ")
           << mostVectors * row.n << " for " << row.name << ", but got " << rhs;
  int64_t mr = op.getLayout().getLhs().rows;
  if (row.hasFixedTiles && (mr > row.m || op.getNR() != row.n))
    return op.emitOpError("expected inner tiles of at most ")
           << row.m << " rows in lhs and of " << row.n << " columns in rhs for "
           << row.name << ", but got " << lhs << " and " << rhs;
  return success();
}

/// C12 of a code book.
static LogicalResult verifyKernelCodes(PackedMatmulOp op,
                                       const KernelRow &row) {
  DenseI32ArrayAttr codes = op.getLayout().getCodebook();
  if (!codes)
    return success();
  // packed_matmul_c12
  if (!row.grouped.looksUpCodes)
    return op.emitOpError("expected no codebook for ") << row.name;
  bool isUnsigned = row.grouped.isWeightUnsigned;
  if (llvm::all_of(codes.asArrayRef(), [&](int32_t c) {
        return isUnsigned ? c >= 0 : c <= std::numeric_limits<int8_t>::max();
      }))
    return success();
  return op.emitOpError("expected ")
         << (isUnsigned ? "unsigned" : "signed")
         << " bytes in the codebook for " << row.name << ", but got ["
         << codes.asArrayRef() << "]";
}

/// C12 and C14: what the kernel reads.
static LogicalResult verifyKernel(PackedMatmulOp op) {
  const KernelRow &row = op.getKernel().getRow();
  LayoutAttr layout = op.getLayout();
  // packed_matmul_c12
  if (op.isGrouped() && row.grouped.panelColumns == 0)
    return op.emitOpError("expected a dot product of four bytes, or tiles of "
                          "signed by unsigned ones, but got ")
           << row.name;
  if (!op.isGrouped() && row.lhs.isFloat)
    return op.emitOpError("expected groups for ") << row.name;
  LayoutAttr expected =
      row.getLayout(op.getContext(), {layout.getLhs().rows, op.getNR()},
                    op.getRhsBits(), layout.getGroup(), layout.getCodebook());
  if (layout != expected)
    return op.emitOpError("expected ")
           << expected << " for " << row.name << ", but got " << layout;
  if (failed(verifyKernelCodes(op, row)))
    return failure();
  unsigned stored = op.isGrouped() ? 8 : row.rhs.storedBits;
  if (!getShaped(op.getRhs()).getElementType().isInteger(stored))
    return op.emitOpError("expected rhs elements of i")
           << stored << " for " << row.name << ", but got "
           << getShaped(op.getRhs());
  if (!op.isGrouped())
    return verifyTiles(op, row);
  // packed_matmul_c14
  if (row.lhs.isFloat) {
    if (op.getRowBias() || op.getRowFactors() || op.getLhsZeroPoint() ||
        op.getRowScale() || op.getLhsScale())
      return op.emitOpError("expected no corrections, zero points or scales of "
                            "rows for ")
             << row.name;
    return success();
  }
  if (row.grouped.takesZeroPoints &&
      (op.getRowBias() || op.getRowFactors() || op.getRowSums()))
    return op.emitOpError("expected no corrections of rows for ") << row.name;
  if (!row.grouped.takesZeroPoints &&
      (op.getRhsZeroPoint() || op.getLhsZeroPoint()))
    return op.emitOpError("expected no zero points for ") << row.name;
  return success();
}

//===----------------------------------------------------------------------===//
// The op
//===----------------------------------------------------------------------===//

LogicalResult quantmlir::qtarget::verifyElements(PackedMatmulOp op,
                                                 StringRef name, Value value,
                                                 Type element) {
  if (!value || getShaped(value).getElementType() == element)
    return success();
  return op.emitOpError("expected ") << name << " elements of " << element
                                     << ", but got " << getShaped(value);
}

/// What scales of groups are: f32, or narrower for a kernel that widens them.
static Type getScaleType(PackedMatmulOp op) {
  Type f32 = Float32Type::get(op.getContext());
  if (!op.getRhsScale() || !op.getKernel().getRow().grouped.readsNarrowScales)
    return f32;
  Type element = getShaped(op.getRhsScale()).getElementType();
  return isa<Float16Type, BFloat16Type>(element) ? element : f32;
}

/// C4: elements of what stands beside the operands.
static LogicalResult verifyParameterElements(PackedMatmulOp op) {
  // packed_matmul_c4
  Builder b(op.getContext());
  Type sums = op.hasFloatLhs() ? Type(b.getF32Type()) : Type(b.getI32Type());
  const std::tuple<StringRef, Value, Type> all[] = {
      {"col_bias", op.getColBias(), b.getI32Type()},
      {"row_bias", op.getRowBias(), b.getI32Type()},
      {"row_factors", op.getRowFactors(), b.getI32Type()},
      {"col_factors", op.getColFactors(), b.getI32Type()},
      {"row_sums", op.getRowSums(), sums},
      {"rhs_zero_point", op.getRhsZeroPoint(), b.getI32Type()},
      {"lhs_zero_point", op.getLhsZeroPoint(), b.getI32Type()},
      {"rhs_sums", op.getRhsSums(), b.getI32Type()},
      {"rhs_scale", op.getRhsScale(), getScaleType(op)},
      {"lhs_scale", op.getLhsScale(), b.getF32Type()},
      {"rhs_offset", op.getRhsOffset(), b.getF32Type()},
      {"row_scale", op.getRowScale(), b.getF32Type()},
      {"channel_scale", op.getChannelScale(), b.getF32Type()},
      {"bias", op.getBias(), b.getF32Type()},
      {"residual", op.getResidual(), b.getF32Type()}};
  for (auto [name, value, element] : all)
    if (failed(verifyElements(op, name, value, element)))
      return failure();
  return success();
}

SmallVector<Value> PackedMatmulOp::getColumnVectors() {
  SmallVector<Value> vectors;
  for (Value value : {getRhsScale(), getRhsOffset(), getRhsZeroPoint(),
                      getRhsSums(), getColBias(), getChannelScale(), getBias(),
                      getMultiplier(), getShift()})
    if (value && getShaped(value).getRank() > 0)
      vectors.push_back(value);
  return vectors;
}

LogicalResult PackedMatmulOp::verify() {
  // packed_matmul_c15
  if (failed(verifyOneKind(*this)) ||
      failed(verifyLaidOut(*this, getLhsLayout(*this))) ||
      failed(verifyLaidOut(*this, getRhsLayout(*this))) ||
      failed(isGrouped() ? verifyGroupedK(*this) : verifyK(*this)) ||
      failed(verifyKernel(*this)) || failed(verifyResultShape(*this)) ||
      failed(verifyParameterElements(*this)) || failed(verifyGroups(*this)))
    return failure();
  return isGrouped() ? success() : verifyEpilogue(*this);
}

void PackedMatmulOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
        &effects) {
  addBufferEffects(*this, effects);
}
