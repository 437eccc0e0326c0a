//===- GivenWeight.cpp - activations of a weight given in integers --------===//
//
// A quant.scaled_matmul of floats has its weight from the program: the scheme
// is for its activations.
//
//===----------------------------------------------------------------------===//

#include "SchemeRewriter.h"

#include "BlockActivations.h"

using namespace mlir;
using namespace quantmlir;

/// Largest |stored - zero point| of the weight.
static int64_t getWeightMagnitude(ScaledMatmulOp op) {
  if (op.getRhsCodebook())
    return op.getRhsRange().getMaxDistance({0, 0});
  int64_t bits = op.getRhs().getType().getElementTypeBitWidth();
  return op.getRhsUnsigned() || op.getRhsZeroPoint() ? (int64_t(1) << bits) - 1
                                                     : int64_t(1) << (bits - 1);
}

/// How the program quantizes the weight of `op`.
static WeightScheme getGivenScheme(ScaledMatmulOp op) {
  WeightScheme weight;
  weight.bits = op.getRhs().getType().getElementTypeBitWidth();
  weight.groupSize = op.getGroupSize();
  weight.granularity = op.getGroupSize() < static_cast<uint64_t>(op.getK())
                           ? WeightScheme::Granularity::Group
                           : WeightScheme::Granularity::Channel;
  weight.symmetric = !op.getRhsZeroPoint() && !op.getRhsOffset();
  if (std::optional<ArrayRef<int8_t>> codes = op.getRhsCodebook())
    weight.format =
        findWeightFormat(*codes, weight.groupSize).value_or(WeightFormat::Int);
  return weight;
}

FailureOr<QuantScheme>
SchemeRewriter::quantizeActivations(ScaledMatmulOp op, std::string &reason) {
  QuantScheme applied = scheme;
  applied.weight = getGivenScheme(op);
  applied.rotation = RotationScheme::None;
  rotation = {};
  missing = scheme.getRotation()
                ? "not rotated: the program gives the weight in integers"
                : "";
  noteMissing(op);
  if (scheme.isWeightOnly())
    return applied;
  if (scheme.hasBlocks()) {
    reason = explainBlocks(scheme, op.getK(), op.getGroupSize(),
                           ::getWeightMagnitude(op));
    if (!reason.empty())
      return failure();
    quantizeBlocks(op, scheme);
    return applied;
  }
  if (scheme.isStatic()) {
    reason = explainNoStatistics(op);
    if (!reason.empty())
      return failure();
  }
  int64_t size = op.getLongestGroup();
  int64_t safe = getMaxSafeK(getActivationRange().getMaxMagnitude(),
                             ::getWeightMagnitude(op));
  if (size > safe) {
    reason = "a group of " + std::to_string(size) +
             " products may overflow i32, safe is " + std::to_string(safe);
    return failure();
  }
  OpBuilder builder(op);
  Location loc = op.getLoc();
  QuantizedMatrix lhs;
  if (scheme.isStatic()) {
    lhs = quantizeStatic(builder, loc, op.getLhs(), *calibrated.find(op));
  } else {
    SmallVector<int64_t> axes;
    if (scheme.activations == ActivationScheme::DynamicToken)
      axes = llvm::to_vector(llvm::seq<int64_t>(0, op.getNumBatchDims() + 1));
    lhs = quantizeMatrix(builder, loc, op.getLhs(), axes, getActivationRange());
  }
  auto quantized = ScaledMatmulOp::create(
      builder, loc, op.getResult().getType(), lhs.ints, op.getRhs(),
      lhs.zeroPoint, lhs.scale, op.getRhsScale(), op.getRhsZeroPoint(),
      op.getRhsOffset(), op.getBias(), op.getGroupSizeAttr(),
      lhs.isUnsigned ? builder.getUnitAttr() : UnitAttr(),
      op.getRhsUnsignedAttr());
  quantized.setRhsCodebookAttr(op.getRhsCodebookAttr());
  quantized->setDiscardableAttrs(op->getDiscardableAttrDictionary());
  op.replaceAllUsesWith(quantized.getResult());
  op.erase();
  return applied;
}
