//===- ScaledChoice.cpp - the kernel of a grouped matmul ------------------===//

#include "ScaledChoice.h"

#include "quant/Dialect/Quant/Utils/Constants.h"
#include "quant/Dialect/Quant/Utils/GenericBuilder.h"

using namespace mlir;
using namespace quantmlir;

/// Rows of activations whose leading dimensions are merged.
static int64_t countRows(Value lhs) {
  ArrayRef<int64_t> shape = tensorType(lhs).getShape().drop_back();
  return ShapedType::isDynamicShape(shape) ? ShapedType::kDynamic
                                           : ShapedType::getNumElements(shape);
}

/// What is known of `op` before its weight is read.
static qtarget::MatmulFacts getFacts(ScaledMatmulOp op) {
  qtarget::MatmulFacts facts;
  facts.rows = countRows(op.getLhs());
  facts.isLhsUnsigned = op.getLhsUnsigned();
  facts.isRhsUnsigned = op.getRhsUnsigned();
  facts.rhsBits = op.getRhs().getType().getElementTypeBitWidth();
  facts.hasLhsScales = static_cast<bool>(op.getLhsScale());
  facts.group = 1;
  facts.isLhsFloat = !op.hasIntegerLhs();
  facts.hasCodebook = op.getRhsCodebook().has_value();
  return facts;
}

/// Adds what the weight says.
static void addWeight(qtarget::MatmulFacts &facts, ScaledMatmulOp op,
                      const ScaledWeight &weight) {
  const GroupLayout &layout = weight.layout();
  facts.group = layout.paddedGroup;
  facts.groups = layout.groups;
  facts.rhsBits = layout.bits;
  facts.hasOffset = static_cast<bool>(op.getRhsOffset());
  facts.largestProduct = qtarget::getLargestProduct(
      layout.bits, op.getLhsZeroPoint() || op.getLhsUnsigned(),
      weight.hasZeroPoint());
}

/// Whether the weight's zero points are integers of its type, as kernels rely
/// on; the verifier sees those of one weight only.
static bool areZeroPointsInRange(ScaledMatmulOp op,
                                 const ScaledWeight &weight) {
  Value zeroPoint = op.getRhsZeroPoint();
  if (!zeroPoint)
    return true;
  StorageRange range = getStorageRange(op.getRhs().getType().getElementType(),
                                       op.getRhsUnsigned());
  return llvm::all_of(
      *getConstantInts(weight.getAll(zeroPoint)),
      [&](int64_t z) { return range.min <= z && z <= range.max; });
}

qtarget::MatmulKernelInterface
quantmlir::chooseScaledKernel(ScaledMatmulOp op, qtarget::TargetAttr target,
                              std::optional<ScaledWeight> &weight,
                              std::string &why) {
  qtarget::MatmulFacts facts = getFacts(op);
  qtarget::MatmulKernelInterface kernel = chooseKernel(facts, target, why);
  if (!kernel)
    return {};
  weight = ScaledWeight::get(op, kernel.getRow(), why);
  if (!weight)
    return {};
  auto isKnown = [&](Value parameter) {
    Value all = weight->getAll(parameter);
    return !parameter ||
           (all && (getConstantFloats(all) || getConstantInts(all)));
  };
  if (!isKnown(op.getRhsScale()) || !isKnown(op.getRhsOffset()) ||
      !isKnown(op.getRhsZeroPoint())) {
    why = "the weight's parameters are not constants";
    return {};
  }
  if (!areZeroPointsInRange(op, *weight)) {
    why = "zero points lie out of the range of the weight's integers";
    return {};
  }
  if (tensorType(op.getLhs()).isDynamicDim(op.getNumBatchDims() + 1)) {
    why = "the contracted size is dynamic";
    return {};
  }
  // All kernels of a target read one packed weight.
  addWeight(facts, op, *weight);
  return chooseKernel(facts, target, why);
}
