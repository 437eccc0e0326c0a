//===- RoundEven.cpp - rounding to even, spelled out ----------------------===//
//
// TOSA has no rounding to the nearest: exporters choose between the whole
// numbers around x,
//
//   select(x - floor(x) < 0.5 || (x - floor(x) == 0.5 && isEven(floor(x))),
//          floor(x), ceil(x))
//
// where y is even if 2 * floor(y / 2) is y.
//
//===----------------------------------------------------------------------===//

#include "quant/Import/QDQ/StoredElement.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace quantmlir;

using Code = ElementOpcode;

namespace {
class RoundEvenMatcher {
public:
  explicit RoundEvenMatcher(Elements &elements) : elements(elements) {}

  const Element *match(const Element *element) {
    element = elements.resolve(element);
    if (!element->is(Code::Select))
      return nullptr;
    floor = resolve(element->operands[1]);
    const Element *ceil = resolve(element->operands[2]);
    if (!floor->is(Code::Floor) || !ceil->is(Code::Ceil))
      return nullptr;
    x = resolve(floor->operands[0]);
    const Element *condition = resolve(element->operands[0]);
    bool isRounding =
        isSame(ceil->operands[0], x) && condition->is(Code::OrI) &&
        inEitherOrder(
            condition, [&](const Element *e) { return isBelowHalf(e); },
            [&](const Element *e) { return isEvenTie(e); });
    return isRounding ? x : nullptr;
  }

private:
  using Test = llvm::function_ref<bool(const Element *)>;

  const Element *resolve(const Element *element) {
    return elements.resolve(element);
  }

  /// Whether two elements are the same arithmetic of the same leaves.
  bool isSame(const Element *a, const Element *b) {
    a = resolve(a);
    b = resolve(b);
    if (a == b)
      return true;
    return a->kind == b->kind && a->opcode == b->opcode &&
           a->predicate == b->predicate && a->value == b->value &&
           a->constant == b->constant && a->indices == b->indices &&
           a->type == b->type && a->operands.size() == b->operands.size() &&
           llvm::all_of_zip(a->operands, b->operands,
                            [&](const Element *left, const Element *right) {
                              return isSame(left, right);
                            });
  }

  bool isNumber(const Element *element, double number) {
    auto constant = dyn_cast_or_null<FloatAttr>(elements.getNumber(element));
    return constant && constant.getValueAsDouble() == number;
  }

  bool inEitherOrder(const Element *element, Test first, Test second) {
    const Element *a = resolve(element->operands[0]),
                  *b = resolve(element->operands[1]);
    return (first(a) && second(b)) || (first(b) && second(a));
  }

  bool isFraction(const Element *element) {
    return element->is(Code::SubF) && isSame(element->operands[0], x) &&
           isSame(element->operands[1], floor);
  }

  bool compares(const Element *element, arith::CmpFPredicate predicate) {
    return element->is(Code::CmpF) &&
           element->predicate == static_cast<int64_t>(predicate);
  }

  /// `x - floor(x) < 0.5`.
  bool isBelowHalf(const Element *element) {
    bool isLess = compares(element, arith::CmpFPredicate::OLT),
         isGreater = compares(element, arith::CmpFPredicate::OGT);
    if (!isLess && !isGreater)
      return false;
    return isFraction(resolve(element->operands[isLess ? 0 : 1])) &&
           isNumber(element->operands[isLess ? 1 : 0], 0.5);
  }

  /// `x - floor(x) == 0.5 && isEven(floor(x))`.
  bool isEvenTie(const Element *element) {
    return element->is(Code::AndI) &&
           inEitherOrder(
               element,
               [&](const Element *e) {
                 return compares(e, arith::CmpFPredicate::OEQ) &&
                        inEitherOrder(
                            e, [&](const Element *f) { return isFraction(f); },
                            [&](const Element *f) { return isNumber(f, 0.5); });
               },
               [&](const Element *e) {
                 return compares(e, arith::CmpFPredicate::OEQ) &&
                        inEitherOrder(
                            e,
                            [&](const Element *f) { return isSame(f, floor); },
                            [&](const Element *f) { return isTwiceHalf(f); });
               });
  }

  /// `2 * floor(floor(x) / 2)`.
  bool isTwiceHalf(const Element *element) {
    return element->is(Code::MulF) &&
           inEitherOrder(
               element, [&](const Element *e) { return isNumber(e, 2.0); },
               [&](const Element *e) {
                 return e->is(Code::Floor) && isHalf(resolve(e->operands[0]));
               });
  }

  /// `floor(x) / 2`.
  bool isHalf(const Element *element) {
    if (element->is(Code::DivF))
      return isSame(element->operands[0], floor) &&
             isNumber(element->operands[1], 2.0);
    return element->is(Code::MulF) &&
           inEitherOrder(
               element, [&](const Element *e) { return isSame(e, floor); },
               [&](const Element *e) { return isNumber(e, 0.5); });
  }

  Elements &elements;
  const Element *x = nullptr, *floor = nullptr;
};
} // namespace

const Element *quantmlir::matchRoundEven(Elements &elements,
                                         const Element *element) {
  return RoundEvenMatcher(elements).match(element);
}
