//===- ExactElement.cpp - products that narrow floats hold ----------------===//
//
// A dequantization that is computed in f16 or bf16 and widened again is the
// product of the real numbers only where nothing on the way is rounded.
//
//===----------------------------------------------------------------------===//

#include "quant/Import/QDQ/StoredElement.h"

#include "quant/Import/Elements/Evaluate.h"

#include "llvm/ADT/SmallBitVector.h"

#include <algorithm>
#include <cmath>

using namespace mlir;
using namespace quantmlir;

namespace {
/// From `min` to `max`.
struct NumberRange {
  double min = 0, max = 0;

  static NumberRange ofBits(unsigned bits, bool isUnsigned) {
    double count = std::ldexp(1.0, bits);
    return isUnsigned ? NumberRange{0, count - 1}
                      : NumberRange{-count / 2, count / 2 - 1};
  }
  double getMagnitude() const { return std::max(std::abs(min), std::abs(max)); }
};
} // namespace

/// The points at which a constant `value` varies; nothing where it is none.
static std::optional<ElementGrid> getConstantGrid(Elements &elements,
                                                  const Element *value) {
  ElementGrid grid = ElementGrid::all(elements.getShape());
  llvm::SmallBitVector dependence = getDependence(elements, value);
  for (auto [dim, size] : llvm::enumerate(grid.sizes))
    if (!dependence.test(dim))
      size = 1;
  if (llvm::is_contained(grid.sizes, ShapedType::kDynamic) ||
      !isConstantElement(elements, value))
    return std::nullopt;
  return grid;
}

/// All values of a constant parameter; empty where it is none.
static std::vector<double> getParameterValues(Elements &elements,
                                              const Element *value) {
  std::optional<ElementGrid> grid = getConstantGrid(elements, value);
  return grid ? evaluateAll(elements, value, *grid) : std::vector<double>();
}

/// What the stored integers may be; nothing where that is not known.
static std::optional<NumberRange> getStoredRange(Elements &elements,
                                                 const StoredElement &stored) {
  auto type = dyn_cast<IntegerType>(stored.stored->type);
  if (type && type.getWidth() > 8 &&
      isConstantElement(elements, stored.stored)) {
    std::optional<ElementGrid> grid = getConstantGrid(elements, stored.stored);
    if (!grid)
      return std::nullopt;
    NumberRange range;
    evaluateIntegers(elements, stored.stored, *grid,
                     [&](int64_t, ArrayRef<int64_t> block) {
                       for (int64_t value : block) {
                         range.min = std::min<double>(range.min, value);
                         range.max = std::max<double>(range.max, value);
                       }
                     });
    return range;
  }
  // What is quantized fits in a byte, whatever its type is.
  unsigned bits = type ? std::min(type.getWidth(), 8u) : 8u;
  return NumberRange::ofBits(bits, stored.isUnsigned);
}

/// The range of a zero that is known, or read from integers of at most 8 bits;
/// nothing where it may be no whole number.
static std::optional<NumberRange> getZeroRange(Elements &elements,
                                               const Element *zero) {
  std::vector<double> values = getParameterValues(elements, zero);
  if (!values.empty()) {
    bool areWhole = llvm::all_of(values, [](double value) {
      return std::isfinite(value) && value == std::trunc(value);
    });
    auto [min, max] = std::minmax_element(values.begin(), values.end());
    return areWhole ? std::optional(NumberRange{*min, *max}) : std::nullopt;
  }
  using Code = ElementOpcode;
  bool isUnsigned = false;
  for (zero = elements.resolve(zero);
       !zero->type.isInteger() || zero->type.getIntOrFloatBitWidth() > 8;
       zero = elements.resolve(zero->operands[0])) {
    bool isSigned = zero->is(Code::SIToFP) || zero->is(Code::ExtSI);
    // Negative ones read as unsigned are large.
    if (isSigned ? isUnsigned
                 : !zero->is(Code::UIToFP) && !zero->is(Code::ExtUI))
      return std::nullopt;
    isUnsigned = !isSigned;
  }
  return NumberRange::ofBits(zero->type.getIntOrFloatBitWidth(), isUnsigned);
}

/// The largest difference of integers and zeros on the way; nothing where a
/// zero may be no whole number, or is behind factors.
static std::optional<double> getLargestStep(Elements &elements,
                                            const StoredElement &stored) {
  std::optional<NumberRange> range = getStoredRange(elements, stored);
  if (!range)
    return std::nullopt;
  double largest = range->getMagnitude();
  for (const ElementZero &zero : stored.zeros) {
    std::optional<NumberRange> own = getZeroRange(elements, zero.value);
    if (zero.numFactors != 0 || !own)
      return std::nullopt;
    *range = zero.isNegated
                 ? NumberRange{range->min + own->min, range->max + own->max}
                 : NumberRange{range->min - own->max, range->max - own->min};
    largest = std::max(largest, range->getMagnitude());
  }
  return largest;
}

/// The exponents of the powers of two that `factor` multiplies by; nothing
/// where it is something else somewhere.
static std::optional<NumberRange> getExponents(Elements &elements,
                                               const ElementFactor &factor) {
  std::vector<double> values = getParameterValues(elements, factor.value);
  if (values.empty())
    return std::nullopt;
  NumberRange range{HUGE_VAL, -HUGE_VAL};
  for (double value : values) {
    // A product with 0 is exact.
    if (value == 0 && !factor.isDivisor)
      continue;
    int exponent = 0;
    if (std::abs(std::frexp(value, &exponent)) != 0.5)
      return std::nullopt;
    exponent = factor.isDivisor ? 1 - exponent : exponent - 1;
    range = {std::min<double>(range.min, exponent),
             std::max<double>(range.max, exponent)};
  }
  return range.min <= range.max ? range : NumberRange{};
}

bool quantmlir::isExactIn(Elements &elements, Type type,
                          const StoredElement &stored) {
  auto floatType = cast<FloatType>(type);
  if (floatType.getWidth() >= 32)
    return true;
  // Cheapest first: most scales are no powers of two.
  SmallVector<NumberRange> exponents;
  for (const ElementFactor &factor : stored.factors) {
    std::optional<NumberRange> range = getExponents(elements, factor);
    if (!range)
      return false;
    exponents.push_back(*range);
  }
  const llvm::fltSemantics &semantics = floatType.getFloatSemantics();
  if (!APFloat::semanticsHasZero(semantics))
    return false;
  std::optional<double> largest = getLargestStep(elements, stored);
  if (!largest ||
      *largest > std::ldexp(1.0, APFloat::semanticsPrecision(semantics)))
    return false;
  // Each product on the way is a normal number, as the integers are.
  NumberRange product{0, std::ceil(std::log2(std::max(*largest, 1.0)))};
  auto isNormal = [&] {
    return product.min >= APFloat::semanticsMinExponent(semantics) &&
           product.max <= APFloat::semanticsMaxExponent(semantics);
  };
  for (const NumberRange &range : exponents) {
    if (!isNormal())
      return false;
    product = {product.min + range.min, product.max + range.max};
  }
  return isNormal();
}
