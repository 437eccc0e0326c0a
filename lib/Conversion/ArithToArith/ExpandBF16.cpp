//===- ExpandBF16.cpp - bf16 by integer arithmetic ------------------------===//
//
// For a processor that has VCVTNEPS2BF16, LLVM rounds f32 to bf16 with it, and
// it takes denormals for zero (Intel SDM, "VCVTNEPS2BF16": DAZ and FTZ are
// implied, MXCSR is not consulted): another number than on a processor without
// it. Upstream's integer form is the same everywhere. LLVM 22 also stops at the
// extension of some vectors of bf16, which the integer form has no trouble
// with. E2M1 and E8M0 have no other form: LLVM does not know them.
//
// To E2M1 upstream's form (22.1.8) is not taken: it rounds ties away from zero,
// and -0.375 to 0.5; nor is that from E8M0, whose least number, 2^-127, is 0
// there.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "quant/Conversion/Passes.h"

namespace quantmlir {
#define GEN_PASS_DEF_QUANTEXPANDBF16PASS
#include "quant/Conversion/Passes.h.inc"
} // namespace quantmlir

using namespace mlir;

/// `element`, as many as `type` has.
static Type cloneWith(Type type, Type element) {
  auto shaped = dyn_cast<ShapedType>(type);
  return shaped ? Type(shaped.clone(element)) : element;
}

/// `number`, for each element of `type`.
static Value makeConstant(OpBuilder &b, Location loc, Type type,
                          TypedAttr number) {
  auto shaped = dyn_cast<ShapedType>(cloneWith(type, number.getType()));
  return arith::ConstantOp::create(
      b, loc,
      shaped ? TypedAttr(DenseElementsAttr::get(shaped, Attribute(number)))
             : number);
}

namespace {

/// E8M0 to f32 or less: 2^(byte - 127), which is a denormal of f32 for 0, and
/// NaN for 255.
struct ExtendE8M0 final : OpRewritePattern<arith::ExtFOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(arith::ExtFOp op,
                                PatternRewriter &b) const override {
    if (!isa<Float8E8M0FNUType>(getElementTypeOrSelf(op.getIn().getType())))
      return b.notifyMatchFailure(op, "no conversion from E8M0");
    Location loc = op.getLoc();
    Type type = op.getType(), i32 = cloneWith(type, b.getI32Type());
    auto integer = [&](int32_t value) {
      return makeConstant(b, loc, type, b.getI32IntegerAttr(value));
    };
    Value byte = arith::BitcastOp::create(
        b, loc, cloneWith(type, b.getI8Type()), op.getIn());
    Value number = arith::ExtUIOp::create(b, loc, i32, byte);
    Value zero = integer(0), least = integer(0x00400000);
    Value last = integer(255), nan = integer(0x7FC00000);
    Value bits = arith::ShLIOp::create(b, loc, number, integer(23));
    Value isZero =
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, number, zero);
    Value isLast =
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, number, last);
    bits = arith::SelectOp::create(b, loc, isZero, least, bits);
    bits = arith::SelectOp::create(b, loc, isLast, nan, bits);
    Type f32 = cloneWith(type, b.getF32Type());
    Value wide = arith::BitcastOp::create(b, loc, f32, bits);
    if (type == f32)
      b.replaceOp(op, wide);
    else
      b.replaceOpWithNewOp<arith::TruncFOp>(op, type, wide);
    return success();
  }
};

/// f32, f16 or bf16 to E2M1: to nearest even, saturating; NaN, which E2M1 does
/// not have, is 0. The number of an entry is how many midpoints between entries
/// lie below it; one that lies at a midpoint takes the even entry.
struct RoundToE2M1 final : OpRewritePattern<arith::TruncFOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(arith::TruncFOp op,
                                PatternRewriter &b) const override {
    if (!isa<Float4E2M1FNType>(getElementTypeOrSelf(op.getType())))
      return b.notifyMatchFailure(op, "no conversion to E2M1");
    Location loc = op.getLoc();
    auto like = [&](Type element) { return cloneWith(op.getType(), element); };
    auto constant = [&](TypedAttr number) {
      return makeConstant(b, loc, op.getType(), number);
    };
    Type f32 = like(b.getF32Type()), i32 = like(b.getI32Type());
    Value x = op.getIn();
    if (x.getType() != f32)
      x = arith::ExtFOp::create(b, loc, f32, x);
    Value bits = arith::BitcastOp::create(b, loc, i32, x);
    Value rest = constant(b.getI32IntegerAttr(0x7FFFFFFF));
    rest = arith::AndIOp::create(b, loc, bits, rest);
    Value magnitude = arith::BitcastOp::create(b, loc, f32, rest);
    Value number = constant(b.getI32IntegerAttr(0));
    constexpr float midpoints[] = {0.25, 0.75, 1.25, 1.75, 2.5, 3.5, 5};
    for (auto [i, midpoint] : llvm::enumerate(midpoints)) {
      auto isAbove =
          i % 2 == 0 ? arith::CmpFPredicate::OGT : arith::CmpFPredicate::OGE;
      Value bound = constant(b.getF32FloatAttr(midpoint));
      Value above = arith::CmpFOp::create(b, loc, isAbove, magnitude, bound);
      Value one = arith::ExtUIOp::create(b, loc, i32, above);
      number = arith::AddIOp::create(b, loc, number, one);
    }
    Value width = constant(b.getI32IntegerAttr(28));
    Value sign = arith::ShRUIOp::create(b, loc, bits, width);
    Value eight = constant(b.getI32IntegerAttr(8));
    sign = arith::AndIOp::create(b, loc, sign, eight);
    number = arith::OrIOp::create(b, loc, number, sign);
    Value narrow = arith::TruncIOp::create(b, loc, like(b.getI4Type()), number);
    b.replaceOpWithNewOp<arith::BitcastOp>(op, op.getType(), narrow);
    return success();
  }
};

} // namespace

/// Refuses what neither these patterns nor LLVM compute.
static LogicalResult verifyCast(Operation *op) {
  auto truncate = dyn_cast<arith::TruncFOp>(op);
  if (truncate && truncate.getRoundingmode().value_or(
                      arith::RoundingMode::to_nearest_even) !=
                      arith::RoundingMode::to_nearest_even)
    return op->emitOpError("expected rounding to nearest even, found ")
           << arith::stringifyRoundingMode(*truncate.getRoundingmode());
  Type from = getElementTypeOrSelf(op->getOperand(0).getType());
  Type to = getElementTypeOrSelf(op->getResult(0).getType());
  for (Type type : {from, to})
    if (type.getIntOrFloatBitWidth() < 16 &&
        !isa<Float4E2M1FNType, Float8E8M0FNUType>(type))
      return op->emitOpError("expected f4E2M1FN, f8E8M0FNU or floats of 16 "
                             "bits or more where no constant is converted, "
                             "found ")
             << type;
  if (isa<Float4E2M1FNType, Float8E8M0FNUType>(from) ||
      isa<Float4E2M1FNType, Float8E8M0FNUType>(to))
    if (from.getIntOrFloatBitWidth() > 32 || to.getIntOrFloatBitWidth() > 32)
      return op->emitOpError("expected a conversion between ")
             << (from.getIntOrFloatBitWidth() > 32 ? to : from)
             << " and f32 or narrower floats, found "
             << (from.getIntOrFloatBitWidth() > 32 ? from : to);
  return success();
}

namespace {

struct QuantExpandBF16Pass
    : quantmlir::impl::QuantExpandBF16PassBase<QuantExpandBF16Pass> {
  using Base::Base;

  void runOnOperation() override {
    SmallVector<Operation *> casts;
    WalkResult walk = getOperation()->walk([&](Operation *op) {
      if (!isa<arith::ExtFOp, arith::TruncFOp>(op))
        return WalkResult::advance();
      if (failed(verifyCast(op)))
        return WalkResult::interrupt();
      // Patterns make constants of the result's shape.
      auto shaped = dyn_cast<ShapedType>(op->getResult(0).getType());
      if (!shaped || shaped.hasStaticShape())
        casts.push_back(op);
      return WalkResult::advance();
    });
    if (walk.wasInterrupted())
      return signalPassFailure();
    RewritePatternSet patterns(&getContext());
    arith::populateExpandBFloat16Patterns(patterns);
    patterns.add<RoundToE2M1, ExtendE8M0>(&getContext(), /*benefit=*/2);
    arith::populateExpandF4E2M1Patterns(patterns);
    arith::populateExpandF8E8M0Patterns(patterns);
    GreedyRewriteConfig config;
    config.setStrictness(GreedyRewriteStrictness::ExistingAndNewOps);
    config.enableFolding(false);
    (void)applyOpPatternsGreedily(casts, std::move(patterns), config);
  }
};

} // namespace
