//===- ScaledMatmulOp.cpp - grouped matmul: shapes and bounds -------------===//
//
// As for quant.matmul, the verifier checks the sum's bound (C9) for the stored
// types around a zero zero point only; quant-verify-stage proves it with what
// is known of ranges and zero points.
//
//===----------------------------------------------------------------------===//

#include "quant/Dialect/Quant/Utils/VerifyUtils.h"

#include "DropZeroPoints.h"
#include "quant/Dialect/Quant/IR/NarrowConstant.h"
#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Dialect/Quant/Utils/Codebook.h"
#include "quant/Dialect/Quant/Utils/Constants.h"

#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/Support/MathExtras.h"

#include <algorithm>
#include <limits>

using namespace mlir;
using namespace quantmlir;

int64_t ScaledMatmulOp::getK() {
  int64_t k = getLhs().getType().getShape().back();
  return ShapedType::isDynamic(k) ? getRhs().getType().getDimSize(1) : k;
}

int64_t ScaledMatmulOp::getLongestGroup() {
  int64_t k = getK(), group = getGroupSize();
  if (std::optional<uint64_t> blocks = getLhsGroupSize())
    group = std::min(group, static_cast<int64_t>(*blocks));
  return ShapedType::isDynamic(k) ? group : std::min(group, k);
}

StorageRange ScaledMatmulOp::getRhsRange() {
  std::optional<ArrayRef<int8_t>> codes = getRhsCodebook();
  if (!codes || codes->empty())
    return getStorageRange(getRhs().getType().getElementType(),
                           getRhsUnsigned());
  auto [min, max] = std::minmax_element(codes->begin(), codes->end());
  return {*min, *max};
}

/// ceil(k / size), or dynamic.
static int64_t countGroups(int64_t k, int64_t size) {
  // Unsigned, as the rounding up of a signed sum could overflow.
  return ShapedType::isDynamic(k)
             ? k
             : llvm::divideCeil(static_cast<uint64_t>(k),
                                static_cast<uint64_t>(size));
}

/// C1, C2 and C3: the shapes of the two operands and the group.
static LogicalResult verifyOperandShapes(ScaledMatmulOp op) {
  RankedTensorType lhs = op.getLhs().getType(), rhs = op.getRhs().getType();
  // scaled_matmul_c1
  if (lhs.getRank() < 2 || rhs.getRank() != 2)
    return op.emitOpError("expected lhs of rank >= 2 and rhs of rank 2, but "
                          "got ")
           << lhs << " and " << rhs;
  // scaled_matmul_c2
  int64_t lhsK = lhs.getShape().back(), rhsK = rhs.getDimSize(1);
  if (failed(verifyCompatibleShape({lhsK}, {rhsK})))
    return op.emitOpError("expected equal contracted dimensions, but lhs has ")
           << lhsK << " and rhs has " << rhsK << " (dimension 1 of " << rhs
           << ")";
  // scaled_matmul_c3
  int64_t group = op.getGroupSize();
  if (group <= 0)
    return op.emitOpError("expected group_size > 0, but got ") << group;
  return success();
}

/// C4: one scale, zero point and offset for each group of each channel.
static LogicalResult verifyGroupShapes(ScaledMatmulOp op) {
  int64_t expected[] = {op.getRhs().getType().getDimSize(0),
                        countGroups(op.getK(), op.getGroupSize())};
  for (auto [what, value] :
       {std::make_pair("rhs_scale", Value(op.getRhsScale())),
        std::make_pair("rhs_zero_point", Value(op.getRhsZeroPoint())),
        std::make_pair("rhs_offset", Value(op.getRhsOffset()))})
    if (value && failed(verifyShape(op, what, cast<ShapedType>(value.getType()),
                                    expected, "[N, ceil(K / group_size)]")))
      return failure();
  return success();
}

/// C12 and C13: scales of blocks of lhs.
static LogicalResult verifyBlocks(ScaledMatmulOp op) {
  std::optional<uint64_t> size = op.getLhsGroupSize();
  // scaled_matmul_c12
  if (bool(op.getLhsScale()) != size.has_value())
    return op.emitOpError("expected lhs_scale and lhs_group_size together");
  if (!size)
    return success();
  int64_t blocks = *size, group = op.getGroupSize(), k = op.getK();
  if (blocks <= 0)
    return op.emitOpError("expected lhs_group_size > 0, but got ") << blocks;
  SmallVector<int64_t> expected(op.getLhs().getType().getShape().drop_back());
  expected.push_back(countGroups(k, blocks));
  if (failed(verifyShape(op, "lhs_scale", op.getLhsScale().getType(), expected,
                         "[B.., M, ceil(K / lhs_group_size)]")))
    return failure();
  // scaled_matmul_c13
  bool isAll = !ShapedType::isDynamic(k) && std::max(blocks, group) >= k;
  if (isAll || blocks % group == 0 || group % blocks == 0)
    return success();
  return op.emitOpError("expected one of group_size and lhs_group_size to "
                        "divide the other, but got ")
         << group << " and " << blocks;
}

/// C8: a float lhs is what it is.
static LogicalResult verifyFloatLhs(ScaledMatmulOp op) {
  if (op.hasIntegerLhs())
    return success();
  for (auto [what, isThere] :
       {std::make_pair("lhs_zero_point", bool(op.getLhsZeroPoint())),
        std::make_pair("row_scale", bool(op.getRowScale())),
        std::make_pair("lhs_scale", bool(op.getLhsScale())),
        std::make_pair("lhs_unsigned", op.getLhsUnsigned())})
    if (isThere)
      return op.emitOpError("expected no ")
             << what << " with a float lhs, " << op.getLhs().getType();
  return success();
}

/// C14: what the code book is for.
static LogicalResult verifyCodebook(ScaledMatmulOp op) {
  std::optional<ArrayRef<int8_t>> codes = op.getRhsCodebook();
  if (!codes)
    return success();
  // scaled_matmul_c14
  if (codes->size() != kNumCodes)
    return op.emitOpError("expected a rhs_codebook of ")
           << kNumCodes << " entries, but got " << codes->size();
  RankedTensorType rhs = op.getRhs().getType();
  if (!rhs.getElementType().isInteger(4))
    return op.emitOpError("expected a rhs of i4 with a rhs_codebook, but got ")
           << rhs;
  for (auto [what, isThere] :
       {std::make_pair("rhs_zero_point", bool(op.getRhsZeroPoint())),
        std::make_pair("rhs_unsigned", op.getRhsUnsigned())})
    if (isThere)
      return op.emitOpError("expected no ") << what << " with a rhs_codebook";
  return success();
}

/// C9: a group's sum of any stored values fits in i32.
static LogicalResult verifyStoredBound(ScaledMatmulOp op) {
  if (!op.hasIntegerLhs() || ShapedType::isDynamic(op.getK()))
    return success();
  StorageRange lhs =
      getStorageRange(getElementTypeOrSelf(op.getLhs()), op.getLhsUnsigned());
  // A code book may be all zeros.
  int64_t product = std::max<int64_t>(
      1, lhs.getMaxDistance({0, 0}) * op.getRhsRange().getMaxDistance({0, 0}));
  constexpr int64_t limit = std::numeric_limits<int32_t>::max();
  int64_t group = op.getLongestGroup();
  if (group <= limit / product)
    return success();
  return op.emitOpError("sum over a group of ")
         << group << " may reach "
         << static_cast<uint64_t>(group) * static_cast<uint64_t>(product)
         << ", past " << limit << "; use smaller groups";
}

/// C10 and C11: values that are known.
static LogicalResult verifyConstants(ScaledMatmulOp op) {
  // scaled_matmul_c10
  if (failed(verifyConstantScale(
          op, "rhs_scale", op.getRhsScale(),
          op.getRhsCodebook() ? ScaleRange::Finite : ScaleRange::AboveZero)) ||
      failed(verifyConstantScale(op, "row_scale", op.getRowScale())) ||
      failed(verifyConstantScale(op, "lhs_scale", op.getLhsScale())))
    return failure();
  // scaled_matmul_c11
  if (op.getLhsZeroPoint() &&
      failed(verifyConstantInRange(
          op, "lhs_zero_point", op.getLhsZeroPoint(),
          getStorageRange(getElementTypeOrSelf(op.getLhs()),
                          op.getLhsUnsigned()))))
    return failure();
  return verifyConstantInRange(
      op, "rhs_zero_point", op.getRhsZeroPoint(),
      getStorageRange(getElementTypeOrSelf(op.getRhs()), op.getRhsUnsigned()));
}

LogicalResult ScaledMatmulOp::verify() {
  // scaled_matmul_c4
  if (failed(verifyOperandShapes(*this)) || failed(verifyGroupShapes(*this)))
    return failure();
  RankedTensorType lhs = getLhs().getType();
  int64_t n = getRhs().getType().getDimSize(0);
  ArrayRef<int64_t> rows = lhs.getShape().drop_back();
  // scaled_matmul_c5
  for (auto [what, value] :
       {std::make_pair("lhs_zero_point", Value(getLhsZeroPoint())),
        std::make_pair("row_scale", Value(getRowScale()))})
    if (value && failed(verifyScalarOrShape(*this, what,
                                            cast<ShapedType>(value.getType()),
                                            rows, "one for each row of lhs")))
      return failure();
  // scaled_matmul_c6
  if (getBias() &&
      failed(verifyParameterShape(*this, "bias", getBias().getType(), {n},
                                  "one for each row of rhs")))
    return failure();
  // scaled_matmul_c7
  SmallVector<int64_t> result(rows);
  result.push_back(n);
  if (failed(verifyShape(*this, "result", getResult().getType(), result,
                         "[B.., M, N] of the operands")))
    return failure();
  // scaled_matmul_c8, c9
  if (failed(verifyFloatLhs(*this)) || failed(verifyBlocks(*this)) ||
      failed(verifyCodebook(*this)) || failed(verifyStoredBound(*this)))
    return failure();
  return verifyConstants(*this);
}

//===----------------------------------------------------------------------===//
// Canonicalization
//===----------------------------------------------------------------------===//

void ScaledMatmulOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                                 MLIRContext *context) {
  patterns
      .add<DropZeroPoints<ScaledMatmulOp>, PackNarrowWeight<ScaledMatmulOp>>(
          context);
}
