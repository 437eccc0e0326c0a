//===- QuantizeMatmul.cpp - float contractions into integer ones ----------===//
//
// `quant-quantize-matmul`: finds every float contraction, decides which of its
// operands is the weight, and emits choose_qparams, quantize, quant.matmul and
// quant.rescale. The weight's share of that is folded at compile time. What
// stays in float gets a remark with the reason.
//
//===----------------------------------------------------------------------===//

#include "quant/Import/Passes.h"

#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Dialect/Quant/Utils/Constants.h"
#include "quant/Import/Contraction/ContractionMatcher.h"
#include "quant/Import/Contraction/FuseBias.h"
#include "quant/Import/Contraction/MatmulEmitter.h"
#include "quant/Import/Contraction/QuantizedOperand.h"
#include "quant/Import/Contraction/RescaledMatmul.h"
#include "quant/Import/QuantCasts/QuantCasts.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <cmath>

namespace quantmlir {
#define GEN_PASS_DEF_QUANTQUANTIZEMATMULPASS
#include "quant/Import/Passes.h.inc"
} // namespace quantmlir

using namespace mlir;
using namespace quantmlir;

//===----------------------------------------------------------------------===//
// Which operand is the weight
//===----------------------------------------------------------------------===//

/// A constant, also a quantized one.
static bool isConstantWeight(const LoopTensor &tensor) {
  if (tensor.isConstant())
    return true;
  std::optional<QuantizedOperand> quantized = matchDequantized(tensor);
  return quantized && quantized->ints.isConstant();
}

/// The contraction with `weight` as its right-hand side; a constant weight's
/// unit batch dimensions are dropped.
static FailureOr<Contraction> withWeight(Contraction c, LoopTensor weight,
                                         bool swapped) {
  if (swapped)
    c.swapOperands();
  c.rhs = std::move(weight);
  if (failed(c.classify()))
    return failure();
  if (isConstantWeight(c.rhs)) {
    for (auto [dim, loop] : llvm::enumerate(c.rhs.loops))
      if (llvm::is_contained(c.batch, loop) &&
          c.rhs.getType().getDimSize(dim) == 1)
        loop = kUnitDim;
    if (failed(c.classify()))
      return failure();
  }
  return c;
}

/// Makes the weight the right-hand side: a constant, or a matrix without batch
/// dimensions. Sets `reason` when there is none.
static FailureOr<Contraction> chooseWeight(const Contraction &c,
                                           std::string &reason) {
  LoopTensor rhs = traceMovement(c.rhs), lhs = traceMovement(c.lhs);
  FailureOr<Contraction> asRhs = withWeight(c, rhs, /*swapped=*/false);
  FailureOr<Contraction> asLhs = withWeight(c, lhs, /*swapped=*/true);
  bool isRhs = isConstantWeight(rhs), isLhs = isConstantWeight(lhs);
  if (!isRhs && !isLhs) {
    auto isMatrix = [](const FailureOr<Contraction> &candidate) {
      return succeeded(candidate) && candidate->batch.empty() &&
             candidate->rhs.getLoopRank() == 2;
    };
    isRhs = isMatrix(asRhs);
    isLhs = isMatrix(asLhs);
    // Weights of higher rank (heads as a dimension of their own).
    if (!isRhs && !isLhs && c.batch.empty())
      isRhs = rhs.getLoopRank() > 2;
    if (!isRhs && !isLhs) {
      reason = c.batch.empty()
                   ? "neither operand is a weight matrix"
                   : "both operands are activations with batch dimensions, "
                     "none is a weight";
      return failure();
    }
  }
  FailureOr<Contraction> chosen = isRhs ? asRhs : asLhs;
  if (failed(chosen)) {
    reason = "the weight is broadcast over the contracted dimension";
    return failure();
  }
  if (!chosen->batch.empty()) {
    reason = "the weight has batch dimensions of its own";
    return failure();
  }
  return chosen;
}

/// Whether a constant with values holds NaN or an infinity.
static bool hasNonFinite(Value value) {
  std::optional<FloatConstant> constant = FloatConstant::get(value);
  return constant && llvm::any_of(constant->getStored(),
                                  [](float x) { return !std::isfinite(x); });
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

namespace {

/// Stored type and range of one side of the matmul.
struct StoredRange {
  unsigned bits;
  bool isUnsigned;

  int64_t min() const { return isUnsigned ? 0 : -(int64_t(1) << (bits - 1)); }
  int64_t max() const {
    return (int64_t(1) << (bits - (isUnsigned ? 0 : 1))) - 1;
  }
  int64_t getMaxMagnitude() const { return isUnsigned ? max() : -min(); }
};

struct QuantQuantizeMatmulPass
    : quantmlir::impl::QuantQuantizeMatmulPassBase<QuantQuantizeMatmulPass> {
  using Base::Base;

  void runOnOperation() override;

private:
  LogicalResult verifyOptions();
  LogicalResult rewrite(const Contraction &matched, std::string &reason);
  QuantizedMatrix quantizeMatrix(OpBuilder &builder, Location loc, Value matrix,
                                 ArrayRef<int64_t> axes, StoredRange stored);

  StoredRange getActivationRange() const {
    return {activationBits, !symmetric};
  }
  StoredRange getWeightRange() const { return {weightBits, false}; }
};

} // namespace

LogicalResult QuantQuantizeMatmulPass::verifyOptions() {
  auto verify = [&](StringRef name, unsigned bits) -> LogicalResult {
    if (bits == 4 || bits == 8)
      return success();
    return emitError(getOperation().getLoc())
           << "option '" << name << "': expected 8 or 4, found " << bits;
  };
  return success(succeeded(verify("weight-bits", weightBits)) &&
                 succeeded(verify("activation-bits", activationBits)));
}

/// Chooses parameters for the indices of `axes` and quantizes with them.
QuantizedMatrix QuantQuantizeMatmulPass::quantizeMatrix(OpBuilder &builder,
                                                        Location loc,
                                                        Value matrix,
                                                        ArrayRef<int64_t> axes,
                                                        StoredRange stored) {
  auto type = cast<RankedTensorType>(matrix.getType());
  SmallVector<int64_t> shape;
  for (int64_t axis : axes)
    shape.push_back(type.getDimSize(axis));
  Type zeroPointType;
  if (stored.isUnsigned)
    zeroPointType = RankedTensorType::get(shape, builder.getI32Type());
  auto scaleType = RankedTensorType::get(shape, builder.getF32Type());
  auto range = builder.getDenseI64ArrayAttr({stored.min(), stored.max()});
  auto axesAttr = builder.getDenseI64ArrayAttr(axes);
  auto params = ChooseQParamsOp::create(builder, loc, scaleType, zeroPointType,
                                        matrix, axesAttr, range);
  auto intsType = type.clone(builder.getIntegerType(stored.bits));
  auto ints = QuantizeOp::create(
      builder, loc, intsType, matrix, params.getScale(), params.getZeroPoint(),
      axesAttr, range, stored.isUnsigned ? builder.getUnitAttr() : UnitAttr());
  return {ints, params.getScale(), params.getZeroPoint(), stored.isUnsigned};
}

/// The integers that the program itself gives for an operand, if they can be
/// used: scales must not run along the contracted dimension.
static std::optional<QuantizedOperand> findGiven(const LoopTensor &tensor,
                                                 ArrayRef<int64_t> outer) {
  std::optional<QuantizedOperand> given = matchDequantized(tensor);
  if (given && isRankZeroOrOver(given->scale, outer))
    return given;
  return std::nullopt;
}

/// Why element types or values cannot be quantized; empty when they can.
static std::string explainElements(const Contraction &c) {
  auto isSupported = [](Type type) {
    return isa<Float32Type, Float16Type, BFloat16Type>(type);
  };
  for (Type type : {c.lhs.getType().getElementType(),
                    c.rhs.getType().getElementType(), c.getResultElementType()})
    if (!isSupported(type)) {
      std::string text;
      llvm::raw_string_ostream(text)
          << "expected elements of f32, f16 or bf16, found " << type;
      return text;
    }
  if (hasNonFinite(c.rhs.value))
    return "the weight holds NaN or infinity";
  return "";
}

LogicalResult QuantQuantizeMatmulPass::rewrite(const Contraction &matched,
                                               std::string &reason) {
  FailureOr<Contraction> chosen = chooseWeight(matched, reason);
  if (failed(chosen))
    return failure();
  Contraction &c = *chosen;
  reason = explainElements(c);
  if (!reason.empty())
    return failure();

  std::optional<QuantizedOperand> givenLhs, givenRhs = findGiven(c.rhs, c.n);
  if (activations == ActivationScheme::Static) {
    givenLhs = findGiven(c.lhs, c.m);
    if (!givenLhs) {
      reason = "no static scale given for the activations";
      return failure();
    }
    c.lhs = givenLhs->ints;
  }
  if (givenRhs)
    c.rhs = givenRhs->ints;
  reason = explainOverflow(c,
                           givenLhs ? givenLhs->getMaxMagnitude()
                                    : getActivationRange().getMaxMagnitude(),
                           givenRhs ? givenRhs->getMaxMagnitude()
                                    : getWeightRange().getMaxMagnitude());
  if (!reason.empty())
    return failure();

  OpBuilder builder(c.op);
  MatmulEmitter emitter(builder, c);
  QuantizedMatrix lhs, rhs;
  if (givenLhs) {
    lhs = emitGiven(emitter, *givenLhs, /*isLhs=*/true);
  } else {
    SmallVector<int64_t> axes;
    if (activations == ActivationScheme::DynamicToken)
      axes.push_back(0);
    lhs = quantizeMatrix(builder, c.op.getLoc(), emitter.emitLhs(c.lhs), axes,
                         getActivationRange());
  }
  if (givenRhs) {
    rhs = emitGiven(emitter, *givenRhs, /*isLhs=*/false);
  } else {
    SmallVector<int64_t> axes;
    if (weights == WeightGranularity::Channel)
      axes.push_back(emitter.isRhsTransposed() ? 0 : 1);
    rhs = quantizeMatrix(builder, c.op.getLoc(), emitter.emitRhs(c.rhs), axes,
                         getWeightRange());
  }
  emitRescaledMatmul(builder, emitter, c, lhs, rhs);
  return success();
}

void QuantQuantizeMatmulPass::runOnOperation() {
  if (failed(verifyOptions()))
    return signalPassFailure();
  if (activations == ActivationScheme::Static)
    convertQuantCasts(getOperation());

  // The statistics are compiled out of release builds: these are not.
  int64_t seen = 0, quantized = 0;
  auto skip = [&](Operation *op, StringRef reason) {
    ++numSkipped;
    op->emitRemark() << "matmul stays in float: " << reason;
  };
  SmallVector<linalg::LinalgOp> candidates;
  getOperation()->walk([&](linalg::LinalgOp op) {
    if (op.getNumReductionLoops() != 0)
      candidates.push_back(op);
  });
  for (linalg::LinalgOp op : candidates) {
    std::string reason;
    // Matched only now: a rewriting before may have changed the operands.
    FailureOr<Contraction> contraction = matchContraction(op, reason);
    bool isUnusual = failed(contraction) && !reason.empty() &&
                     isa<FloatType>(getElementTypeOrSelf(
                         op.getDpsInits().front().getType()));
    if (!isUnusual && (failed(contraction) || !contraction->isFloat()))
      continue;
    ++numMatmuls;
    ++seen;
    if (isUnusual || failed(rewrite(*contraction, reason))) {
      skip(op, reason);
      continue;
    }
    ++numQuantized;
    ++quantized;
  }
  fuseBias(getOperation());
  if (report)
    getOperation()->emitRemark()
        << quantized << " of " << seen << " float matmuls quantized, "
        << seen - quantized << " left in float";
}
