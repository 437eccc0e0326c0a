//===- MatmulToQDQ.cpp - integer products as dequantize, multiply ---------===//
//
// What a compiler fuses by itself, or does not fuse at all, it wants in floats
// around stored integers: both operands are dequantized by the scales of the
// product's rescale, and a float product and the rest of the rescale follow.
// Sums are of floats then, and rounded.
//
//===----------------------------------------------------------------------===//

#include "NamedProduct.h"
#include "Patterns.h"
#include "quant/Dialect/Quant/Utils/Constants.h"
#include "quant/Dialect/Quant/Utils/GenericBuilder.h"
#include "quant/Dialect/Quant/Utils/RescaleFormula.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"
#include "quant/Dialect/Quant/IR/QuantOps.h"

using namespace mlir;
using namespace quantmlir;

/// `values` less `zeroPoint`, times `scale`, which may be null, both of `dims`.
static Value dequantize(OpBuilder &b, Location loc, Value values,
                        bool isUnsigned, Value zeroPoint, Value scale,
                        ArrayRef<int64_t> zeroDims, ArrayRef<int64_t> dims) {
  RankedTensorType type = tensorType(values);
  SmallVector<ElementwiseOperand> inputs = {{values, allDims(type.getRank())}};
  if (zeroPoint)
    inputs.push_back({zeroPoint, paramDims(zeroPoint, zeroDims)});
  if (scale)
    inputs.push_back({scale, paramDims(scale, dims)});
  Value init = emptyLike(
      b, loc, RankedTensorType::get(type.getShape(), b.getF32Type()), values);
  return elementwise(b, loc, inputs, init,
                     [&](OpBuilder &b, Location loc,
                         ValueRange args) -> SmallVector<Value> {
                       Value x = extendToI32(b, loc, args[0], isUnsigned);
                       if (zeroPoint)
                         x = arith::SubIOp::create(b, loc, x, args[1]);
                       x = arith::SIToFPOp::create(b, loc, b.getF32Type(), x);
                       if (scale)
                         x = arith::MulFOp::create(b, loc, x,
                                                   args[zeroPoint ? 2 : 1]);
                       return {x};
                     })
      .getResult(0);
}

namespace {

/// A product and its rescale.
class QDQLowering {
public:
  QDQLowering(MatmulOp op, RescaleOp rescale, OpBuilder &b)
      : op(op), rescale(rescale), b(b), loc(op.getLoc()) {}

  Value lower() {
    int64_t rank = op.getType().getRank();
    SmallVector<int64_t> rows = allDims(rank - 1), column = {op.getRhsNDim()};
    SmallVector<int64_t> zeroColumns =
        op.hasBatchedRhs() ? allDims(rank - 2) : SmallVector<int64_t>();
    zeroColumns.push_back(op.getRhsNDim());
    Value lhs =
        dequantize(b, loc, op.getLhs(), op.getLhsUnsigned(),
                   op.getLhsZeroPoint(), rescale.getRowScale(), rows, rows);
    Value rhs = dequantize(b, loc, op.getRhs(), op.getRhsUnsigned(),
                           op.getRhsZeroPoint(), rescale.getChannelScale(),
                           zeroColumns, column);
    auto type = RankedTensorType::get(op.getType().getShape(), b.getF32Type());
    Value init =
        filled(b, loc, type, op.getInit(), allDims(rank), b.getF32FloatAttr(0));
    return emitRest(emitNamedProduct(b, op, {lhs, rhs}, init));
  }

private:
  /// What follows the scales.
  Value emitRest(Value y) {
    auto type = cast<RankedTensorType>(rescale.getType());
    int64_t rank = type.getRank();
    SmallVector<ElementwiseOperand> inputs = {{y, allDims(rank)}};
    if (Value bias = rescale.getBias())
      inputs.push_back({bias, {rank - 1}});
    if (Value residual = rescale.getResidual())
      inputs.push_back({residual, allDims(rank)});
    bool isNothing = inputs.size() == 1 && !rescale.getClampMin() &&
                     !rescale.getClampMax() && type.getElementType().isF32();
    if (isNothing)
      return y;
    auto body = [&](OpBuilder &b, Location loc,
                    ValueRange args) -> SmallVector<Value> {
      size_t next = 1;
      RescaleTerms terms;
      if (rescale.getBias())
        terms.bias = args[next++];
      if (rescale.getResidual())
        terms.residual = args[next++];
      terms.clampMin = rescale.getClampMin();
      terms.clampMax = rescale.getClampMax();
      terms.zeroPoint = rescale.getSignedZeroPoint();
      terms.range = rescale.getRange().value_or(ArrayRef<int64_t>());
      return {emitRescaled(b, loc, args[0], terms, type.getElementType())};
    };
    return elementwise(b, loc, inputs, emptyLike(b, loc, type, y), body)
        .getResult(0);
  }

  MatmulOp op;
  RescaleOp rescale;
  OpBuilder &b;
  Location loc;
};

} // namespace

/// Sums that begin as something, or are used as integers, stay integers.
static MatmulOp getScaledProduct(RescaleOp rescale) {
  auto matmul = rescale.getAcc().getDefiningOp<MatmulOp>();
  if (!matmul || !matmul->hasOneUse())
    return {};
  auto fill = matmul.getInit().getDefiningOp<linalg::FillOp>();
  bool isZero = fill ? matchPattern(fill.getInputs().front(), m_Zero())
                     : isZeroConstant(matmul.getInit());
  bool isIntBias = rescale.getBias() &&
                   tensorType(rescale.getBias()).getElementType().isInteger();
  return isZero && !isIntBias ? matmul : MatmulOp();
}

void quantmlir::convertMatmulsToQDQ(Operation *root) {
  SmallVector<RescaleOp> rescales;
  root->walk([&](RescaleOp op) { rescales.push_back(op); });
  IRRewriter rewriter(root->getContext());
  for (RescaleOp rescale : rescales) {
    MatmulOp matmul = getScaledProduct(rescale);
    if (!matmul)
      continue;
    rewriter.setInsertionPoint(rescale);
    rewriter.replaceOp(rescale, QDQLowering(matmul, rescale, rewriter).lower());
    rewriter.eraseOp(matmul);
  }
}
