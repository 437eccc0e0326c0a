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
#include "quant/Import/CalibratedMatmuls.h"
#include "quant/Import/Contraction/ConstantWeight.h"
#include "quant/Import/Contraction/ContractionMatcher.h"
#include "quant/Import/Contraction/DynamicQuantize.h"
#include "quant/Import/Contraction/FuseBias.h"
#include "quant/Import/Contraction/MatmulEmitter.h"
#include "quant/Import/Contraction/NamedMatmuls.h"
#include "quant/Import/Contraction/QuantizedOperand.h"
#include "quant/Import/Contraction/RescaledMatmul.h"
#include "quant/Import/Contraction/WeightChoice.h"
#include "quant/Import/MatmulNames.h"
#include "quant/Import/QuantCasts/QuantCasts.h"
#include "quant/Import/Recipe.h"

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

struct QuantQuantizeMatmulPass
    : quantmlir::impl::QuantQuantizeMatmulPassBase<QuantQuantizeMatmulPass> {
  using Base::Base;

  void runOnOperation() override;

private:
  LogicalResult verifyOptions(Location loc);
  LogicalResult prepare(ModuleOp module, Location loc);
  LogicalResult loadSelection(ModuleOp module);
  FailureOr<std::shared_ptr<QuantQuantizeMatmulPass>>
  createScheme(ModuleOp module, StringRef options, Location loc);
  FailureOr<QuantQuantizeMatmulPass *> getScheme(ModuleOp module, Operation *op,
                                                 std::string &reason);
  void warnOfUnusedRules();
  LogicalResult rewrite(const Contraction &matched, std::string &reason);
  LogicalResult findStaticLhs(Contraction &c,
                              std::optional<QuantizedOperand> &given,
                              std::string &reason);
  std::string explainScheme(const Contraction &c,
                            const std::optional<QuantizedOperand> &givenLhs,
                            const std::optional<QuantizedOperand> &givenRhs);
  QuantizedMatrix emitLhs(OpBuilder &builder, MatmulEmitter &emitter,
                          const Contraction &c,
                          const std::optional<QuantizedOperand> &given);
  FailureOr<QuantizedMatrix> emitRhs(OpBuilder &builder, MatmulEmitter &emitter,
                                     const Contraction &c, std::string &reason);
  QuantizedMatrix quantizeStatic(OpBuilder &builder, Location loc, Value matrix,
                                 const MatmulStatistics &statistics);

  StoredRange getActivationRange() const {
    return {activationBits, !symmetric};
  }
  StoredRange getWeightRange() const { return {weightBits, false}; }
  int64_t getWeightMagnitude() const {
    StoredRange stored = getWeightRange();
    return weightSymmetric ? stored.getMaxMagnitude()
                           : stored.max() - stored.min();
  }
  /// Whether the matmul needs quant.scaled_matmul.
  bool isScaled() const {
    return weights == WeightGranularity::Group ||
           activations == ActivationScheme::Float;
  }
  /// Whether choose_qparams and quantize say what the scheme wants of weights.
  bool isPlain() const {
    return !isScaled() && weightSymmetric &&
           weightScale == WeightScaleSearch::AbsMax &&
           rounding == WeightRounding::Nearest;
  }
  /// Elements of a group of a scaled matmul's weight.
  int64_t getGroupSize(const QuantizedMatrix &rhs) const {
    return weights == WeightGranularity::Group
               ? int64_t(groupSize)
               : cast<RankedTensorType>(rhs.ints.getType()).getDimSize(1);
  }
  WeightScheme getWeightScheme() const;

  CalibratedMatmuls calibrated;
  std::vector<MatmulPattern> included, excluded;
  Recipe rules;
  /// The schemes of rules and of `quant.scheme`, by their options.
  llvm::StringMap<std::shared_ptr<QuantQuantizeMatmulPass>> schemes;
};

} // namespace

LogicalResult QuantQuantizeMatmulPass::verifyOptions(Location loc) {
  auto verify = [&](StringRef name, unsigned bits) -> LogicalResult {
    if (bits == 4 || bits == 8)
      return success();
    return emitError(loc) << "option '" << name << "': expected 8 or 4, found "
                          << bits;
  };
  if (failed(verify("weight-bits", weightBits)) ||
      failed(verify("activation-bits", activationBits)))
    return failure();
  auto error = [&](StringRef text) { return emitError(loc) << text; };
  if (groupSize <= 0)
    return error("option 'group-size': expected more than 0, found ")
           << int64_t(groupSize);
  if (!(damping >= 0 && damping <= 1))
    return error("option 'damping': expected a number from 0 to 1, found ")
           << double(damping);
  if (rounding == WeightRounding::ErrorCompensated && stats.empty())
    return error("option 'rounding=error-compensated' needs 'stats'");
  return success();
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

WeightScheme QuantQuantizeMatmulPass::getWeightScheme() const {
  WeightScheme scheme;
  scheme.bits = weightBits;
  scheme.granularity = weights;
  scheme.groupSize = groupSize;
  scheme.symmetric = weightSymmetric;
  scheme.scaleSearch = weightScale;
  scheme.rounding = rounding;
  scheme.damping = damping;
  scheme.activationOrder = activationOrder;
  return scheme;
}

//===----------------------------------------------------------------------===//
// Activations
//===----------------------------------------------------------------------===//

/// A static scale: the program's own, which becomes the left-hand side, or one
/// from the statistics.
LogicalResult
QuantQuantizeMatmulPass::findStaticLhs(Contraction &c,
                                       std::optional<QuantizedOperand> &given,
                                       std::string &reason) {
  given = findGiven(c.lhs, c.m);
  if (given)
    c.lhs = given->ints;
  else if (!calibrated.find(c.op)) {
    reason = stats.empty() ? "no static scale given for the activations"
                           : "neither the program nor the statistics give a "
                             "static scale for the activations";
    return failure();
  }
  return success();
}

/// Quantizes with the parameters that the statistics give.
QuantizedMatrix
QuantQuantizeMatmulPass::quantizeStatic(OpBuilder &builder, Location loc,
                                        Value matrix,
                                        const MatmulStatistics &statistics) {
  StoredRange stored = getActivationRange();
  RangeOptions options;
  options.observer = observer;
  options.bits = stored.bits;
  options.symmetric = symmetric;
  StaticQParams params = chooseStaticQParams(
      chooseRange(statistics, options), stored.min(), stored.max(), symmetric);
  QuantizedMatrix result;
  result.isUnsigned = stored.isUnsigned;
  auto scaleType = RankedTensorType::get({}, builder.getF32Type());
  result.scale = arith::ConstantOp::create(
      builder, loc, makeFloatTensorAttr(scaleType, params.scale));
  if (!symmetric)
    result.zeroPoint = arith::ConstantOp::create(
        builder, loc,
        makeI32TensorAttr(RankedTensorType::get({}, builder.getI32Type()),
                          params.zeroPoint));
  auto type = cast<RankedTensorType>(matrix.getType());
  result.ints = QuantizeOp::create(
      builder, loc, type.clone(builder.getIntegerType(stored.bits)), matrix,
      result.scale, result.zeroPoint, builder.getDenseI64ArrayAttr({}),
      builder.getDenseI64ArrayAttr({stored.min(), stored.max()}),
      stored.isUnsigned ? builder.getUnitAttr() : UnitAttr());
  return result;
}

QuantizedMatrix
QuantQuantizeMatmulPass::emitLhs(OpBuilder &builder, MatmulEmitter &emitter,
                                 const Contraction &c,
                                 const std::optional<QuantizedOperand> &given) {
  if (given)
    return emitGiven(emitter, *given, /*isLhs=*/true);
  Location loc = c.op->getLoc();
  Value matrix = emitter.emitLhs(c.lhs);
  if (activations == ActivationScheme::Float) {
    QuantizedMatrix result;
    result.ints = matrix;
    return result;
  }
  if (activations == ActivationScheme::Static)
    return quantizeStatic(builder, loc, matrix, *calibrated.find(c.op));
  SmallVector<int64_t> axes;
  if (activations == ActivationScheme::DynamicToken)
    axes.push_back(0);
  return quantizeMatrix(builder, loc, matrix, axes, getActivationRange());
}

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

/// Why the scheme does not fit this contraction, or its sums may not fit in
/// i32; empty when all is well.
std::string QuantQuantizeMatmulPass::explainScheme(
    const Contraction &c, const std::optional<QuantizedOperand> &givenLhs,
    const std::optional<QuantizedOperand> &givenRhs) {
  if (isScaled() && givenRhs)
    return "the program quantizes the weight itself: scales of groups and "
           "float activations need a float weight";
  if (!isPlain() && !givenRhs && !FloatConstant::get(c.rhs.value))
    return "the scheme needs a constant weight whose data is there";
  if (activations == ActivationScheme::Float)
    return "";
  int64_t lhsMagnitude = givenLhs ? givenLhs->getMaxMagnitude()
                                  : getActivationRange().getMaxMagnitude();
  int64_t rhsMagnitude =
      givenRhs ? givenRhs->getMaxMagnitude() : getWeightMagnitude();
  if (!isScaled() || groupSize > getMaxSafeK(lhsMagnitude, rhsMagnitude))
    return explainOverflow(c, lhsMagnitude, rhsMagnitude);
  return "";
}

/// A constant of rank 0 or `[N]` as `[N, 1]`: one group in each row.
static Value spreadOverGroups(OpBuilder &builder, Location loc, Value vector,
                              int64_t n) {
  if (!vector || cast<RankedTensorType>(vector.getType()).getRank() == 2)
    return vector;
  auto type = cast<RankedTensorType>(vector.getType());
  auto spread = RankedTensorType::get({n, 1}, type.getElementType());
  ElementsAttr attr;
  if (std::optional<FloatConstant> floats = FloatConstant::get(vector)) {
    std::vector<float> values(n);
    for (int64_t i = 0; i < n; ++i)
      values[i] = (*floats)[type.getRank() == 0 ? 0 : i];
    attr = makeFloatTensorAttr(spread, values);
  } else {
    std::optional<IntConstant> ints = IntConstant::get(vector);
    std::vector<int32_t> values(n);
    for (int64_t i = 0; i < n; ++i)
      values[i] = (*ints)[type.getRank() == 0 ? 0 : i];
    attr = makeI32TensorAttr(spread, values);
  }
  return arith::ConstantOp::create(builder, loc, attr);
}

static void spreadOverGroups(OpBuilder &builder, Location loc,
                             QuantizedMatrix &matrix) {
  int64_t n = cast<RankedTensorType>(matrix.ints.getType()).getDimSize(0);
  matrix.scale = spreadOverGroups(builder, loc, matrix.scale, n);
  matrix.zeroPoint = spreadOverGroups(builder, loc, matrix.zeroPoint, n);
}

/// The quantized weight: by folding where choose_qparams and quantize say all
/// of the scheme, else as constants. For quant.scaled_matmul it is `[N, K]`.
FailureOr<QuantizedMatrix>
QuantQuantizeMatmulPass::emitRhs(OpBuilder &builder, MatmulEmitter &emitter,
                                 const Contraction &c, std::string &reason) {
  Location loc = c.op->getLoc();
  Value matrix = emitter.emitRhs(c.rhs);
  if (isPlain()) {
    SmallVector<int64_t> axes;
    if (weights == WeightGranularity::Channel)
      axes.push_back(emitter.isRhsTransposed() ? 0 : 1);
    return quantizeMatrix(builder, loc, matrix, axes, getWeightRange());
  }
  std::vector<float> moments;
  const MatmulStatistics *statistics = calibrated.find(c.op);
  if (statistics && !statistics->secondMoment.empty()) {
    llvm::Expected<std::vector<float>> read = readSecondMoment(*statistics);
    if (!read) {
      reason = llvm::toString(read.takeError());
      return failure();
    }
    moments = std::move(*read);
  }
  FailureOr<QuantizedMatrix> result = emitConstantWeight(
      builder, loc, matrix, emitter.isRhsTransposed(),
      /*asRows=*/isScaled(), getWeightScheme(), moments, reason);
  eraseDeadChain(matrix.getDefiningOp());
  if (succeeded(result) && isScaled())
    spreadOverGroups(builder, loc, *result);
  return result;
}

LogicalResult QuantQuantizeMatmulPass::rewrite(const Contraction &matched,
                                               std::string &reason) {
  FailureOr<Contraction> chosen = chooseWeight(matched, reason);
  if (failed(chosen)) {
    if (!attention || !isActivationProduct(matched))
      return failure();
    reason = explainElements(matched);
    return success(reason.empty() && succeeded(quantizeActivationProduct(
                                         matched, activationBits, reason)));
  }
  Contraction &c = *chosen;
  reason = explainElements(c);
  if (!reason.empty())
    return failure();

  std::optional<QuantizedOperand> givenLhs, givenRhs = findGiven(c.rhs, c.n);
  if (activations == ActivationScheme::Static &&
      failed(findStaticLhs(c, givenLhs, reason)))
    return failure();
  if (givenRhs)
    c.rhs = givenRhs->ints;
  reason = explainScheme(c, givenLhs, givenRhs);
  if (!reason.empty())
    return failure();

  OpBuilder builder(c.op);
  MatmulEmitter emitter(builder, c);
  QuantizedMatrix lhs = emitLhs(builder, emitter, c, givenLhs), rhs;
  if (givenRhs) {
    rhs = emitGiven(emitter, *givenRhs, /*isLhs=*/false);
  } else {
    FailureOr<QuantizedMatrix> emitted = emitRhs(builder, emitter, c, reason);
    if (failed(emitted))
      return failure();
    rhs = *emitted;
  }
  if (isScaled())
    emitScaledMatmul(builder, emitter, c, lhs, rhs, getGroupSize(rhs));
  else
    emitRescaledMatmul(builder, emitter, c, lhs, rhs);
  return success();
}

//===----------------------------------------------------------------------===//
// Which matmul gets which scheme
//===----------------------------------------------------------------------===//

/// Proves the options and loads the statistics that they name.
LogicalResult QuantQuantizeMatmulPass::prepare(ModuleOp module, Location loc) {
  if (failed(verifyOptions(loc)))
    return failure();
  if (stats.empty())
    return success();
  FailureOr<CalibratedMatmuls> loaded = CalibratedMatmuls::load(module, stats);
  if (failed(loaded))
    return failure();
  calibrated = std::move(*loaded);
  return success();
}

/// Reads `include`, `exclude` and `recipe`.
LogicalResult QuantQuantizeMatmulPass::loadSelection(ModuleOp module) {
  auto fail = [&](llvm::Error error) {
    return emitError(module.getLoc()) << llvm::toString(std::move(error));
  };
  for (auto [texts, patterns] :
       {std::make_pair(&include, &included), {&exclude, &excluded}}) {
    auto created =
        createPatterns(SmallVector<std::string>(texts->begin(), texts->end()));
    if (!created)
      return fail(created.takeError());
    *patterns = std::move(*created);
  }
  if (recipe.empty())
    return success();
  auto read = Recipe::read(recipe);
  if (!read)
    return fail(read.takeError());
  rules = std::move(*read);
  std::string hash = getModelHash(module);
  if (!rules.model.empty() && rules.model != hash)
    return emitError(module.getLoc())
           << "recipe '" << recipe << "': it is for another program: expected "
           << "model " << hash << ", found " << rules.model;
  return success();
}

/// The scheme that has the pass's own options with `text` on top.
FailureOr<std::shared_ptr<QuantQuantizeMatmulPass>>
QuantQuantizeMatmulPass::createScheme(ModuleOp module, StringRef text,
                                      Location loc) {
  auto scheme = std::make_shared<QuantQuantizeMatmulPass>();
  scheme->copyOptionValuesFrom(this);
  // Enumerations complain on their own, without a call of `onError`.
  auto onError = [&](const Twine &message) {
    if (!message.isTriviallyEmpty())
      emitError(loc) << message;
    return failure();
  };
  if (failed(scheme->initializeOptions(text, onError))) {
    emitError(loc) << "cannot read the scheme '" << text << "'";
    return failure();
  }
  if (failed(scheme->prepare(module, loc)))
    return failure();
  return scheme;
}

/// Whose options `op` is quantized with; null, with the reason, when it stays
/// in float.
FailureOr<QuantQuantizeMatmulPass *>
QuantQuantizeMatmulPass::getScheme(ModuleOp module, Operation *op,
                                   std::string &reason) {
  std::string text;
  if (auto own = op->getAttrOfType<StringAttr>(kSchemeAttr)) {
    text = own.getValue().str();
  } else {
    auto fitsOp = [&](const MatmulPattern &p) { return p.matches(op); };
    if ((!included.empty() && llvm::none_of(included, fitsOp)) ||
        llvm::any_of(excluded, fitsOp)) {
      reason = "include and exclude leave it out";
      return nullptr;
    }
    std::optional<size_t> rule = rules.find(op);
    if (!rule)
      return this;
    text = rules.rules[*rule].options;
  }
  if (StringRef(text).trim() == kNoScheme) {
    reason = "the recipe leaves it in float";
    return nullptr;
  }
  auto known = schemes.find(text);
  if (known != schemes.end())
    return known->second.get();
  auto created = createScheme(module, text, op->getLoc());
  if (failed(created))
    return failure();
  return (schemes[text] = std::move(*created)).get();
}

void QuantQuantizeMatmulPass::warnOfUnusedRules() {
  for (const Recipe::Rule &rule : rules.rules)
    if (!rule.used)
      emitWarning(getOperation().getLoc())
          << "recipe '" << recipe << "': no matmul fits '"
          << rule.pattern.getText() << "'";
}

void QuantQuantizeMatmulPass::runOnOperation() {
  ModuleOp module = getOperation();
  if (!recipe.empty() || !include.empty() || !exclude.empty())
    nameMatmuls(module);
  if (failed(prepare(module, module.getLoc())) || failed(loadSelection(module)))
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
    FailureOr<QuantQuantizeMatmulPass *> scheme = this;
    if (!isUnusual)
      scheme = getScheme(module, op, reason);
    if (failed(scheme))
      return signalPassFailure();
    if (isUnusual || !*scheme ||
        failed((*scheme)->rewrite(*contraction, reason))) {
      skip(op, reason);
      continue;
    }
    ++numQuantized;
    ++quantized;
  }
  fuseBias(module);
  warnOfUnusedRules();
  if (report)
    getOperation()->emitRemark()
        << quantized << " of " << seen << " float matmuls quantized, "
        << seen - quantized << " left in float";
}
