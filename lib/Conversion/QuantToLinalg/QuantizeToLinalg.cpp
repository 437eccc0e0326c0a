//===- QuantizeToLinalg.cpp - quantize, dequantize, choose_qparams --------===//

#include "Patterns.h"
#include "quant/Dialect/Quant/Utils/GenericBuilder.h"
#include "quant/Dialect/Quant/Utils/RescaleFormula.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "quant/Dialect/Quant/IR/QuantOps.h"

#include <limits>

using namespace mlir;
using namespace quantmlir;

/// The element, its scale and, where there is one, its zero point.
template <typename OpTy>
static SmallVector<ElementwiseOperand> elementAndParameters(OpTy op) {
  int64_t rank = cast<RankedTensorType>(op.getType()).getRank();
  SmallVector<int64_t> axes(op.getAxes());
  SmallVector<ElementwiseOperand> operands = {{op.getInput(), allDims(rank)},
                                              {op.getScale(), axes}};
  if (Value zp = op.getZeroPoint())
    operands.push_back({zp, axes});
  return operands;
}

namespace {

struct LowerQuantize : OpRewritePattern<QuantizeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(QuantizeOp op,
                                PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto type = cast<RankedTensorType>(op.getType());
    Value init = emptyLike(rewriter, loc, type, op.getInput());
    auto generic = elementwise(
        rewriter, loc, elementAndParameters(op), init,
        [&](OpBuilder &b, Location loc, ValueRange args) -> SmallVector<Value> {
          Value x = extendToF32(b, loc, args[0]);
          Value quotient = arith::DivFOp::create(b, loc, x, args[1]);
          Value rounded = math::RoundEvenOp::create(b, loc, quotient);
          Value zp;
          if (op.getZeroPoint())
            zp = arith::SIToFPOp::create(b, loc, b.getF32Type(), args[2]);
          return {saturate(b, loc, rounded, zp, op.getRange()[0],
                           op.getRange()[1], type.getElementType())};
        });
    rewriter.replaceOp(op, generic);
    return success();
  }
};

struct LowerDequantize : OpRewritePattern<DequantizeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(DequantizeOp op,
                                PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto type = cast<RankedTensorType>(op.getType());
    Value init = emptyLike(rewriter, loc, type, op.getInput());
    auto generic = elementwise(
        rewriter, loc, elementAndParameters(op), init,
        [&](OpBuilder &b, Location loc, ValueRange args) -> SmallVector<Value> {
          Value q = extendToI32(b, loc, args[0], op.getIsUnsigned());
          if (op.getZeroPoint())
            q = arith::SubIOp::create(b, loc, q, args[2]);
          Value f = arith::SIToFPOp::create(b, loc, b.getF32Type(), q);
          Value x = arith::MulFOp::create(b, loc, args[1], f);
          return {truncateFromF32(b, loc, x, type.getElementType())};
        });
    rewriter.replaceOp(op, generic);
    return success();
  }
};

/// `value` where it is finite, else 0, which never moves a range that contains
/// 0.
static Value finiteOrZero(OpBuilder &b, Location loc, Value value) {
  Value magnitude = math::AbsFOp::create(b, loc, value);
  Value limit = constantFloat(b, loc, std::numeric_limits<float>::max());
  Value finite = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OLE,
                                       magnitude, limit);
  return arith::SelectOp::create(b, loc, finite, value,
                                 constantFloat(b, loc, 0));
}

/// For the largest and smallest of finite numbers, of which it does not matter
/// which zero they are: without it, three instructions for each sort that out.
static constexpr arith::FastMathFlags kFiniteUnsignedZero =
    arith::FastMathFlags::nnan | arith::FastMathFlags::nsz;

/// 1 where `scale` is 0.
static Value oneIfZero(OpBuilder &b, Location loc, Value scale) {
  Value zero = constantFloat(b, loc, 0);
  Value isZero =
      arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, scale, zero);
  return arith::SelectOp::create(b, loc, isZero, constantFloat(b, loc, 1),
                                 scale);
}

struct LowerChooseQParams : OpRewritePattern<ChooseQParamsOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ChooseQParamsOp op,
                                PatternRewriter &rewriter) const override {
    if (op.getZeroPoint())
      lowerAsymmetric(op, rewriter);
    else
      lowerSymmetric(op, rewriter);
    return success();
  }

private:
  static void lowerSymmetric(ChooseQParamsOp op, PatternRewriter &rewriter) {
    Location loc = op.getLoc();
    auto type = cast<RankedTensorType>(op.getScale().getType());
    Value zero = filled(rewriter, loc, type, op.getInput(), op.getAxes(),
                        rewriter.getF32FloatAttr(0));
    auto largest = reduceOver(
        rewriter, loc, op.getInput(), op.getAxes(), zero,
        [](OpBuilder &b, Location loc, ValueRange args) -> SmallVector<Value> {
          Value x = finiteOrZero(b, loc, extendToF32(b, loc, args[0]));
          Value magnitude = math::AbsFOp::create(b, loc, x);
          return {arith::MaximumFOp::create(b, loc, magnitude, args[1],
                                            kFiniteUnsignedZero)};
        });
    int64_t qmax = op.getRange()[1];
    Value amax = largest.getResult(0);
    auto scale = elementwise(
        rewriter, loc, {{amax, allDims(type.getRank())}},
        emptyLike(rewriter, loc, type, amax),
        [&](OpBuilder &b, Location loc, ValueRange args) -> SmallVector<Value> {
          Value s = arith::DivFOp::create(b, loc, args[0],
                                          constantFloat(b, loc, qmax));
          return {oneIfZero(b, loc, s)};
        });
    rewriter.replaceOp(op, scale);
  }

  static void lowerAsymmetric(ChooseQParamsOp op, PatternRewriter &rewriter) {
    Location loc = op.getLoc();
    auto type = cast<RankedTensorType>(op.getScale().getType());
    auto makeZero = [&] {
      return filled(rewriter, loc, type, op.getInput(), op.getAxes(),
                    rewriter.getF32FloatAttr(0));
    };
    auto bounds = reduceOver(
        rewriter, loc, op.getInput(), op.getAxes(), {makeZero(), makeZero()},
        [](OpBuilder &b, Location loc, ValueRange args) -> SmallVector<Value> {
          Value x = finiteOrZero(b, loc, extendToF32(b, loc, args[0]));
          return {arith::MinimumFOp::create(b, loc, x, args[1],
                                            kFiniteUnsignedZero),
                  arith::MaximumFOp::create(b, loc, x, args[2],
                                            kFiniteUnsignedZero)};
        });
    Value lo = bounds.getResult(0), hi = bounds.getResult(1);
    auto zpType = cast<RankedTensorType>(op.getZeroPoint().getType());
    SmallVector<int64_t> dims = allDims(type.getRank());
    auto params = elementwise(
        rewriter, loc, {{lo, dims}, {hi, dims}},
        {emptyLike(rewriter, loc, type, lo),
         emptyLike(rewriter, loc, zpType, lo)},
        [&](OpBuilder &b, Location loc, ValueRange args) -> SmallVector<Value> {
          return scaleAndZeroPoint(b, loc, args[0], args[1], op.getRange());
        });
    rewriter.replaceOp(op, params);
  }

  /// ONNX DynamicQuantizeLinear's formulas.
  static SmallVector<Value> scaleAndZeroPoint(OpBuilder &b, Location loc,
                                              Value lo, Value hi,
                                              ArrayRef<int64_t> range) {
    Value width = arith::SubFOp::create(b, loc, hi, lo);
    width = arith::MinimumFOp::create(
        b, loc, width,
        constantFloat(b, loc, std::numeric_limits<float>::max()));
    Value steps = constantFloat(b, loc, range[1] - range[0]);
    Value scale =
        oneIfZero(b, loc, arith::DivFOp::create(b, loc, width, steps));
    Value offset = math::RoundEvenOp::create(
        b, loc, arith::DivFOp::create(b, loc, lo, scale));
    Value qmin = constantFloat(b, loc, range[0]);
    Value qmax = constantFloat(b, loc, range[1]);
    Value zp = arith::SubFOp::create(b, loc, qmin, offset);
    zp = arith::MinimumFOp::create(
        b, loc, arith::MaximumFOp::create(b, loc, zp, qmin), qmax);
    return {scale, arith::FPToSIOp::create(b, loc, b.getI32Type(), zp)};
  }
};

} // namespace

void quantmlir::populateQuantizeToLinalgPatterns(RewritePatternSet &patterns) {
  patterns.add<LowerQuantize, LowerDequantize, LowerChooseQParams>(
      patterns.getContext());
}
