//===- WeightChoice.cpp - which operand is the weight ---------------------===//

#include "quant/Import/Contraction/WeightChoice.h"

#include "quant/Import/Contraction/ChosenWeight.h"
#include "quant/Import/Contraction/QuantizedOperand.h"

using namespace mlir;
using namespace quantmlir;

/// A constant or one of several that a constant holds, also quantized.
static bool isConstantWeight(const LoopTensor &tensor) {
  auto isConstant = [](const LoopTensor &weight) {
    return weight.isConstant() || matchChosenWeight(weight);
  };
  if (isConstant(tensor))
    return true;
  std::optional<QuantizedOperand> quantized = matchDequantized(tensor);
  return quantized && isConstant(quantized->ints);
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
FailureOr<Contraction> quantmlir::chooseWeight(const Contraction &c,
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
