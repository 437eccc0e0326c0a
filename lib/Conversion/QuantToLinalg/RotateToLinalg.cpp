//===- RotateToLinalg.cpp - quant.rotate, stage by stage ------------------===//
//
// A generic for each stage, whose elements read their partners: as obvious as
// the formula, and as slow. CPUs have quant.rotate_rows instead.
//
//===----------------------------------------------------------------------===//

#include "Patterns.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "quant/Dialect/Quant/IR/QuantizeRows.h"
#include "quant/Dialect/Quant/Utils/Constants.h"
#include "quant/Dialect/Quant/Utils/GenericBuilder.h"

using namespace mlir;
using namespace quantmlir;

namespace {

/// Emits the steps of one rotation.
class RotationLowering {
public:
  RotationLowering(OpBuilder &b, Location loc, RankedTensorType type,
                   const Rotation &rotation)
      : b(b), loc(loc), type(type), rotation(rotation),
        rotated(rotation.getRotated(type.getShape().back())) {}

  Value emit(Value input) {
    Value x = emitSigned(input);
    for (int64_t distance = 1; distance < rotation.size; distance *= 2)
      x = emitStage(x, distance);
    return emitScaled(x);
  }

private:
  using Step = function_ref<Value(OpBuilder &, Location, Value, Value)>;

  /// `step(builder, loc, element, column)` for the elements of whole blocks,
  /// others as they are, as f32.
  Value emitStep(Value x, Step step) {
    int64_t rank = type.getRank();
    auto body = [&](OpBuilder &b, Location loc,
                    ValueRange args) -> SmallVector<Value> {
      Value element = extendToF32(b, loc, args[0]);
      Value column = linalg::IndexOp::create(b, loc, rank - 1);
      Value end = arith::ConstantIndexOp::create(b, loc, rotated);
      Value isInside =
          arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, column, end);
      Value stepped = step(b, loc, element, column);
      return {arith::SelectOp::create(b, loc, isInside, stepped, element)};
    };
    return elementwise(b, loc, {{x, allDims(rank)}}, emptyLike(b, loc, type, x),
                       body)
        .getResult(0);
  }

  Value emitSigned(Value input) {
    SmallVector<float> signs;
    for (int64_t i = 0; i < rotation.size; ++i)
      signs.push_back(reference::getRotationSign(i, rotation.seed));
    auto signType = RankedTensorType::get({rotation.size}, b.getF32Type());
    Value table;
    if (rotation.seed)
      table = arith::ConstantOp::create(b, loc,
                                        makeFloatTensorAttr(signType, signs));
    return emitStep(
        input, [&](OpBuilder &b, Location loc, Value x, Value column) -> Value {
          if (!table)
            return x;
          Value size = arith::ConstantIndexOp::create(b, loc, rotation.size);
          Value at = arith::RemUIOp::create(b, loc, column, size);
          Value sign = tensor::ExtractOp::create(b, loc, table, at);
          return arith::MulFOp::create(b, loc, x, sign);
        });
  }

  Value emitStage(Value from, int64_t distance) {
    return emitStep(
        from, [&](OpBuilder &b, Location loc, Value x, Value column) -> Value {
          Value bit = arith::ConstantIndexOp::create(b, loc, distance);
          Value partner = arith::XOrIOp::create(b, loc, column, bit);
          // Past the whole blocks there may be none.
          Value last = arith::ConstantIndexOp::create(
              b, loc, type.getShape().back() - 1);
          partner = arith::MinUIOp::create(b, loc, partner, last);
          SmallVector<Value> at;
          for (int64_t dim = 0; dim + 1 < type.getRank(); ++dim)
            at.push_back(linalg::IndexOp::create(b, loc, dim));
          at.push_back(partner);
          Value other = tensor::ExtractOp::create(b, loc, from, at);
          Value zero = arith::ConstantIndexOp::create(b, loc, 0);
          Value isFirst = arith::CmpIOp::create(
              b, loc, arith::CmpIPredicate::eq,
              arith::AndIOp::create(b, loc, column, bit), zero);
          Value sum = arith::AddFOp::create(b, loc, x, other);
          Value difference = arith::SubFOp::create(b, loc, other, x);
          return arith::SelectOp::create(b, loc, isFirst, sum, difference);
        });
  }

  Value emitScaled(Value from) {
    return emitStep(from,
                    [&](OpBuilder &b, Location loc, Value x, Value) -> Value {
                      Value factor = constantFloat(
                          b, loc, reference::getRotationFactor(rotation.size));
                      return arith::MulFOp::create(b, loc, x, factor);
                    });
  }

  OpBuilder &b;
  Location loc;
  RankedTensorType type;
  Rotation rotation;
  /// Columns in whole blocks.
  int64_t rotated;
};

struct LowerRotate : OpRewritePattern<RotateOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(RotateOp op,
                                PatternRewriter &b) const override {
    RotationLowering lowering(b, op.getLoc(), op.getResult().getType(),
                              op.getRotation());
    b.replaceOp(op, lowering.emit(op.getInput()));
    return success();
  }
};

struct LowerRotateRows : OpRewritePattern<RotateRowsOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(RotateRowsOp op,
                                PatternRewriter &b) const override {
    if (op->getNumResults() == 0)
      return b.notifyMatchFailure(op, "bufferized already");
    Location loc = op.getLoc();
    auto input = cast<RankedTensorType>(op.getInput().getType());
    Value result = RotateOp::create(b, loc, input.clone(b.getF32Type()),
                                    op.getInput(), op.getSize(), op.getSeed());
    if (std::optional<APFloat> scale = op.getScale()) {
      auto scaleType = RankedTensorType::get({}, b.getF32Type());
      auto zeroType = RankedTensorType::get({}, b.getI32Type());
      Value scaleValue = arith::ConstantOp::create(
          b, loc, DenseElementsAttr::get(scaleType, *scale));
      Value zeroPoint;
      if (op.getZeroPoint() != 0)
        zeroPoint = arith::ConstantOp::create(
            b, loc,
            makeI32TensorAttr(zeroType,
                              {static_cast<int32_t>(op.getZeroPoint())}));
      result = QuantizeOp::create(b, loc, input.clone(b.getI8Type()), result,
                                  scaleValue, zeroPoint, ArrayRef<int64_t>{},
                                  *op.getRange(), op.getIsUnsigned());
    }
    b.replaceOp(op, result);
    return success();
  }
};

} // namespace

void quantmlir::populateRotateToLinalgPatterns(RewritePatternSet &patterns) {
  patterns.add<LowerRotate>(patterns.getContext());
}

void quantmlir::populateRotateRowsPatterns(RewritePatternSet &patterns) {
  patterns.add<LowerRotateRows>(patterns.getContext());
}
