//===- Equalize.cpp - move outliers from activations to weights -----------===//
//
// `quant-equalize`: Xiao, Lin, Seznec, Wu, Demouth, Han, "SmoothQuant: Accurate
// and Efficient Post-Training Quantization for Large Language Models" (ICML
// 2023), on any float program.
//
//===----------------------------------------------------------------------===//

#include "quant/Dialect/Quant/Utils/Constants.h"
#include "quant/Equalize/Passes.h"
#include "quant/Equalize/ScaleConstants.h"
#include "quant/Import/Contraction/ContractionMatcher.h"
#include "quant/Quantize/CalibratedMatmuls.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/MapVector.h"

#include <cmath>

namespace quantmlir {
#define GEN_PASS_DEF_QUANTEQUALIZEPASS
#include "quant/Equalize/Passes.h.inc"
} // namespace quantmlir

using namespace mlir;
using namespace quantmlir;

namespace {

/// A matmul as this pass sees it.
struct EqualizedMatmul {
  Operation *op;
  /// The operand with the activations, and its contracted dimension.
  OpOperand *activations;
  int64_t activationDim;
  /// The weight's constant.
  ScaledConstant weight;
};

struct QuantEqualizePass
    : quantmlir::impl::QuantEqualizePassBase<QuantEqualizePass> {
  using Base::Base;

  void runOnOperation() override;

private:
  LogicalResult verifyOptions();
  LogicalResult equalize(ArrayRef<Operation *> ops, std::string &reason);
  std::vector<float> chooseScales(ArrayRef<float> activations,
                                  ArrayRef<float> weights) const;

  CalibratedMatmuls calibrated;
  int64_t folded = 0, multiplied = 0;
};

} // namespace

/// The dimension of `tensor` that the only contracted loop walks.
static FailureOr<int64_t> getContractedDim(const Contraction &c,
                                           const LoopTensor &tensor) {
  if (c.k.size() != 1)
    return failure();
  const auto *it = llvm::find(tensor.loops, c.k.front());
  if (it == tensor.loops.end())
    return failure();
  return it - tensor.loops.begin();
}

static FailureOr<EqualizedMatmul> matchMatmul(Operation *op,
                                              std::string &reason) {
  FailureOr<Contraction> contraction = matchContraction(op, reason);
  if (failed(contraction))
    return failure();
  Contraction &c = *contraction;
  if (!traceMovement(c.rhs).isConstant())
    c.swapOperands();
  FailureOr<int64_t> lhsDim = getContractedDim(c, c.lhs);
  FailureOr<int64_t> rhsDim = getContractedDim(c, c.rhs);
  if (failed(lhsDim) || failed(rhsDim)) {
    reason = "the contraction runs over several dimensions";
    return failure();
  }
  EqualizedMatmul matmul{op, nullptr, *lhsDim, {}};
  for (OpOperand &operand : op->getOpOperands()) {
    if (operand.get() == c.lhs.value && !matmul.activations)
      matmul.activations = &operand;
    if (operand.get() != c.rhs.value)
      continue;
    FailureOr<ScaledConstant> weight = findConstant(operand, *rhsDim);
    if (failed(weight) || !FloatConstant::get(weight->use->get())) {
      reason = "the weight is used elsewhere too, or its data is missing";
      return failure();
    }
    matmul.weight = *weight;
  }
  return matmul;
}

/// Largest magnitudes along the constant's dimension, joined with `absMax`.
static void joinAbsMax(const ScaledConstant &constant,
                       std::vector<float> &absMax) {
  std::optional<FloatConstant> floats = FloatConstant::get(constant.use->get());
  auto type = cast<RankedTensorType>(constant.use->get().getType());
  int64_t inner = 1, size = absMax.size();
  for (int64_t length : type.getShape().drop_front(constant.dim + 1))
    inner *= length;
  for (int64_t i = 0, e = floats->size(); i < e; ++i) {
    float &top = absMax[i / inner % size];
    top = std::max(top, std::fabs((*floats)[i]));
  }
}

std::vector<float>
QuantEqualizePass::chooseScales(ArrayRef<float> activations,
                                ArrayRef<float> weights) const {
  std::vector<float> scales(weights.size(), 1.0f);
  for (auto [i, scale] : llvm::enumerate(scales)) {
    double s = std::pow(static_cast<double>(activations[i]), alpha) /
               std::pow(static_cast<double>(weights[i]), 1 - alpha);
    if (activations[i] == 0 || weights[i] == 0)
      continue;
    if (powerOfTwo)
      s = std::exp2(std::nearbyint(std::log2(s)));
    // Neither it nor its inverse may leave the normal numbers.
    if (s > 1e-30 && s < 1e30)
      scale = static_cast<float>(s);
  }
  return scales;
}

/// `value` times `factors` along `dim`, for the given operands.
static void insertMultiplication(ArrayRef<EqualizedMatmul> matmuls,
                                 ArrayRef<float> factors) {
  Value value = matmuls.front().activations->get();
  auto type = cast<RankedTensorType>(value.getType());
  OpBuilder builder(value.getContext());
  builder.setInsertionPointAfterValue(value);
  Location loc = matmuls.front().op->getLoc();
  auto vectorType = RankedTensorType::get(
      {static_cast<int64_t>(factors.size())}, type.getElementType());
  Value vector = arith::ConstantOp::create(
      builder, loc, makeFloatTensorAttr(vectorType, factors, "equalize"));
  Value empty = tensor::EmptyOp::create(
      builder, loc, tensor::getMixedSizes(builder, loc, value),
      type.getElementType());
  AffineMap identity = builder.getMultiDimIdentityMap(type.getRank());
  AffineMap along =
      AffineMap::get(type.getRank(), 0,
                     builder.getAffineDimExpr(matmuls.front().activationDim));
  SmallVector<utils::IteratorType> iterators(type.getRank(),
                                             utils::IteratorType::parallel);
  auto product = linalg::GenericOp::create(
      builder, loc, type, ValueRange{value, vector}, ValueRange{empty},
      ArrayRef<AffineMap>{identity, along, identity}, iterators,
      [](OpBuilder &body, Location bodyLoc, ValueRange args) {
        Value x = arith::MulFOp::create(body, bodyLoc, args[0], args[1]);
        linalg::YieldOp::create(body, bodyLoc, x);
      });
  for (const EqualizedMatmul &matmul : matmuls)
    matmul.activations->set(product.getResult(0));
}

/// Equalizes matmuls that share their activations.
LogicalResult QuantEqualizePass::equalize(ArrayRef<Operation *> ops,
                                          std::string &reason) {
  SmallVector<EqualizedMatmul> matmuls;
  for (Operation *op : ops) {
    FailureOr<EqualizedMatmul> matmul = matchMatmul(op, reason);
    if (failed(matmul))
      return failure();
    if (!matmuls.empty() &&
        matmuls.front().activationDim != matmul->activationDim) {
      reason = "another matmul contracts the activations over another "
               "dimension";
      return failure();
    }
    matmuls.push_back(*matmul);
  }
  const MatmulStatistics *statistics = calibrated.find(ops.front());
  const EqualizedMatmul &first = matmuls.front();
  Value value = first.activations->get();
  int64_t k = cast<RankedTensorType>(first.weight.use->get().getType())
                  .getDimSize(first.weight.dim);
  if (!statistics ||
      static_cast<int64_t>(statistics->channelAbsMax.size()) != k) {
    reason = "the statistics hold no channel_absmax of its activations";
    return failure();
  }
  FailureOr<SmallVector<ScaledConstant>> constants = findScalableConstants(
      value, first.activationDim, /*numUses=*/matmuls.size());
  if (failed(constants) && unfolded == UnfoldedScales::Skip) {
    reason = "no constant can take the activations' scales";
    return failure();
  }

  std::vector<float> absMax(k, 0.0f), inverse;
  for (const EqualizedMatmul &matmul : matmuls)
    joinAbsMax(matmul.weight, absMax);
  std::vector<float> scales = chooseScales(statistics->channelAbsMax, absMax);
  for (float scale : scales)
    inverse.push_back(1.0f / scale);
  if (succeeded(constants)) {
    for (const ScaledConstant &constant : *constants)
      multiplyConstant(constant, inverse);
    ++folded;
  } else {
    insertMultiplication(matmuls, inverse);
    ++multiplied;
  }
  for (const EqualizedMatmul &matmul : matmuls)
    multiplyConstant(matmul.weight, scales);
  return success();
}

LogicalResult QuantEqualizePass::verifyOptions() {
  Location loc = getOperation().getLoc();
  if (stats.empty())
    return emitError(loc) << "quant-equalize needs the option 'stats'";
  if (!(alpha >= 0 && alpha <= 1))
    return emitError(loc)
           << "option 'alpha': expected a number from 0 to 1, found "
           << double(alpha);
  return success();
}

void QuantEqualizePass::runOnOperation() {
  ModuleOp module = getOperation();
  if (failed(verifyOptions()))
    return signalPassFailure();
  FailureOr<CalibratedMatmuls> loaded = CalibratedMatmuls::load(module, stats);
  if (failed(loaded))
    return signalPassFailure();
  calibrated = std::move(*loaded);

  // Matmuls of one activation, by its value, in walk order.
  llvm::MapVector<Value, SmallVector<Operation *>> groups;
  module.walk([&](linalg::LinalgOp op) {
    std::string reason;
    FailureOr<Contraction> c = matchContraction(op, reason);
    if (failed(c) || !c->isFloat())
      return;
    bool isRhs = traceMovement(c->rhs).isConstant();
    bool isLhs = traceMovement(c->lhs).isConstant();
    if (isRhs != isLhs)
      groups[isRhs ? c->lhs.value : c->rhs.value].push_back(op);
  });
  for (auto &[value, ops] : groups) {
    std::string reason;
    if (succeeded(equalize(ops, reason)))
      continue;
    ++numSkipped;
    for (Operation *op : ops)
      op->emitRemark() << "matmul is not equalized: " << reason;
  }
  numFolded += folded;
  numMultiplied += multiplied;
  if (report)
    emitRemark(module.getLoc())
        << groups.size() << " activations: scales of " << folded
        << " folded into constants, " << multiplied
        << " multiplied at run time, "
        << static_cast<int64_t>(groups.size()) - folded - multiplied << " left";
}
