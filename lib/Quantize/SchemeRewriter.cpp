//===- SchemeRewriter.cpp - one scheme, applied to a matmul ---------------===//
//
// Decides which operand is the weight, and emits choose_qparams, quantize,
// quant.matmul and quant.rescale (or quant.scaled_matmul). The weight's share
// of that is done at compile time.
//
//===----------------------------------------------------------------------===//

#include "SchemeRewriter.h"

#include "BlockActivations.h"
#include "ProductScheme.h"

#include "quant/Dialect/Quant/Utils/Constants.h"
#include "quant/Dialect/Quant/Utils/LeftReason.h"
#include "quant/Import/Contraction/ChosenWeight.h"
#include "quant/Import/Contraction/ConstantWeight.h"
#include "quant/Import/Contraction/ContractionMatcher.h"
#include "quant/Import/Contraction/MatmulEmitter.h"
#include "quant/Import/Contraction/QuantizedOperand.h"
#include "quant/Import/Contraction/WeightChoice.h"
#include "quant/Import/Groups/WeightOnly.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include <cmath>

using namespace mlir;
using namespace quantmlir;

/// Whether a constant with values holds NaN or an infinity.
static bool hasNonFinite(Value value) {
  std::optional<FloatConstant> constant = FloatConstant::get(value);
  return constant && llvm::any_of(constant->getStored(),
                                  [](float x) { return !std::isfinite(x); });
}

LogicalResult SchemeRewriter::prepare(ModuleOp module) {
  if (scheme.stats.empty())
    return success();
  FailureOr<CalibratedMatmuls> loaded =
      CalibratedMatmuls::load(module, scheme.stats);
  if (failed(loaded))
    return failure();
  calibrated = std::move(*loaded);
  return success();
}

/// The integers that the program itself gives for an operand, if they can be
/// used: scales must not run along the contracted dimension.
static std::optional<QuantizedOperand> findGiven(const Contraction &c,
                                                 const LoopTensor &tensor,
                                                 ArrayRef<int64_t> outer) {
  std::optional<QuantizedOperand> given = matchDequantized(tensor);
  if (given && isParameterOver(c, given->scale, outer))
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
  std::optional<ChosenWeight> chosen = matchChosenWeight(c.rhs);
  if (hasNonFinite(chosen ? chosen->all.value : c.rhs.value))
    return "the weight holds NaN or infinity";
  return "";
}

//===----------------------------------------------------------------------===//
// Activations
//===----------------------------------------------------------------------===//

/// The size of the contracted dimension, where `operand` of `c` has it.
static std::optional<int64_t> getContractedSize(const Contraction &c,
                                                const LoopTensor &operand) {
  int64_t k = 1;
  for (auto [dim, loop] : llvm::enumerate(operand.loops)) {
    if (!llvm::is_contained(c.k, loop))
      continue;
    if (operand.getType().isDynamicDim(dim))
      return std::nullopt;
    k *= operand.getType().getDimSize(dim);
  }
  return k;
}

/// What is missing, on the op that is quantized: the quantized one takes it
/// over.
void SchemeRewriter::noteMissing(Operation *op) {
  if (!missing.empty())
    noteReason(op, kSchemePartlyAttr, missing);
}

/// Sets the rotation of `c`, or why there is none.
void SchemeRewriter::chooseRotation(const Contraction &c, bool isLhsGiven,
                                    bool isRhsGiven) {
  rotation = {};
  missing.clear();
  Rotation wanted = scheme.getRotation();
  if (!wanted)
    return;
  std::optional<ChosenWeight> chosen = matchChosenWeight(c.rhs);
  // The weight knows K where the activations do not.
  std::optional<int64_t> k = getContractedSize(c, c.rhs);
  std::string why;
  if (isRhsGiven)
    why = "the program gives the weight in integers";
  else if (isLhsGiven)
    why = "the program gives the activations in integers";
  else if (!FloatConstant::get(chosen ? chosen->all.value : c.rhs.value))
    why = "the weight is not a constant whose data is there";
  else if (!k)
    why = "the size of K is known only when the program runs";
  else if (*k < wanted.size)
    why = "K = " + std::to_string(*k) + " has no whole block of " +
          std::to_string(wanted.size);
  if (why.empty())
    rotation = wanted;
  else
    missing = "not rotated: " + why;
}

/// Statistics of the activations of `op` as they are quantized: rotated, where
/// the matmul at hand is.
const MatmulStatistics *SchemeRewriter::findStatistics(Operation *op) const {
  const MatmulStatistics *statistics = calibrated.find(op);
  if (!statistics || !rotation)
    return statistics;
  return statistics->findRotated(rotation.getName());
}

/// Why there is no static scale for `op` but the program's own; empty when the
/// statistics have one.
std::string SchemeRewriter::explainNoStatistics(Operation *op) {
  if (findStatistics(op))
    return "";
  if (calibrated.find(op))
    return "the statistics have no activations rotated by " +
           rotation.getName() +
           ", calibrate with --rotation=" + rotation.getName();
  return scheme.stats.empty() ? "no static scale given for the activations"
                              : "neither the program nor the statistics give a "
                                "static scale for the activations";
}

/// A static scale: the program's own, which becomes the left-hand side, or one
/// from the statistics.
LogicalResult
SchemeRewriter::findStaticLhs(Contraction &c,
                              std::optional<QuantizedOperand> &given,
                              std::string &reason) {
  given = findGiven(c, c.lhs, c.m);
  if (given)
    c.lhs = given->ints;
  else
    reason = explainNoStatistics(c.op);
  return success(reason.empty());
}

/// Quantizes with the parameters that the statistics give.
QuantizedMatrix
SchemeRewriter::quantizeStatic(OpBuilder &builder, Location loc, Value matrix,
                               const MatmulStatistics &statistics) {
  StoredRange stored = getActivationRange();
  RangeOptions options;
  options.observer = scheme.observer;
  options.bits = stored.bits;
  options.symmetric = scheme.symmetric;
  StaticQParams params =
      chooseStaticQParams(chooseRange(statistics, options), stored.min(),
                          stored.max(), scheme.symmetric);
  QuantizedMatrix result;
  result.isUnsigned = stored.isUnsigned;
  auto scaleType = RankedTensorType::get({}, builder.getF32Type());
  result.scale = arith::ConstantOp::create(
      builder, loc, makeFloatTensorAttr(scaleType, params.scale));
  if (!scheme.symmetric)
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
SchemeRewriter::emitLhs(OpBuilder &builder, MatmulEmitter &emitter,
                        const Contraction &c,
                        const std::optional<QuantizedOperand> &given) {
  if (given)
    return emitGiven(emitter, *given, /*isLhs=*/true);
  Location loc = c.op->getLoc();
  Value matrix = emitter.emitLhs(c.lhs);
  if (rotation) {
    auto type = cast<RankedTensorType>(matrix.getType());
    matrix = RotateOp::create(builder, loc, type.clone(builder.getF32Type()),
                              matrix, rotation.size, rotation.seed);
  }
  if (leavesActivations()) {
    QuantizedMatrix result;
    result.ints = matrix;
    return result;
  }
  if (scheme.isStatic())
    return quantizeStatic(builder, loc, matrix, *findStatistics(c.op));
  SmallVector<int64_t> axes;
  if (scheme.activations == ActivationScheme::DynamicToken)
    axes.push_back(0);
  return quantizeMatrix(builder, loc, matrix, axes, getActivationRange());
}

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

/// Why the scheme does not fit this contraction, or its sums may not fit in
/// i32; empty when all is well.
std::string
SchemeRewriter::explainScheme(const Contraction &c,
                              const std::optional<QuantizedOperand> &givenLhs,
                              const std::optional<QuantizedOperand> &givenRhs) {
  std::optional<ChosenWeight> chosen = matchChosenWeight(c.rhs);
  Value weight = chosen ? chosen->all.value : c.rhs.value;
  if (!isPlain() && !givenRhs && weight.getDefiningOp<DequantizeOp>())
    return "the program gives the weight in integers, which this product "
           "cannot use";
  if (!isPlain() && !givenRhs && !FloatConstant::get(weight))
    return "the scheme needs a constant weight whose data is there";
  if (chosen && !givenRhs &&
      scheme.weight.rounding == WeightScheme::Rounding::ErrorCompensated)
    return "error compensation needs the second moments of one weight's "
           "activations, this weight is chosen at run time";
  if (leavesActivations() && givenRhs)
    if (std::string why = explainWeightOnly(c); !why.empty())
      return why;
  if (scheme.isWeightOnly())
    return "";
  if (scheme.hasBlocks()) {
    int64_t k = getContractedSize(c, c.rhs).value_or(ShapedType::kDynamic);
    return explainBlocks(
        scheme, k, hasGroups() && !givenRhs ? scheme.weight.groupSize : k,
        givenRhs ? givenRhs->getMaxMagnitude() : getWeightMagnitude());
  }
  int64_t lhsMagnitude = givenLhs ? givenLhs->getMaxMagnitude()
                                  : getActivationRange().getMaxMagnitude();
  int64_t rhsMagnitude =
      givenRhs ? givenRhs->getMaxMagnitude() : getWeightMagnitude();
  // A weight that the program quantizes has no groups here.
  if (givenRhs || !hasGroups() ||
      scheme.weight.groupSize > getMaxSafeK(lhsMagnitude, rhsMagnitude))
    return explainOverflow(c, lhsMagnitude, rhsMagnitude);
  return "";
}

/// The second moments of the activations that a weight meets, if the statistics
/// have them. Those of a choice are of all rows, whatever they choose.
FailureOr<std::vector<float>> SchemeRewriter::findMoments(const Contraction &c,
                                                          bool isChosen,
                                                          std::string &reason) {
  const MatmulStatistics *statistics = calibrated.find(c.op);
  if (isChosen || !statistics || statistics->secondMoment.empty())
    return std::vector<float>();
  llvm::Expected<std::vector<float>> read = readSecondMoment(*statistics);
  if (read && rotation)
    return reference::rotateMoments(*read, *statistics->shape.k, rotation);
  if (read)
    return std::move(*read);
  reason = llvm::toString(read.takeError());
  return failure();
}

/// The quantized weight: constants, or, where the run brings the weight,
/// choose_qparams and quantize, if they say all of the scheme. For
/// quant.scaled_matmul it is `[N, K]`. One that is chosen at run time is a part
/// of such constants.
FailureOr<QuantizedMatrix> SchemeRewriter::emitRhs(OpBuilder &builder,
                                                   MatmulEmitter &emitter,
                                                   const Contraction &c,
                                                   std::string &reason) {
  Location loc = c.op->getLoc();
  std::optional<ChosenWeight> chosen = matchChosenWeight(c.rhs);
  std::optional<SharedWeights::Key> key =
      SharedWeights::getKey(c, chosen ? chosen->all : c.rhs);
  SharedWeights &stored = rotation ? sharedRotated : shared;
  std::optional<QuantizedMatrix> known =
      key ? stored.emit(builder, loc, *key) : std::nullopt;
  // Second moments are of no use to a plain scheme.
  FailureOr<std::vector<float>> moments = std::vector<float>();
  if (!isPlain())
    moments = findMoments(c, chosen.has_value(), reason);
  if (failed(moments))
    return failure();
  // Moments are those of one product's activations.
  FailureOr<QuantizedMatrix> result;
  if (known && moments->empty()) {
    result = *known;
  } else {
    Value matrix =
        chosen ? emitter.emitAllRhs(*chosen) : emitter.emitRhs(c.rhs);
    if (isPlain() && !chosen && !FloatConstant::get(matrix))
      return quantizeRunTimeWeight(builder, loc, matrix,
                                   emitter.isRhsTransposed());
    result = emitConstantWeight(builder, loc, matrix, emitter.isRhsTransposed(),
                                /*asRows=*/isScaled(), scheme.weight, *moments,
                                reason, rotation);
    eraseDeadChain(matrix.getDefiningOp());
    if (succeeded(result))
      noteLostScales(c.op, result->scale);
    if (succeeded(result) && key && moments->empty())
      stored.add(*key, *result);
  }
  if (succeeded(result) && chosen)
    for (Value *tensor : {&result->ints, &result->scale, &result->zeroPoint})
      *tensor = emitChosen(builder, loc, *tensor, chosen->index);
  return result;
}

/// Says which scales the type that the scheme stores them in does not reach:
/// they are its largest number, or its least above 0.
void SchemeRewriter::noteLostScales(Operation *op, Value scale) {
  WeightScales type = scheme.weight.scaleType;
  if (type == WeightScales::F32)
    return;
  bool isF16 = type == WeightScales::F16;
  const llvm::fltSemantics &semantics =
      isF16 ? APFloat::IEEEhalf() : APFloat::BFloat();
  auto getLimit = [](APFloat number) {
    bool losesInfo = false;
    number.convert(APFloat::IEEEsingle(), APFloat::rmNearestTiesToEven,
                   &losesInfo);
    return number.convertToFloat();
  };
  float most = getLimit(APFloat::getLargest(semantics)),
        least = getLimit(APFloat::getSmallest(semantics));
  std::optional<SmallVector<float>> scales = getConstantFloats(scale);
  if (!scales)
    return;
  auto lost =
      llvm::count_if(*scales, [&](float s) { return s >= most || s <= least; });
  if (lost == 0)
    return;
  if (!missing.empty())
    missing += "; ";
  missing += std::to_string(lost) + " of " + std::to_string(scales->size()) +
             " scales of the weight are too large or too small for " +
             (isF16 ? "f16" : "bf16") +
             ", and stored as its largest or "
             "least";
  noteMissing(op);
}

/// In every call, by a plain scheme.
QuantizedMatrix SchemeRewriter::quantizeRunTimeWeight(OpBuilder &builder,
                                                      Location loc,
                                                      Value matrix,
                                                      bool isTransposed) {
  SmallVector<int64_t> axes;
  if (scheme.weight.granularity == WeightScheme::Granularity::Channel)
    axes.push_back(isTransposed ? 0 : 1);
  return quantizeMatrix(builder, loc, matrix, axes, getWeightRange());
}

/// The scheme, but for what the program gives of a matmul.
QuantScheme
SchemeRewriter::getApplied(const std::optional<QuantizedOperand> &lhs,
                           const std::optional<QuantizedOperand> &rhs) const {
  QuantScheme applied = scheme;
  if (!rotation)
    applied.rotation = RotationScheme::None;
  if (lhs) {
    applied.activationBits = lhs->ints.getType().getElementTypeBitWidth();
    applied.symmetric = !lhs->hasZeroPoint();
  }
  WeightScheme &weight = applied.weight;
  if (rhs) {
    weight = WeightScheme();
    weight.bits = rhs->ints.getType().getElementTypeBitWidth();
    weight.granularity = rhs->scale.loops.empty()
                             ? WeightScheme::Granularity::Tensor
                             : WeightScheme::Granularity::Channel;
    weight.symmetric = !rhs->hasZeroPoint();
  }
  return applied;
}

/// A product of two activations.
FailureOr<QuantScheme> SchemeRewriter::rewriteProduct(const Contraction &c,
                                                      std::string &reason) {
  if (scheme.isWeightOnly())
    reason = "both operands are activations, which the scheme leaves in float";
  else
    reason = explainElements(c);
  if (!reason.empty())
    return failure();
  missing = explainProductScheme(scheme);
  noteMissing(c.op);
  if (failed(quantizeActivationProduct(c, scheme.activationBits, reason)))
    return failure();
  return getProductScheme(scheme);
}

FailureOr<QuantScheme> SchemeRewriter::rewrite(const Contraction &matched,
                                               std::string &reason) {
  reason = explainEmpty(matched);
  if (!reason.empty())
    return failure();
  FailureOr<Contraction> chosen = chooseWeight(matched, reason);
  if (failed(chosen)) {
    if (!scheme.attention || !isActivationProduct(matched))
      return failure();
    return rewriteProduct(matched, reason);
  }
  Contraction &c = *chosen;
  reason = explainElements(c);
  if (!reason.empty())
    return failure();

  std::optional<QuantizedOperand> givenLhs, givenRhs = findGiven(c, c.rhs, c.n);
  chooseRotation(c, scheme.isStatic() && findGiven(c, c.lhs, c.m),
                 givenRhs.has_value());
  if (scheme.isStatic() && failed(findStaticLhs(c, givenLhs, reason)))
    return failure();
  if (givenRhs) {
    // Loops of one step may be lost between the weight and its integers.
    OpBuilder builder(c.op);
    walkUnitLoops(builder, c, givenRhs->ints, c.rhs.loops);
    c.rhs = givenRhs->ints;
    if (failed(c.classify())) {
      reason = "the weight is broadcast over the contracted dimension";
      return failure();
    }
  }
  reason = explainScheme(c, givenLhs, givenRhs);
  if (!reason.empty())
    return failure();

  noteMissing(c.op);
  return emit(c, givenLhs, givenRhs, reason);
}

FailureOr<QuantScheme>
SchemeRewriter::emit(Contraction &c, std::optional<QuantizedOperand> &givenLhs,
                     std::optional<QuantizedOperand> &givenRhs,
                     std::string &reason) {
  QuantScheme applied = getApplied(givenLhs, givenRhs);
  OpBuilder builder(c.op);
  if (rotation)
    castContracted(builder, c);
  MatmulEmitter emitter(builder, c);
  QuantizedMatrix lhs = emitLhs(builder, emitter, c, givenLhs), rhs;
  if (givenRhs && leavesActivations()) {
    ScaledMatmulOp scaled =
        emitWeightOnly(builder, emitter, c, lhs.ints, *givenRhs);
    if (scheme.hasBlocks())
      quantizeBlocks(scaled, scheme);
    return applied;
  }
  if (givenRhs) {
    rhs = emitGiven(emitter, *givenRhs, /*isLhs=*/false);
  } else {
    FailureOr<QuantizedMatrix> emitted = emitRhs(builder, emitter, c, reason);
    if (failed(emitted))
      return failure();
    rhs = *emitted;
  }
  if (isScaled() && !givenRhs) {
    int64_t k = cast<RankedTensorType>(rhs.ints.getType()).getDimSize(1);
    // One group is as long as a row.
    if (hasGroups() && scheme.weight.groupSize >= k)
      applied.weight.granularity = WeightScheme::Granularity::Channel;
    ScaledMatmulOp scaled =
        emitScaledMatmul(builder, emitter, c, lhs, rhs,
                         hasGroups() ? scheme.weight.groupSize : k);
    if (ArrayRef<int8_t> codes = getFormatRow(scheme.weight.format).codes;
        !codes.empty())
      scaled.setRhsCodebook(codes);
    if (scheme.hasBlocks())
      quantizeBlocks(scaled, scheme);
  } else {
    emitRescaledMatmul(builder, emitter, c, lhs, rhs);
  }
  return applied;
}
