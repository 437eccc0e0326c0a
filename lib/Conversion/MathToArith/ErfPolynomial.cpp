//===- ErfPolynomial.cpp - the error function as one polynomial -----------===//
//
// Upstream's formula chooses one of three quotients of polynomials, coefficient
// by coefficient: 22 selections and a division. erf(x) / x is a smooth function
// of x^2, which one polynomial of degree 14 follows up to where f32 has nothing
// left but the sign: 17 products and multiply-adds.
// Its variable runs over [-1, 1], so that no coefficient is larger than the
// result; the error is at most 2.0e-7, and 2.7e-7 of the result, for all f32
// from 2^-20 on (upstream's: 2.6e-7 and 2.6e-7).
//
//===----------------------------------------------------------------------===//

#include "ErfPolynomial.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace quantmlir;

/// From here on the result is 1: 1 - erf is 1.7e-7.
static constexpr float kOne = 3.7f;
/// 2 / kOne^2, which takes x^2 to [0, 2].
static constexpr float kToUnit = 0.146092027f;
/// erf(x) / x by powers of x^2 * kToUnit - 1, the least power first; least
/// squares on Chebyshev points, weights moved until all extrema are equal.
static constexpr float kCoefficients[] = {
    0x1.874f0cp-2f,  -0x1.861434p-3f,  0x1.2058fcp-3f, -0x1.cd54dap-4f,
    0x1.72d36ap-4f,  -0x1.2118bp-4f,   0x1.aa92dep-5f, -0x1.2409ccp-5f,
    0x1.7dbbb6p-6f,  -0x1.f10e28p-7f,  0x1.0ad55ap-7f, -0x1.68fe24p-9f,
    0x1.b05246p-10f, -0x1.d8e93ap-10f, 0x1.6c982p-11f};

/// The number that all elements of `value` are, if it is a constant.
static std::optional<APFloat> getConstantFloat(Value value) {
  if (auto broadcast = value.getDefiningOp<vector::BroadcastOp>())
    return getConstantFloat(broadcast.getSource());
  APFloat number(0.0f);
  if (matchPattern(value, m_ConstantFloat(&number)))
    return number;
  return std::nullopt;
}

/// 1 / c of x / c, where that is neither infinite nor denormal.
static std::optional<float> getReciprocal(arith::DivFOp quotient) {
  std::optional<APFloat> divisor = getConstantFloat(quotient.getRhs());
  if (!divisor || !divisor->isFiniteNonZero())
    return std::nullopt;
  APFloat reciprocal(1.0f);
  reciprocal.divide(*divisor, APFloat::rmNearestTiesToEven);
  if (!reciprocal.isNormal())
    return std::nullopt;
  return reciprocal.convertToFloat();
}

namespace {

/// The result is a product for small x, so that it keeps its sign and is 0
/// where x is; NaN stays NaN. A GELU divides by the root of 2 before: of a
/// quotient by a constant erf takes a product, which is as near to it as the
/// polynomial is.
struct ErfPolynomial : OpRewritePattern<math::ErfOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(math::ErfOp op,
                                PatternRewriter &b) const override {
    Type type = op.getType();
    if (!getElementTypeOrSelf(type).isF32() || isa<TensorType>(type))
      return b.notifyMatchFailure(op, "not f32, or a tensor");
    Location loc = op.getLoc();
    auto number = [&](float value) -> Value {
      TypedAttr attr = b.getF32FloatAttr(value);
      if (auto shaped = dyn_cast<ShapedType>(type))
        attr = DenseElementsAttr::get(shaped, value);
      return arith::ConstantOp::create(b, loc, attr);
    };
    Value x = op.getOperand();
    if (auto quotient = x.getDefiningOp<arith::DivFOp>())
      if (std::optional<float> reciprocal = getReciprocal(quotient))
        x = arith::MulFOp::create(b, loc, quotient.getLhs(),
                                  number(*reciprocal));
    Value square = arith::MulFOp::create(b, loc, x, x);
    Value t = math::FmaOp::create(b, loc, square, number(kToUnit), number(-1));
    Value sum = number(std::end(kCoefficients)[-1]);
    for (float coefficient :
         llvm::drop_begin(llvm::reverse(ArrayRef(kCoefficients))))
      sum = math::FmaOp::create(b, loc, sum, t, number(coefficient));
    Value small = arith::MulFOp::create(b, loc, sum, x);
    Value one = math::CopySignOp::create(b, loc, number(1), x);
    Value magnitude = math::AbsFOp::create(b, loc, x);
    Value isOne = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OGE,
                                        magnitude, number(kOne));
    b.replaceOpWithNewOp<arith::SelectOp>(op, isOne, one, small);
    return success();
  }
};

} // namespace

void quantmlir::populateErfPolynomialPattern(RewritePatternSet &patterns) {
  patterns.add<ErfPolynomial>(patterns.getContext());
}
