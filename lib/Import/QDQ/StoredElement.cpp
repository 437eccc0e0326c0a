//===- StoredElement.cpp - scale * (q - zero point), by meaning -----------===//

#include "quant/Import/QDQ/StoredElement.h"

#include "ChosenElement.h"
#include "Parameters.h"

#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Import/Elements/Evaluate.h"

#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/SmallBitVector.h"

using namespace mlir;
using namespace quantmlir;

//===----------------------------------------------------------------------===//
// Dependence
//===----------------------------------------------------------------------===//

static void addDependence(Elements &elements, const Element *element,
                          llvm::SmallBitVector &dims,
                          llvm::DenseSet<const Element *> &seen) {
  element = elements.resolve(element);
  if (!seen.insert(element).second)
    return;
  for (AffineExpr index : element->indices)
    index.walk([&](AffineExpr expr) {
      if (auto dim = dyn_cast<AffineDimExpr>(expr))
        dims.set(dim.getPosition());
    });
  for (const Element *operand : element->operands)
    addDependence(elements, operand, dims, seen);
}

llvm::SmallBitVector quantmlir::getDependence(Elements &elements,
                                              const Element *element) {
  llvm::SmallBitVector dims(elements.getShape().size());
  llvm::DenseSet<const Element *> seen;
  addDependence(elements, element, dims, seen);
  return dims;
}

//===----------------------------------------------------------------------===//
// Matching
//===----------------------------------------------------------------------===//

namespace {
class StoredMatcher {
public:
  /// `isReal`: whether floats are made of the integers, which may have scales.
  StoredMatcher(Elements &elements, bool isReal)
      : elements(elements), isReal(isReal) {}

  std::optional<StoredElement> matchReal(const Element *element);
  /// `isUnsigned`: how an element of at most 8 bits is read.
  std::optional<StoredElement> matchInteger(const Element *element,
                                            bool isUnsigned);

private:
  using Matched = std::optional<StoredElement>;

  /// Which operand of `element` holds the integers, and the other one.
  template <typename Match>
  Matched matchEither(const Element *element, Match match,
                      const Element *&other, bool &isSecond,
                      bool withSteps = false);
  /// Whether `element` varies less than `other`: along fewer coordinates, or as
  /// a constant less than what is computed.
  bool isParameterOf(const Element *element, const Element *other);
  Matched matchSum(const Element *element, bool isSubtraction,
                   llvm::function_ref<Matched(const Element *)> match);
  Matched matchNarrow(const Element *element, bool isUnsigned);
  Matched matchDequantize(const Element *element, DequantizeOp op);
  Matched matchRealOperation(const Element *element);
  Matched matchIntegerScale(const Element *element);
  /// Chains are short; what is deeper is no dequantization.
  static constexpr unsigned kMaxDepth = 64;

  Elements &elements;
  bool isReal;
  unsigned depth = 0;
  /// What was asked need not be asked again, dequantization or not.
  llvm::DenseMap<const Element *, Matched> known;
};
} // namespace

/// Whether `element` varies along more coordinates than `other`, or along the
/// same ones in smaller steps, if those count.
static bool variesMore(Elements &elements, const Element *element,
                       const Element *other, bool withSteps) {
  unsigned own = getDependence(elements, element).count();
  unsigned others = getDependence(elements, other).count();
  if (own != others || !withSteps)
    return own > others;
  SmallVector<int64_t> steps = getSteps(elements, element);
  SmallVector<int64_t> larger = getSteps(elements, other);
  return steps != larger &&
         llvm::all_of_zip(steps, larger,
                          [](int64_t a, int64_t b) { return a <= b; });
}

template <typename Match>
std::optional<StoredElement>
StoredMatcher::matchEither(const Element *element, Match match,
                           const Element *&other, bool &isSecond,
                           bool withSteps) {
  const Element *lhs = element->operands[0], *rhs = element->operands[1];
  Matched first = match(lhs), second = match(rhs);
  // Scales may be made of integers too: the stored ones vary the most.
  if (first && second &&
      variesMore(elements, second->stored, first->stored, withSteps))
    first.reset();
  isSecond = !first.has_value();
  other = isSecond ? lhs : rhs;
  return isSecond ? second : first;
}

bool StoredMatcher::isParameterOf(const Element *element,
                                  const Element *other) {
  unsigned own = getDependence(elements, element).count();
  unsigned others = getDependence(elements, other).count();
  return own < others ||
         (own == others && isConstantElement(elements, element) &&
          !isConstantElement(elements, other));
}

/// `q + x`, `q - x`, `x - q`.
std::optional<StoredElement>
StoredMatcher::matchSum(const Element *element, bool isSubtraction,
                        llvm::function_ref<Matched(const Element *)> match) {
  const Element *other = nullptr;
  bool isSecond = false;
  Matched stored = matchEither(element, match, other, isSecond);
  if (!stored)
    return std::nullopt;
  // A zero point that is made of integers is not what is stored.
  if (isParameterOf(stored->stored, other))
    return std::nullopt;
  unsigned numFactors = stored->factors.size();
  if (isSubtraction && isSecond) {
    // x - f * (q - z) = -f * (q - z - x / f)
    stored->zeros.push_back({other, stored->isNegated, numFactors});
    stored->isNegated = !stored->isNegated;
    return stored;
  }
  // f * (q - z) - x = f * (q - z - x / f)
  stored->zeros.push_back(
      {other, isSubtraction == stored->isNegated, numFactors});
  return stored;
}

std::optional<StoredElement>
StoredMatcher::matchDequantize(const Element *element, DequantizeOp op) {
  StoredElement stored{elements.getTensor(op.getInput(), element->indices)};
  stored.isUnsigned = op.getIsUnsigned();
  SmallVector<AffineExpr> indices;
  for (int64_t axis : op.getAxes())
    indices.push_back(element->indices[axis]);
  if (op.getZeroPoint())
    stored.zeros.push_back(
        {elements.getTensor(op.getZeroPoint(), indices), false, 0});
  stored.factors.push_back({elements.getTensor(op.getScale(), indices), false});
  return stored;
}

std::optional<StoredElement> StoredMatcher::matchReal(const Element *element) {
  if (++depth > kMaxDepth)
    return std::nullopt;
  llvm::scope_exit leave([&] { --depth; });
  element = elements.resolve(element);
  if (auto it = known.find(element); it != known.end())
    return it->second;
  Matched matched;
  if (element->kind == Element::Kind::Operation)
    matched = matchRealOperation(element);
  else if (element->kind == Element::Kind::Tensor)
    if (auto op = element->value.getDefiningOp<DequantizeOp>())
      matched = matchDequantize(element, op);
  known[element] = matched;
  return matched;
}

std::optional<StoredElement>
StoredMatcher::matchRealOperation(const Element *element) {
  auto real = [&](const Element *operand) { return matchReal(operand); };
  using Code = ElementOpcode;
  switch (element->opcode) {
  case Code::SIToFP:
  case Code::UIToFP:
    return matchInteger(element->operands[0], element->is(Code::UIToFP));
  case Code::ExtF: {
    // What was rounded to a narrower type is another number.
    const Element *narrow = elements.resolve(element->operands[0]);
    if (narrow->is(Code::TruncF))
      return std::nullopt;
    Matched stored = matchReal(narrow);
    if (stored && !isExactIn(elements, narrow->type, *stored))
      return std::nullopt;
    return stored;
  }
  case Code::TruncF:
    return matchReal(element->operands[0]);
  case Code::AddF:
  case Code::SubF:
    if (Matched sum = matchSum(element, element->is(Code::SubF), real))
      return sum;
    break;
  case Code::NegF: {
    Matched stored = matchReal(element->operands[0]);
    if (stored)
      stored->isNegated = !stored->isNegated;
    return stored;
  }
  case Code::MulF: {
    const Element *other = nullptr;
    bool isSecond = false;
    Matched stored = matchEither(element, real, other, isSecond);
    if (stored)
      stored->factors.push_back({other, /*isDivisor=*/false});
    return stored;
  }
  case Code::Fma: {
    const Element *product = elements.getOperation(
        Code::MulF, element->type, ArrayRef(element->operands).drop_back());
    return matchReal(elements.getOperation(Code::AddF, element->type,
                                           {product, element->operands[2]}));
  }
  case Code::DivF: {
    Matched stored = matchReal(element->operands[0]);
    if (stored)
      stored->factors.push_back({element->operands[1], /*isDivisor=*/true});
    return stored;
  }
  case Code::MaximumF:
  case Code::MinimumF:
  case Code::MaxNumF:
  case Code::MinNumF:
  case Code::RoundEven:
  case Code::Select:
    break;
  default:
    return std::nullopt;
  }
  // Quantized, and never converted to integers.
  std::optional<QuantizedElement> quantized = matchQuantized(elements, element);
  if (!quantized)
    return element->is(Code::Select) ? matchChosen(elements, element, real)
                                     : std::nullopt;
  StoredElement stored{element};
  stored.isUnsigned = quantized->max > 127;
  return stored;
}

/// An element of at most 8 bits is stored as it is, but that exporters make
/// unsigned bytes signed, and back, by 128.
std::optional<StoredElement> StoredMatcher::matchNarrow(const Element *element,
                                                        bool isUnsigned) {
  const Element *resolved = elements.resolve(element);
  using Code = ElementOpcode;
  if (resolved->is(Code::ExtSI) || resolved->is(Code::ExtUI)) {
    bool isWidenedUnsigned = resolved->is(Code::ExtUI);
    if (isWidenedUnsigned || !isUnsigned)
      return matchNarrow(resolved->operands[0], isWidenedUnsigned);
  }
  bool shifts = resolved->is(Code::AddI) || resolved->is(Code::SubI) ||
                resolved->is(Code::XOrI);
  if (shifts && resolved->type.isInteger(8)) {
    auto number = dyn_cast_or_null<IntegerAttr>(
        elements.getNumber(resolved->operands[1]));
    if (number && number.getValue().isMinSignedValue()) {
      StoredElement stored{resolved->operands[0]};
      stored.isUnsigned = !isUnsigned;
      TypedAttr zero =
          IntegerAttr::get(IntegerType::get(element->type.getContext(), 32),
                           isUnsigned ? -128 : 128);
      stored.zeros.push_back({elements.getConstant(zero), false, 0});
      return stored;
    }
  }
  StoredElement stored{element};
  stored.isUnsigned = isUnsigned;
  return stored;
}

/// Whether `element` has 16 bits or fewer, or was widened from them: a product
/// with stored integers does not wrap in 32.
static bool isShort(Elements &elements, const Element *element) {
  if (auto number = dyn_cast_or_null<IntegerAttr>(elements.getNumber(element)))
    return number.getValue().getSignificantBits() <= 16;
  element = elements.resolve(element);
  if (element->is(ElementOpcode::ExtSI) || element->is(ElementOpcode::ExtUI))
    element = element->operands[0];
  return element->type.isInteger() &&
         element->type.getIntOrFloatBitWidth() <= 16;
}

/// `q * s`, with a scale of integers: super-blocks.
std::optional<StoredElement>
StoredMatcher::matchIntegerScale(const Element *element) {
  if (!isReal || element->type.getIntOrFloatBitWidth() < 32)
    return std::nullopt;
  auto wide = [&](const Element *operand) {
    return matchInteger(operand, /*isUnsigned=*/false);
  };
  const Element *other = nullptr;
  bool isSecond = false;
  // Scales of groups vary along what the integers vary along.
  Matched stored =
      matchEither(element, wide, other, isSecond, /*withSteps=*/true);
  if (!stored || !isShort(elements, other) ||
      isParameterOf(stored->stored, other))
    return std::nullopt;
  Type f32 = Float32Type::get(element->type.getContext());
  stored->factors.push_back(
      {elements.getOperation(ElementOpcode::SIToFP, f32, {other}),
       /*isDivisor=*/false});
  return stored;
}

std::optional<StoredElement> StoredMatcher::matchInteger(const Element *element,
                                                         bool isUnsigned) {
  if (++depth > kMaxDepth)
    return std::nullopt;
  llvm::scope_exit leave([&] { --depth; });
  if (!element->type.isInteger())
    return std::nullopt;
  if (element->type.getIntOrFloatBitWidth() <= 8)
    return matchNarrow(element, isUnsigned);
  // What is wider is read by its own value.
  auto wide = [&](const Element *operand) {
    return matchInteger(operand, /*isUnsigned=*/false);
  };
  const Element *resolved = elements.resolve(element);
  using Code = ElementOpcode;
  if (resolved->kind == Element::Kind::Operation) {
    switch (resolved->opcode) {
    case Code::ExtSI:
    case Code::ExtUI:
      return matchInteger(resolved->operands[0], resolved->is(Code::ExtUI));
    case Code::TruncI:
      if (Matched stored = wide(resolved->operands[0]))
        return stored;
      break;
    case Code::AddI:
    case Code::SubI:
      if (Matched stored = matchSum(resolved, resolved->is(Code::SubI), wide))
        return stored;
      break;
    case Code::MulI:
      if (Matched stored = matchIntegerScale(resolved))
        return stored;
      break;
    default:
      break;
    }
  }
  StoredElement stored{resolved};
  if (isConstantElement(elements, resolved))
    return stored;
  if (std::optional<QuantizedElement> quantized =
          matchQuantized(elements, resolved)) {
    stored.isUnsigned = quantized->max > 127;
    return stored;
  }
  return std::nullopt;
}

std::optional<StoredElement> quantmlir::matchStored(Elements &elements,
                                                    const Element *element) {
  StoredMatcher matcher(elements, isa<FloatType>(element->type));
  if (isa<FloatType>(element->type))
    return matcher.matchReal(element);
  if (!element->type.isInteger() || element->type.getIntOrFloatBitWidth() <= 8)
    return std::nullopt;
  return matcher.matchInteger(element, /*isUnsigned=*/false);
}
