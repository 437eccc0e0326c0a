//===- QuantizeBlocksToLinalg.cpp - quant.quantize_blocks to linalg -------===//

#include "Patterns.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "quant/Dialect/Quant/IR/QuantizeBlocks.h"
#include "quant/Dialect/Quant/Utils/BlockScale.h"
#include "quant/Dialect/Quant/Utils/GenericBuilder.h"
#include "quant/Dialect/Quant/Utils/RescaleFormula.h"

#include <limits>

using namespace mlir;
using namespace quantmlir;

namespace {

/// The lowering of one op: the largest magnitude of each block, then what
/// follows from it.
class QuantizeBlocksLowering {
public:
  QuantizeBlocksLowering(QuantizeBlocksOp op, PatternRewriter &b)
      : op(op), b(b), loc(op.getLoc()), rows(op.getInput()),
        scaleType(cast<RankedTensorType>(op.getScale().getType())) {
    if (Rotation rotation = op.getRowRotation())
      rows = RotateOp::create(
          b, loc, cast<RankedTensorType>(rows.getType()).clone(b.getF32Type()),
          rows, rotation.size, rotation.seed);
  }

  SmallVector<Value> lower() {
    Value largest = emitLargest();
    auto ofBlock = [&](auto emit) {
      return elementwise(b, loc, {{largest, {0, 1}}},
                         emptyLike(b, loc, scaleType, largest),
                         [&](OpBuilder &b, Location loc,
                             ValueRange args) -> SmallVector<Value> {
                           return {emit(b, loc, args[0], op.getRange()[1])};
                         })
          .getResult(0);
    };
    Value scale =
        ofBlock([&](OpBuilder &b, Location loc, Value largest, int64_t qmax) {
          return emitBlockScale(b, loc, largest, qmax, op.getScales());
        });
    bool isFactor = hasBlockFactor(op.getScales());
    Value factor = scale;
    if (isFactor)
      factor =
          ofBlock([&](OpBuilder &b, Location loc, Value largest, int64_t qmax) {
            return emitBlockFactor(b, loc, largest, qmax, op.getScales());
          });
    Value ints = emitInts(factor, isFactor);
    SmallVector<Value> results = {ints, scale};
    if (op.getSums())
      results.push_back(emitSums(ints));
    return results;
  }

private:
  Value index(int64_t v) { return arith::ConstantIndexOp::create(b, loc, v); }

  /// For each block what `combine` makes of `init` and its elements of
  /// `tensor`.
  Value reduceBlocks(
      Value tensor, Value init,
      function_ref<Value(OpBuilder &, Location, Value, Value)> combine) {
    Value zero = index(0), one = index(1), size = index(op.getBlock());
    Value k = index(op.getK());
    auto body = [&](OpBuilder &b, Location loc,
                    ValueRange) -> SmallVector<Value> {
      Value row = linalg::IndexOp::create(b, loc, 0);
      Value first = arith::MulIOp::create(
          b, loc, linalg::IndexOp::create(b, loc, 1), size);
      Value rest = arith::SubIOp::create(b, loc, k, first);
      Value length = arith::MinUIOp::create(b, loc, rest, size);
      auto loop = scf::ForOp::create(
          b, loc, zero, length, one, init,
          [&](OpBuilder &b, Location loc, Value i, ValueRange carried) {
            Value at = arith::AddIOp::create(b, loc, first, i);
            Value x =
                tensor::ExtractOp::create(b, loc, tensor, ValueRange{row, at});
            Value next = combine(b, loc, carried[0], x);
            scf::YieldOp::create(b, loc, next);
          });
      return {loop.getResult(0)};
    };
    RankedTensorType type = scaleType.clone(init.getType());
    return elementwise(b, loc, {}, emptyLike(b, loc, type, rows), body)
        .getResult(0);
  }

  /// Of the finite elements.
  Value emitLargest() {
    Value most = constantFloat(b, loc, std::numeric_limits<float>::max());
    Value zero = constantFloat(b, loc, 0);
    return reduceBlocks(
        rows, zero,
        [&](OpBuilder &b, Location loc, Value largest, Value x) -> Value {
          Value magnitude =
              math::AbsFOp::create(b, loc, extendToF32(b, loc, x));
          Value isFinite = arith::CmpFOp::create(
              b, loc, arith::CmpFPredicate::OLE, magnitude, most);
          magnitude =
              arith::SelectOp::create(b, loc, isFinite, magnitude, zero);
          return arith::MaximumFOp::create(b, loc, largest, magnitude);
        });
  }

  Value emitInts(Value ofBlock, bool isFactor) {
    auto type = cast<RankedTensorType>(op.getInts().getType());
    Value size = index(op.getBlock());
    auto body = [&](OpBuilder &b, Location loc,
                    ValueRange args) -> SmallVector<Value> {
      Value x = extendToF32(b, loc, args[0]);
      Value row = linalg::IndexOp::create(b, loc, 0);
      Value block = arith::DivUIOp::create(
          b, loc, linalg::IndexOp::create(b, loc, 1), size);
      Value s =
          tensor::ExtractOp::create(b, loc, ofBlock, ValueRange{row, block});
      Value rounded;
      if (isFactor)
        rounded = emitRoundedProduct(b, loc, x, s, op.getScales());
      else
        rounded = math::RoundEvenOp::create(
            b, loc, arith::DivFOp::create(b, loc, x, s));
      return {saturate(b, loc, rounded, Value(), op.getRange()[0],
                       op.getRange()[1], type.getElementType())};
    };
    return elementwise(b, loc, {{rows, {0, 1}}}, emptyLike(b, loc, type, rows),
                       body)
        .getResult(0);
  }

  Value emitSums(Value ints) {
    return reduceBlocks(
        ints, constantInt(b, loc, 0),
        [](OpBuilder &b, Location loc, Value sum, Value x) -> Value {
          return arith::AddIOp::create(
              b, loc, sum, extendToI32(b, loc, x, /*isUnsigned=*/false));
        });
  }

  QuantizeBlocksOp op;
  PatternRewriter &b;
  Location loc;
  /// The input, rotated where it is to be.
  Value rows;
  RankedTensorType scaleType;
};

struct LowerQuantizeBlocks : OpRewritePattern<QuantizeBlocksOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(QuantizeBlocksOp op,
                                PatternRewriter &b) const override {
    if (op->getNumResults() == 0)
      return b.notifyMatchFailure(op, "bufferized already");
    b.replaceOp(op, QuantizeBlocksLowering(op, b).lower());
    return success();
  }
};

} // namespace

void quantmlir::populateQuantizeBlocksToLinalgPatterns(
    RewritePatternSet &patterns) {
  patterns.add<LowerQuantizeBlocks>(patterns.getContext());
}
