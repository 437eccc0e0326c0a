//===- Int4Ops.cpp - int4 and int2 storage, several in a byte -----------===//
//
// Verifiers and folds. The labels c1, c2, ... are the constraints of the ops'
// docs.
//
//===----------------------------------------------------------------------===//

#include "quant/Dialect/Quant/Utils/VerifyUtils.h"

#include "quant/Dialect/Quant/IR/NarrowConstant.h"
#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Dialect/Quant/Utils/Constants.h"
#include "quant/Reference/Reference.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/PatternMatch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace quantmlir;

/// Checks that `packed` holds `unpacked` several in a byte along the last
/// dimension; `what` names the side whose type is reported.
template <typename Op>
static LogicalResult verifyPackedShape(Op op, StringRef what,
                                       RankedTensorType unpacked,
                                       RankedTensorType packed) {
  if (unpacked.getRank() == 0 || packed.getRank() == 0)
    return op.emitOpError("expected operand and result of rank >= 1, but got ")
           << op.getInput().getType() << " and " << op.getResult().getType();
  SmallVector<int64_t> expected(unpacked.getShape());
  if (!ShapedType::isDynamic(expected.back()))
    expected.back() = llvm::divideCeil(expected.back(), Op::kPerByte);
  return verifyShape(op, what, packed, expected,
                     Op::kPerByte == 2
                         ? "two elements of the last dimension in a byte"
                         : "four elements of the last dimension in a byte");
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

LogicalResult PackInt2Op::verify() {
  // pack_int2_c1
  return verifyPackedShape(*this, "result", getInput().getType(),
                           getResult().getType());
}

LogicalResult UnpackInt2Op::verify() {
  // unpack_int2_c1
  return verifyPackedShape(*this, "input", getResult().getType(),
                           getInput().getType());
}

//===----------------------------------------------------------------------===//
// Folds
//===----------------------------------------------------------------------===//

/// pack(unpack(p)) is p, unless a row leaves bits of its last byte that pack
/// would clear.
template <typename Unpack, typename Pack>
static OpFoldResult foldPack(Pack op) {
  auto producer = op.getInput().template getDefiningOp<Unpack>();
  if (!producer || producer.getInput().getType() != op.getResult().getType())
    return {};
  int64_t rowLength = op.getInput().getType().getShape().back();
  if (ShapedType::isDynamic(rowLength) || rowLength % Pack::kPerByte != 0)
    return {};
  return producer.getInput();
}

template <typename Pack, typename Unpack>
static OpFoldResult foldUnpack(Unpack op) {
  auto producer = op.getInput().template getDefiningOp<Pack>();
  if (!producer || producer.getInput().getType() != op.getResult().getType())
    return {};
  return producer.getInput();
}

OpFoldResult PackInt4Op::fold(FoldAdaptor) {
  return foldPack<UnpackInt4Op>(*this);
}
OpFoldResult PackInt2Op::fold(FoldAdaptor) {
  return foldPack<UnpackInt2Op>(*this);
}
OpFoldResult UnpackInt4Op::fold(FoldAdaptor) {
  return foldUnpack<PackInt4Op>(*this);
}
OpFoldResult UnpackInt2Op::fold(FoldAdaptor) {
  return foldUnpack<PackInt2Op>(*this);
}

namespace {
template <typename Pack>
struct FoldConstantPack final : OpRewritePattern<Pack> {
  using OpRewritePattern<Pack>::OpRewritePattern;

  LogicalResult matchAndRewrite(Pack op,
                                PatternRewriter &rewriter) const override {
    std::optional<IntConstant> input = IntConstant::get(op.getInput());
    if (!input || !op.getResult().getType().hasStaticShape())
      return rewriter.notifyMatchFailure(op, "the input is not a constant");
    std::vector<int8_t> values(input->size());
    for (int64_t i = 0, e = input->size(); i < e; ++i)
      values[i] = (*input)[i];
    rewriter.replaceOpWithNewOp<arith::ConstantOp>(
        op, cast<TypedAttr>(makePackedAttr(op.getInput().getType(), values)));
    return success();
  }
};

template <typename Unpack>
struct FoldConstantUnpack final : OpRewritePattern<Unpack> {
  using OpRewritePattern<Unpack>::OpRewritePattern;

  LogicalResult matchAndRewrite(Unpack op,
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
    reference::unpackElements(type.getElementTypeBitWidth(), packed,
                              type.getShape().back(), values);
    rewriter.replaceOpWithNewOp<arith::ConstantOp>(
        op, cast<TypedAttr>(makeIntTensorAttr(type, values)));
    return success();
  }
};
} // namespace

void PackInt4Op::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                             MLIRContext *context) {
  patterns.add<FoldConstantPack<PackInt4Op>>(context);
}

void UnpackInt4Op::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                               MLIRContext *context) {
  patterns.add<FoldConstantUnpack<UnpackInt4Op>>(context);
}

void PackInt2Op::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                             MLIRContext *context) {
  patterns.add<FoldConstantPack<PackInt2Op>>(context);
}

void UnpackInt2Op::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                               MLIRContext *context) {
  patterns.add<FoldConstantUnpack<UnpackInt2Op>>(context);
}
