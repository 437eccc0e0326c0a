//===- ProductScheme.cpp - a scheme for two activations -------------------===//

#include "ProductScheme.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace quantmlir;

QuantScheme quantmlir::getProductScheme(const QuantScheme &scheme) {
  QuantScheme applied = scheme;
  applied.weight = WeightScheme();
  applied.weight.bits = scheme.activationBits;
  applied.weight.granularity = WeightScheme::Granularity::Tensor;
  applied.activations = ActivationScheme::DynamicToken;
  applied.symmetric = true;
  applied.rotation = RotationScheme::None;
  return applied;
}

std::string quantmlir::explainProductScheme(const QuantScheme &scheme) {
  SmallVector<StringRef> parts;
  if (scheme.getRotation())
    parts.push_back("not rotated");
  if (scheme.hasBlocks())
    parts.push_back("not in blocks");
  if (scheme.isStatic())
    parts.push_back("no static scales");
  if (scheme.activations == ActivationScheme::DynamicTensor)
    parts.push_back("not one scale for all rows");
  if (!scheme.symmetric)
    parts.push_back("no zero points");
  if (scheme.weight.granularity == WeightScheme::Granularity::Group)
    parts.push_back("no groups");
  return parts.empty()
             ? ""
             : llvm::join(parts, ", ") + ": both operands are activations";
}
