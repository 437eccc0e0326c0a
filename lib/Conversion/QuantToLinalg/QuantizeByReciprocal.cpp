//===- QuantizeByReciprocal.cpp - quant.quantize without a division -------===//
//
// By ReciprocalFormula.h, which has the proof.
//
//===----------------------------------------------------------------------===//

#include "Patterns.h"
#include "quant/Dialect/Quant/Utils/GenericBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Dialect/Quant/Utils/Constants.h"
#include "quant/Dialect/Quant/Utils/ReciprocalFormula.h"

using namespace mlir;
using namespace quantmlir;

/// Elements to a scale below which its reciprocal costs more than it saves.
static constexpr int64_t kLeastElements = 32;

namespace {

using ParameterValues = std::array<float, kNumReciprocalParameters>;

struct QuantizeByReciprocal : OpRewritePattern<QuantizeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(QuantizeOp op,
                                PatternRewriter &rewriter) const override {
    auto type = cast<RankedTensorType>(op.getType());
    if (failed(verify(op, type, rewriter)))
      return failure();
    Location loc = op.getLoc();
    SmallVector<int64_t> axes(op.getAxes());
    SmallVector<ElementwiseOperand> operands = {
        {op.getInput(), allDims(type.getRank())}};
    std::optional<ParameterValues> constants = getConstantParameters(op);
    if (!constants)
      for (Value parameter : emitParameters(op, rewriter).getResults())
        operands.push_back({parameter, axes});
    if (Value zp = op.getZeroPoint())
      operands.push_back({zp, axes});
    auto generic = elementwise(
        rewriter, loc, operands, emptyLike(rewriter, loc, type, op.getInput()),
        [&](OpBuilder &b, Location loc, ValueRange args) -> SmallVector<Value> {
          // The last argument is the result's old value.
          ValueRange given = args.drop_front().drop_back();
          SmallVector<Value> parameters;
          if (constants)
            for (float value : *constants)
              parameters.push_back(constantFloat(b, loc, value));
          else
            parameters.assign(given.begin(),
                              given.begin() + kNumReciprocalParameters);
          Value rounded = emitRoundedQuotient(
              b, loc, extendToF32(b, loc, args.front()), parameters);
          if (op.getZeroPoint())
            rounded = arith::AddIOp::create(b, loc, rounded, given.back());
          return {
              arith::TruncIOp::create(b, loc, type.getElementType(), rounded)};
        });
    rewriter.replaceOp(op, generic);
    return success();
  }

private:
  static LogicalResult verify(QuantizeOp op, RankedTensorType type,
                              PatternRewriter &rewriter) {
    int64_t rank = type.getRank();
    if (rank == 0 || llvm::is_contained(op.getAxes(), rank - 1))
      return rewriter.notifyMatchFailure(op, "neighbours differ in scale");
    if (int64_t size = type.getDimSize(rank - 1);
        !ShapedType::isDynamic(size) && size < kLeastElements)
      return rewriter.notifyMatchFailure(op, "few elements have one scale");
    return success();
  }

  /// Of a scale, and a zero point if there is one, that the compiler knows.
  static std::optional<ParameterValues> getConstantParameters(QuantizeOp op) {
    std::optional<SmallVector<float>> scales = getConstantFloats(op.getScale());
    if (!scales || scales->empty() || !llvm::all_equal(*scales))
      return std::nullopt;
    float zeroPoint = 0;
    if (Value zp = op.getZeroPoint()) {
      std::optional<SmallVector<int64_t>> values = getConstantInts(zp);
      if (!values || values->empty() || !llvm::all_equal(*values))
        return std::nullopt;
      zeroPoint = static_cast<float>(values->front());
    }
    return getReciprocalParameters(scales->front(), zeroPoint, op.getRange());
  }

  static linalg::GenericOp emitParameters(QuantizeOp op, OpBuilder &b) {
    Location loc = op.getLoc();
    auto type = cast<RankedTensorType>(op.getScale().getType());
    SmallVector<int64_t> dims = allDims(type.getRank());
    SmallVector<ElementwiseOperand> operands = {{op.getScale(), dims}};
    if (Value zp = op.getZeroPoint())
      operands.push_back({zp, dims});
    SmallVector<Value> inits;
    for (int i = 0; i < kNumReciprocalParameters; ++i)
      inits.push_back(emptyLike(b, loc, type, op.getScale()));
    return elementwise(
        b, loc, operands, inits,
        [&](OpBuilder &b, Location loc, ValueRange args) -> SmallVector<Value> {
          Value power = emitPower(b, loc, args[0]);
          Value scale = arith::MulFOp::create(b, loc, args[0], power);
          Value reciprocal =
              arith::DivFOp::create(b, loc, constantFloat(b, loc, 1), scale);
          auto bound = [&](int64_t q) -> Value {
            Value limit = constantFloat(b, loc, q);
            if (op.getZeroPoint()) {
              Value zp =
                  arith::SIToFPOp::create(b, loc, limit.getType(), args[1]);
              limit = arith::SubFOp::create(b, loc, limit, zp);
            }
            return arith::MulFOp::create(b, loc, limit, scale);
          };
          return {power, scale, reciprocal, bound(op.getRange()[0]),
                  bound(op.getRange()[1])};
        });
  }

  /// The power of two, in the range of normal numbers, whose product with
  /// `scale` is from 1 up to 4, or less where `scale` is subnormal.
  static Value emitPower(OpBuilder &b, Location loc, Value scale) {
    Value bits = arith::BitcastOp::create(b, loc, b.getI32Type(), scale);
    Value exponent =
        arith::AndIOp::create(b, loc, bits, constantInt(b, loc, kExponentMask));
    exponent = arith::MinSIOp::create(b, loc, exponent,
                                      constantInt(b, loc, kLargestExponent));
    Value power =
        arith::SubIOp::create(b, loc, constantInt(b, loc, kPowerSum), exponent);
    return arith::BitcastOp::create(b, loc, b.getF32Type(), power);
  }
};

} // namespace

void quantmlir::populateQuantizeByReciprocalPatterns(
    RewritePatternSet &patterns) {
  patterns.add<QuantizeByReciprocal>(patterns.getContext());
}
