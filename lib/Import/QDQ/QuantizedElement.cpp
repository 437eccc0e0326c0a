//===- QuantizedElement.cpp - clamp(roundeven(x / scale) + z), by meaning -===//
//
// Walks from the result to the division. On the way stand conversions, bounds
// and additions of zero points, in any order, in integers or in floats. What is
// added outside of a bound moves it.
//
//===----------------------------------------------------------------------===//

#include "quant/Import/QDQ/StoredElement.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace quantmlir;

/// The whole number that `element` is a constant of.
static std::optional<int64_t> getWhole(Elements &elements,
                                       const Element *element) {
  element = elements.resolve(element);
  using Code = ElementOpcode;
  if (element->is(Code::SIToFP) || element->is(Code::ExtF) ||
      element->is(Code::TruncF) || element->is(Code::ExtSI))
    return getWhole(elements, element->operands[0]);
  if (element->is(Code::UIToFP) || element->is(Code::ExtUI)) {
    const Element *narrow = element->operands[0];
    std::optional<int64_t> number = getWhole(elements, narrow);
    unsigned width = narrow->type.getIntOrFloatBitWidth();
    if (!number || width >= 64)
      return std::nullopt;
    return *number & llvm::maskTrailingOnes<uint64_t>(width);
  }
  TypedAttr constant = elements.getNumber(element);
  if (!constant)
    return std::nullopt;
  if (auto number = dyn_cast<IntegerAttr>(constant))
    return number.getValue().getSignificantBits() <= 64
               ? std::optional<int64_t>(number.getValue().getSExtValue())
               : std::nullopt;
  double number = cast<FloatAttr>(constant).getValueAsDouble();
  if (!(std::fabs(number) <= 0x1p40) || number != std::trunc(number))
    return std::nullopt;
  return static_cast<int64_t>(number);
}

namespace {
/// A bound, and what it bounds.
struct Bound {
  const Element *value;
  int64_t bound;
  bool isLower;
};

class QuantizedMatcher {
public:
  explicit QuantizedMatcher(Elements &elements) : elements(elements) {}
  std::optional<QuantizedElement> match(const Element *element);

private:
  std::optional<Bound> matchBound(const Element *element);
  std::optional<Bound> matchSelectedBound(const Element *element);
  bool apply(const Bound &bound);
  bool walk(const Element *element);
  bool walkSum(const Element *element);
  bool walkRounding(const Element *rounded);

  static constexpr int64_t kNone = std::numeric_limits<int64_t>::max();
  Elements &elements;
  QuantizedElement result{nullptr, nullptr, {}, -kNone, kNone};
  /// Sum of the zeros so far, where all of them are constant numbers.
  std::optional<int64_t> outer = 0;
};
} // namespace

std::optional<Bound>
QuantizedMatcher::matchSelectedBound(const Element *element) {
  const Element *condition = elements.resolve(element->operands[0]);
  if (condition->kind != Element::Kind::Operation ||
      (condition->opcode != ElementOpcode::CmpF &&
       condition->opcode != ElementOpcode::CmpI))
    return std::nullopt;
  bool isFloat = condition->is(ElementOpcode::CmpF);
  using F = arith::CmpFPredicate;
  using I = arith::CmpIPredicate;
  auto f = static_cast<F>(condition->predicate);
  auto i = static_cast<I>(condition->predicate);
  bool isLess = isFloat
                    ? llvm::is_contained({F::OLT, F::OLE, F::ULT, F::ULE}, f)
                    : llvm::is_contained({I::slt, I::sle}, i);
  bool isGreater = isFloat
                       ? llvm::is_contained({F::OGT, F::OGE, F::UGT, F::UGE}, f)
                       : llvm::is_contained({I::sgt, I::sge}, i);
  if (!isLess && !isGreater)
    return std::nullopt;
  // One side of the comparison is the bound, which is also chosen on one side.
  for (unsigned side : {0, 1}) {
    std::optional<int64_t> bound =
        getWhole(elements, condition->operands[1 - side]);
    const Element *compared = elements.resolve(condition->operands[side]);
    if (!bound)
      continue;
    for (unsigned chosen : {1, 2}) {
      if (getWhole(elements, element->operands[chosen]) != bound ||
          elements.resolve(element->operands[3 - chosen]) != compared)
        continue;
      // "value < bound ? bound : value" is a lower bound; each of the three
      // things turned around makes the other one of it.
      bool isLower = isLess == (side == 0) ? chosen == 1 : chosen == 2;
      return Bound{element->operands[3 - chosen], *bound, isLower};
    }
  }
  return std::nullopt;
}

std::optional<Bound> QuantizedMatcher::matchBound(const Element *element) {
  using Code = ElementOpcode;
  if (element->is(Code::Select))
    return matchSelectedBound(element);
  bool isLower = llvm::is_contained(
      {Code::MaximumF, Code::MaxNumF, Code::MaxSI}, element->opcode);
  if (!isLower &&
      !llvm::is_contained({Code::MinimumF, Code::MinNumF, Code::MinSI},
                          element->opcode))
    return std::nullopt;
  for (unsigned side : {1, 0})
    if (std::optional<int64_t> bound =
            getWhole(elements, element->operands[side]))
      return Bound{element->operands[1 - side], *bound, isLower};
  return std::nullopt;
}

bool QuantizedMatcher::apply(const Bound &bound) {
  if (!outer)
    return false;
  int64_t moved = bound.bound + *outer;
  if (bound.isLower)
    result.min = std::max(result.min, moved);
  else
    result.max = std::min(result.max, moved);
  return result.min < result.max;
}

/// A zero point is added or subtracted.
bool QuantizedMatcher::walkSum(const Element *element) {
  using Code = ElementOpcode;
  bool isSubtraction = element->is(Code::SubF) || element->is(Code::SubI);
  for (unsigned side : {0, 1}) {
    if (isSubtraction && side == 1)
      return false;
    const Element *zero = element->operands[1 - side];
    QuantizedMatcher rest = *this;
    rest.result.zeros.push_back({zero, /*isNegated=*/isSubtraction, 0});
    std::optional<int64_t> number = getWhole(elements, zero);
    rest.outer = number && outer
                     ? std::optional<int64_t>(
                           *outer + (isSubtraction ? -*number : *number))
                     : std::nullopt;
    if (rest.walk(element->operands[side])) {
      result = rest.result;
      return true;
    }
  }
  return false;
}

bool QuantizedMatcher::walkRounding(const Element *rounded) {
  const Element *resolved = elements.resolve(rounded);
  // Bounds are whole numbers, so that they may come before rounding, too.
  while (std::optional<Bound> bound =
             outer && resolved->kind == Element::Kind::Operation
                 ? matchBound(resolved)
                 : std::nullopt) {
    if (!apply(*bound))
      return false;
    rounded = bound->value;
    resolved = elements.resolve(rounded);
  }
  // Our division is one of f32.
  if (resolved->is(ElementOpcode::DivF)) {
    if (!resolved->type.isF32())
      return false;
    result.input = resolved->operands[0];
    result.scale = resolved->operands[1];
    return true;
  }
  result.input = rounded;
  return true;
}

bool QuantizedMatcher::walk(const Element *element) {
  element = elements.resolve(element);
  if (element->kind != Element::Kind::Operation)
    return false;
  if (const Element *rounded = matchRoundEven(elements, element))
    return walkRounding(rounded);
  if (std::optional<Bound> bound = matchBound(element))
    return apply(*bound) && walk(bound->value);
  using Code = ElementOpcode;
  switch (element->opcode) {
  case Code::TruncI:
  case Code::ExtSI:
  case Code::ExtUI:
  case Code::FPToSI:
  case Code::FPToUI:
  case Code::SIToFP:
  case Code::ExtF:
  case Code::TruncF:
    return walk(element->operands[0]);
  case Code::AddF:
  case Code::SubF:
  case Code::AddI:
  case Code::SubI:
    return walkSum(element);
  case Code::RoundEven:
    return walkRounding(element->operands[0]);
  default:
    return false;
  }
}

std::optional<QuantizedElement>
QuantizedMatcher::match(const Element *element) {
  if (!walk(element))
    return std::nullopt;
  bool isSigned = result.min >= -128 && result.max <= 127;
  bool isUnsigned = result.min >= 0 && result.max <= 255;
  if (!isSigned && !isUnsigned)
    return std::nullopt;
  return result;
}

std::optional<QuantizedElement>
quantmlir::matchQuantized(Elements &elements, const Element *element) {
  return QuantizedMatcher(elements).match(element);
}
