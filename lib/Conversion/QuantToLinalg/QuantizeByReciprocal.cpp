//===- QuantizeByReciprocal.cpp - quant.quantize without a division -------===//
//
// `x / s` costs 16 cycles for 16 floats on the CPUs that have AVX-512, as much
// as everything else in a quantization together. The scale is the same for a
// row, and the quotient, rounded once as the semantics say, can be had from its
// reciprocal `y = fl(1 / s)` by Newton steps with fused multiply-adds:
//
//   q0 = fl(x * y)            within 2 units in the last place
//   q1 = q0 + (x - q0 * s) y  within 1 unit: the remainder is rounded once
//   q2 = q1 + (x - q1 * s) y  fl(x / s): the remainder is exact
//
// The last line is Markstein's theorem (P. Markstein, "Computation of
// elementary functions on the IBM RISC System/6000 processor", IBM J. Res. Dev.
// 34(1), 1990): from a quotient within one unit and the correctly rounded
// reciprocal it gives the correctly rounded quotient, where nothing over- or
// underflows. So
// - both x and s are first multiplied by the power of two that brings s near 1.
//   An x that then underflows has a quotient that rounds to 0 in any case;
// - x is clamped before, to `fl(qmin * s)` and `fl(qmax * s)`: their quotients
//   are next to qmin and qmax, and rounding keeps the order. Comparisons
//   are written such that NaN passes.
// Then adding 1.5 * 2^23 rounds to nearest even, and the sum's bits end with
// the integer.
//
//===----------------------------------------------------------------------===//

#include "Patterns.h"
#include "quant/Dialect/Quant/Utils/GenericBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Dialect/Quant/Utils/Constants.h"
#include "llvm/ADT/bit.h"

#include <array>

using namespace mlir;
using namespace quantmlir;

/// 1.5 * 2^23 and its bits.
static constexpr double kRoundingShift = 12582912.0;
static constexpr int64_t kRoundingShiftBits = 0x4B400000;
/// A float's exponent where its bits have it, the largest one whose power of
/// two has a normal reciprocal, and the sum of the exponents of two
/// reciprocals.
static constexpr int32_t kExponentMask = 0x7F800000;
static constexpr int32_t kLargestExponent = 253 << 23;
static constexpr int32_t kPowerSum = 254 << 23;
/// Elements to a scale below which its reciprocal costs more than it saves.
static constexpr int64_t kLeastElements = 32;

namespace {

/// What quantizing an element needs of its scale: tensors of the scale's shape.
enum Parameter { Power, Scale, Reciprocal, Lower, Upper, NumParameters };
using ParameterValues = std::array<float, NumParameters>;

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
            parameters.assign(given.begin(), given.begin() + NumParameters);
          Value rounded = emitRoundedQuotient(b, loc, args.front(), parameters);
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
    int32_t exponent =
        std::min(llvm::bit_cast<int32_t>(scales->front()) & kExponentMask,
                 kLargestExponent);
    float power = llvm::bit_cast<float>(kPowerSum - exponent);
    float scale = scales->front() * power;
    auto bound = [&](int64_t q) {
      return (static_cast<float>(q) - zeroPoint) * scale;
    };
    return ParameterValues{power, scale, 1.0f / scale, bound(op.getRange()[0]),
                           bound(op.getRange()[1])};
  }

  static linalg::GenericOp emitParameters(QuantizeOp op, OpBuilder &b) {
    Location loc = op.getLoc();
    auto type = cast<RankedTensorType>(op.getScale().getType());
    SmallVector<int64_t> dims = allDims(type.getRank());
    SmallVector<ElementwiseOperand> operands = {{op.getScale(), dims}};
    if (Value zp = op.getZeroPoint())
      operands.push_back({zp, dims});
    SmallVector<Value> inits;
    for (int i = 0; i < NumParameters; ++i)
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

  /// `roundeven(x / s)`, clamped, as i32; 0 for NaN.
  static Value emitRoundedQuotient(OpBuilder &b, Location loc, Value element,
                                   ValueRange parameters) {
    auto select = [&](arith::CmpFPredicate predicate, Value bound, Value x) {
      Value isBound = arith::CmpFOp::create(b, loc, predicate, bound, x);
      return arith::SelectOp::create(b, loc, isBound, bound, x).getResult();
    };
    Value x = arith::MulFOp::create(b, loc, extendToF32(b, loc, element),
                                    parameters[Power]);
    x = select(arith::CmpFPredicate::OLT, parameters[Upper], x);
    x = select(arith::CmpFPredicate::OGT, parameters[Lower], x);
    Value q = arith::MulFOp::create(b, loc, x, parameters[Reciprocal]);
    for (int i = 0; i < 2; ++i) {
      Value minus = arith::NegFOp::create(b, loc, q);
      Value remainder =
          math::FmaOp::create(b, loc, minus, parameters[Scale], x);
      q = math::FmaOp::create(b, loc, remainder, parameters[Reciprocal], q);
    }
    Value shift = constantFloat(b, loc, kRoundingShift);
    Value shifted = arith::AddFOp::create(b, loc, q, shift);
    Value isNumber =
        arith::CmpFOp::create(b, loc, arith::CmpFPredicate::ORD, q, q);
    shifted = arith::SelectOp::create(b, loc, isNumber, shifted, shift);
    Value bits = arith::BitcastOp::create(b, loc, b.getI32Type(), shifted);
    return arith::SubIOp::create(b, loc, bits,
                                 constantInt(b, loc, kRoundingShiftBits));
  }
};

} // namespace

void quantmlir::populateQuantizeByReciprocalPatterns(
    RewritePatternSet &patterns) {
  patterns.add<QuantizeByReciprocal>(patterns.getContext());
}
