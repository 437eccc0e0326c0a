//===- MatmulOp.cpp - integer matmul: shapes and bounds -------------------===//
//
// The verifier checks the accumulator's bound (C7) for the stored types around
// a zero zero point only; the pass quant-verify-stage proves it with the ranges
// and zero points that are known.
//
//===----------------------------------------------------------------------===//

#include "quant/Dialect/Quant/Utils/VerifyUtils.h"

#include "DropZeroPoints.h"
#include "quant/Dialect/Quant/IR/NarrowConstant.h"
#include "quant/Dialect/Quant/IR/QuantOps.h"

#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/TypeUtilities.h"

#include <limits>

using namespace mlir;
using namespace quantmlir;

int64_t MatmulOp::getK() {
  int64_t k = getLhs().getType().getShape().back();
  return ShapedType::isDynamic(k) ? getRhs().getType().getDimSize(getRhsKDim())
                                  : k;
}

/// Sizes that agree, or of which one is dynamic.
static bool areCompatible(int64_t a, int64_t b) {
  return a == b || ShapedType::isDynamic(a) || ShapedType::isDynamic(b);
}

/// The more static one of two sizes that agree.
static int64_t merge(int64_t a, int64_t b) {
  return ShapedType::isDynamic(a) ? b : a;
}

/// C1, C2 and C3: the shapes of the two operands.
static LogicalResult verifyOperandShapes(MatmulOp op) {
  RankedTensorType lhs = op.getLhs().getType(), rhs = op.getRhs().getType();
  // matmul_c1
  if (lhs.getRank() < 2 ||
      (rhs.getRank() != 2 && rhs.getRank() != lhs.getRank()))
    return op.emitOpError("expected lhs of rank >= 2 and rhs of rank 2 or the "
                          "rank of lhs, but got ")
           << lhs << " and " << rhs;
  // matmul_c2
  int64_t lhsK = lhs.getShape().back(), rhsK = rhs.getDimSize(op.getRhsKDim());
  if (!areCompatible(lhsK, rhsK))
    return op.emitOpError("expected equal contracted dimensions, but lhs has ")
           << lhsK << " and rhs has " << rhsK << " (dimension "
           << op.getRhsKDim() << " of " << rhs << ")";
  // matmul_c3
  if (!op.hasBatchedRhs())
    return success();
  ArrayRef<int64_t> lhsBatch = lhs.getShape().drop_back(2);
  ArrayRef<int64_t> rhsBatch = rhs.getShape().drop_back(2);
  if (!llvm::all_of_zip(lhsBatch, rhsBatch, areCompatible))
    return op.emitOpError("expected equal batch dimensions, but lhs has ")
           << formatShape(lhsBatch) << " and rhs has " << formatShape(rhsBatch);
  return success();
}

/// C7: the sum of K products of any stored values fits in i32.
static LogicalResult verifyStoredBound(MatmulOp op) {
  int64_t k = op.getK();
  if (ShapedType::isDynamic(k))
    return success();
  auto bound = [](Value operand, bool isUnsigned) {
    return getStorageRange(getElementTypeOrSelf(operand), isUnsigned)
        .getMaxDistance({0, 0});
  };
  int64_t product = bound(op.getLhs(), op.getLhsUnsigned()) *
                    bound(op.getRhs(), op.getRhsUnsigned());
  constexpr int64_t limit = std::numeric_limits<int32_t>::max();
  if (k <= limit / product)
    return success();
  // Products are at most 2^16, so this overflows for no K that has a tensor.
  return op.emitOpError("sum over K = ")
         << k << " may reach "
         << static_cast<uint64_t>(k) * static_cast<uint64_t>(product)
         << ", past " << limit << "; split K or narrow the operands";
}

LogicalResult MatmulOp::verify() {
  if (failed(verifyOperandShapes(*this)))
    return failure();
  RankedTensorType lhs = getLhs().getType(), rhs = getRhs().getType();
  SmallVector<int64_t> batch(lhs.getShape().drop_back(2));
  if (hasBatchedRhs())
    for (auto [size, other] : llvm::zip(batch, rhs.getShape().drop_back(2)))
      size = merge(size, other);
  SmallVector<int64_t> rows = batch, columns, result;
  rows.push_back(lhs.getDimSize(getNumBatchDims()));
  if (hasBatchedRhs())
    columns = batch;
  columns.push_back(rhs.getDimSize(getRhsNDim()));
  result = rows;
  result.push_back(columns.back());

  // matmul_c4
  if (failed(verifyShape(*this, "init", getInit().getType(), result,
                         "[B.., M, N] of the operands")))
    return failure();
  // matmul_c5
  if (getLhsZeroPoint() &&
      failed(verifyScalarOrShape(*this, "lhs_zero_point",
                                 getLhsZeroPoint().getType(), rows,
                                 "one for each row of lhs")))
    return failure();
  // matmul_c6
  if (getRhsZeroPoint() &&
      failed(verifyScalarOrShape(*this, "rhs_zero_point",
                                 getRhsZeroPoint().getType(), columns,
                                 "one for each column of rhs")))
    return failure();
  // matmul_c7
  if (failed(verifyStoredBound(*this)))
    return failure();
  // matmul_c8
  if (failed(verifyConstantInRange(
          *this, "lhs_zero_point", getLhsZeroPoint(),
          getStorageRange(lhs.getElementType(), getLhsUnsigned()))))
    return failure();
  return verifyConstantInRange(
      *this, "rhs_zero_point", getRhsZeroPoint(),
      getStorageRange(rhs.getElementType(), getRhsUnsigned()));
}

//===----------------------------------------------------------------------===//
// Canonicalization
//===----------------------------------------------------------------------===//

namespace {
/// A sum over no products leaves the initial value, and so does a product
/// without elements.
struct FoldEmpty final : OpRewritePattern<MatmulOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(MatmulOp op,
                                PatternRewriter &rewriter) const override {
    if (op.getK() != 0 &&
        !llvm::is_contained(op.getResult().getType().getShape(), 0))
      return rewriter.notifyMatchFailure(op,
                                         "neither K nor the result is empty");
    rewriter.replaceOp(op, op.getInit());
    return success();
  }
};
} // namespace

void MatmulOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                           MLIRContext *context) {
  patterns.add<DropZeroPoints<MatmulOp>, FoldEmpty, PackNarrowWeight<MatmulOp>>(
      context);
}
