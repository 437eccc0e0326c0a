//===- ChosenElement.cpp - integers from several dequantized tensors ------===//
//
// A weight that is put together of dequantized pieces chooses one of them for
// each element. It is dequantized itself: of integers, scales and zero points
// that are chosen likewise.
//
//===----------------------------------------------------------------------===//

#include "ChosenElement.h"

#include "quant/Import/Elements/Evaluate.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace quantmlir;

using Code = ElementOpcode;

namespace {
class Chooser {
public:
  Chooser(Elements &elements, const Element *condition)
      : elements(elements), condition(condition),
        builder(condition->type.getContext()) {}

  std::optional<StoredElement> choose(StoredElement a, StoredElement b);
  std::optional<StoredElement> choosePadding(const StoredElement &stored,
                                             bool isSecond);

private:
  const Element *select(const Element *a, const Element *b);
  const Element *getReal(const Element *element);
  const Element *widen(const StoredElement &stored);
  void mergeFactors(StoredElement &stored);
  bool alignFactors(StoredElement &a, StoredElement &b);
  void negate(StoredElement &stored);

  Elements &elements;
  const Element *condition;
  Builder builder;
};
} // namespace

/// The chosen one of two integers or floats.
const Element *Chooser::select(const Element *a, const Element *b) {
  TypedAttr number = elements.getNumber(a);
  if (elements.resolve(a) == elements.resolve(b) ||
      (number && number == elements.getNumber(b)))
    return a;
  if (a->type != b->type) {
    a = getReal(a);
    b = getReal(b);
  }
  return elements.getOperation(Code::Select, a->type, {condition, a, b});
}

/// A parameter in f64, which holds all there are.
const Element *Chooser::getReal(const Element *element) {
  Type f64 = builder.getF64Type();
  if (element->type == f64)
    return element;
  return elements.getOperation(
      element->type.isInteger() ? Code::SIToFP : Code::ExtF, f64, {element});
}

/// The stored integer as a number of 64 bits.
const Element *Chooser::widen(const StoredElement &stored) {
  Type i64 = builder.getI64Type();
  if (stored.stored->type == i64)
    return stored.stored;
  bool isByte = stored.stored->type.getIntOrFloatBitWidth() <= 8;
  return elements.getOperation(isByte && stored.isUnsigned ? Code::ExtUI
                                                           : Code::ExtSI,
                               i64, {stored.stored});
}

/// One factor in the place of all, rounded as they are one after the other.
void Chooser::mergeFactors(StoredElement &stored) {
  Type f32 = builder.getF32Type();
  const Element *product = elements.getConstant(builder.getF32FloatAttr(1));
  for (const ElementFactor &factor : stored.factors) {
    const Element *value = factor.value;
    if (value->type != f32)
      value = elements.getOperation(Code::TruncF, f32, {getReal(value)});
    product = elements.getOperation(factor.isDivisor ? Code::DivF : Code::MulF,
                                    f32, {product, value});
  }
  stored.factors.assign({{product, /*isDivisor=*/false}});
}

/// Gives both the same number of factors, of the same kinds.
bool Chooser::alignFactors(StoredElement &a, StoredElement &b) {
  if (llvm::equal(a.factors, b.factors, [](const auto &x, const auto &y) {
        return x.isDivisor == y.isDivisor;
      }))
    return true;
  auto standsBefore = [](const ElementZero &zero) {
    return zero.numFactors == 0;
  };
  if (!llvm::all_of(a.zeros, standsBefore) ||
      !llvm::all_of(b.zeros, standsBefore))
    return false;
  mergeFactors(a);
  mergeFactors(b);
  return true;
}

/// Has a factor carry the sign.
void Chooser::negate(StoredElement &stored) {
  const Element *&value = stored.factors.front().value;
  value = elements.getOperation(Code::NegF, value->type, {value});
  stored.isNegated = !stored.isNegated;
}

std::optional<StoredElement> Chooser::choose(StoredElement a, StoredElement b) {
  if (!a.stored->type.isInteger() || !b.stored->type.isInteger())
    return std::nullopt;
  bool isSameStorage =
      a.stored->type == b.stored->type && a.isUnsigned == b.isUnsigned;
  StoredElement chosen{isSameStorage ? select(a.stored, b.stored)
                                     : select(widen(a), widen(b))};
  chosen.isUnsigned = isSameStorage && a.isUnsigned;

  if (!alignFactors(a, b))
    return std::nullopt;
  if (a.isNegated != b.isNegated) {
    if (a.factors.empty()) {
      mergeFactors(a);
      mergeFactors(b);
    }
    negate(b);
  }
  chosen.isNegated = a.isNegated;
  for (auto [x, y] : llvm::zip_equal(a.factors, b.factors))
    chosen.factors.push_back({select(x.value, y.value), x.isDivisor});

  const Element *none = elements.getConstant(builder.getI32IntegerAttr(0));
  auto pad = [&](StoredElement &shorter, const StoredElement &longer) {
    for (const ElementZero &zero :
         ArrayRef(longer.zeros).drop_front(shorter.zeros.size()))
      shorter.zeros.push_back({none, zero.isNegated, zero.numFactors});
  };
  if (a.zeros.size() < b.zeros.size())
    pad(a, b);
  else
    pad(b, a);
  for (auto [x, y] : llvm::zip_equal(a.zeros, b.zeros)) {
    if (x.numFactors != y.numFactors)
      return std::nullopt;
    if (x.isNegated != y.isNegated) {
      const Element *real = getReal(y.value);
      y.value = elements.getOperation(Code::NegF, real->type, {real});
    }
    chosen.zeros.push_back(
        {select(x.value, y.value), x.isNegated, x.numFactors});
  }
  return chosen;
}

/// Zeros around the integers: they are stored as the zero point.
std::optional<StoredElement> Chooser::choosePadding(const StoredElement &stored,
                                                    bool isSecond) {
  if (!stored.stored->type.isInteger() || stored.zeros.size() > 1)
    return std::nullopt;
  const Element *zero = elements.getConstant(builder.getI64IntegerAttr(0));
  if (!stored.zeros.empty()) {
    const ElementZero &own = stored.zeros.front();
    if (own.numFactors != 0 || own.isNegated)
      return std::nullopt;
    zero = elements.getOperation(Code::FPToSI, builder.getI64Type(),
                                 {getReal(own.value)});
  }
  StoredElement chosen = stored;
  const Element *inside = widen(stored);
  chosen.stored = isSecond ? select(zero, inside) : select(inside, zero);
  chosen.isUnsigned = false;
  return chosen;
}

static bool isZero(Elements &elements, const Element *element) {
  TypedAttr number = elements.getNumber(element);
  return number && matchPattern(number, m_AnyZeroFloat());
}

std::optional<StoredElement> quantmlir::matchChosen(
    Elements &elements, const Element *element,
    llvm::function_ref<std::optional<StoredElement>(const Element *)> match) {
  Chooser chooser(elements, element->operands[0]);
  // No op puts integers of the run time together.
  auto isConstant = [&](const std::optional<StoredElement> &chosen) {
    return chosen && isConstantElement(elements, chosen->stored);
  };
  const Element *first = element->operands[1], *second = element->operands[2];
  if (isZero(elements, first) || isZero(elements, second)) {
    bool isSecond = isZero(elements, first);
    std::optional<StoredElement> inside = match(isSecond ? second : first);
    std::optional<StoredElement> padded =
        inside ? chooser.choosePadding(*inside, isSecond) : std::nullopt;
    return isConstant(padded) ? padded : std::nullopt;
  }
  std::optional<StoredElement> a = match(first);
  std::optional<StoredElement> b = a ? match(second) : std::nullopt;
  std::optional<StoredElement> chosen =
      b ? chooser.choose(*a, *b) : std::nullopt;
  return isConstant(chosen) ? chosen : std::nullopt;
}
