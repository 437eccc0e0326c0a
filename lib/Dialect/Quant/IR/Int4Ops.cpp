//===- Int4Ops.cpp - int4 storage, two elements in a byte -----------------===//
//
// Verifiers and folds. The labels c1, c2, ... are the constraints of the ops'
// docs.
//
//===----------------------------------------------------------------------===//

#include "quant/Dialect/Quant/Utils/VerifyUtils.h"

#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Dialect/Quant/Utils/Constants.h"
#include "quant/Reference/Reference.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/PatternMatch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace quantmlir;

/// Checks that `packed` holds `unpacked` two in a byte along the last
/// dimension; `what` names the side whose type is reported.
static LogicalResult verifyPackedShape(Operation *op, StringRef what,
                                       RankedTensorType unpacked,
                                       RankedTensorType packed) {
  if (unpacked.getRank() == 0 || packed.getRank() == 0)
    return op->emitOpError("expected operand and result of rank >= 1, but got ")
           << op->getOperand(0).getType() << " and "
           << op->getResult(0).getType();
  SmallVector<int64_t> expected(unpacked.getShape());
  if (!ShapedType::isDynamic(expected.back()))
    expected.back() = llvm::divideCeil(expected.back(), 2);
  return verifyShape(op, what, packed, expected,
                     "two elements of the last dimension in a byte");
}

LogicalResult PackInt4Op::verify() {
  // pack_int4_c1
  return verifyPackedShape(*this, "result", getInput().getType(),
                           getResult().getType());
}

LogicalResult UnpackInt4Op::verify() {
  // unpack_int4_c1
  return verifyPackedShape(*this, "input", getResult().getType(),
                           getInput().getType());
}

//===----------------------------------------------------------------------===//
// Folds
//===----------------------------------------------------------------------===//

/// pack(unpack(p)) is p, unless an odd row leaves nibbles that pack would
/// clear.
OpFoldResult PackInt4Op::fold(FoldAdaptor) {
  auto producer = getInput().getDefiningOp<UnpackInt4Op>();
  if (!producer || producer.getInput().getType() != getResult().getType())
    return {};
  int64_t rowLength = getInput().getType().getShape().back();
  if (ShapedType::isDynamic(rowLength) || rowLength % 2 != 0)
    return {};
  return producer.getInput();
}

OpFoldResult UnpackInt4Op::fold(FoldAdaptor) {
  auto producer = getInput().getDefiningOp<PackInt4Op>();
  if (!producer || producer.getInput().getType() != getResult().getType())
    return {};
  return producer.getInput();
}

namespace {
struct FoldConstantPack final : OpRewritePattern<PackInt4Op> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(PackInt4Op op,
                                PatternRewriter &rewriter) const override {
    std::optional<IntConstant> input = IntConstant::get(op.getInput());
    if (!input || !op.getResult().getType().hasStaticShape())
      return rewriter.notifyMatchFailure(op, "the input is not a constant");
    std::vector<int8_t> values(input->size());
    for (int64_t i = 0, e = input->size(); i < e; ++i)
      values[i] = (*input)[i];
    int64_t rowLength = op.getInput().getType().getShape().back();
    ElementsAttr packed = makeTensorAttr(
        op.getResult().getType(), "quant_weight_int4",
        [&](MutableArrayRef<char> out) {
          reference::packInt4(
              values, rowLength,
              {reinterpret_cast<int8_t *>(out.data()), out.size()});
        });
    rewriter.replaceOpWithNewOp<arith::ConstantOp>(op, cast<TypedAttr>(packed));
    return success();
  }
};

struct FoldConstantUnpack final : OpRewritePattern<UnpackInt4Op> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(UnpackInt4Op op,
                                PatternRewriter &rewriter) const override {
    RankedTensorType type = op.getResult().getType();
    if (!type.hasStaticShape() ||
        type.getNumElements() > kMaxInlineConstantBytes)
      return rewriter.notifyMatchFailure(
          op, "unpacking would undo the storage of a weight");
    std::optional<SmallVector<int64_t>> input = getConstantInts(op.getInput());
    if (!input)
      return rewriter.notifyMatchFailure(op, "the input is not a constant");
    SmallVector<int8_t> packed(input->begin(), input->end());
    SmallVector<int8_t> values(type.getNumElements());
    reference::unpackInt4(packed, type.getShape().back(), values);
    rewriter.replaceOpWithNewOp<arith::ConstantOp>(
        op, cast<TypedAttr>(makeIntTensorAttr(type, values)));
    return success();
  }
};
} // namespace

void PackInt4Op::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                             MLIRContext *context) {
  patterns.add<FoldConstantPack>(context);
}

void UnpackInt4Op::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                               MLIRContext *context) {
  patterns.add<FoldConstantUnpack>(context);
}
