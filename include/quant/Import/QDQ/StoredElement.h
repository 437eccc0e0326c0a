//===- StoredElement.h - dequantize and quantize, by meaning ----*- C++ -*-===//
//
// Reads `scale * (q - zero point)` and `clamp(roundeven(x / scale) + zero
// point)` off an element, however the arithmetic is spelled: in integers or in
// floats, in any order, with parameters of any rank.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_IMPORT_QDQ_STOREDELEMENT_H
#define QUANT_IMPORT_QDQ_STOREDELEMENT_H

#include "quant/Import/Elements/Element.h"

namespace quantmlir {

/// A factor, or what is divided by.
struct ElementFactor {
  const Element *value;
  bool isDivisor;
};

/// A part of a zero point: `value` or, if `isNegated`, minus it; over the
/// product of the first `numFactors` factors, where it stands behind them.
struct ElementZero {
  const Element *value;
  bool isNegated;
  unsigned numFactors;
};

/// `element = product of the factors * (stored - sum of the zeros)`.
struct StoredElement {
  /// An integer of at most 8 bits, or a constant that may fit in them.
  const Element *stored;
  /// How the bits of `stored` are read, where it has no more than 8.
  bool isUnsigned = false;
  /// Whether the factors' product is to be negated.
  bool isNegated = false;
  llvm::SmallVector<ElementFactor> factors;
  llvm::SmallVector<ElementZero> zeros;
};

/// Reads a float `element`, or a widened integer one, so.
std::optional<StoredElement> matchStored(Elements &elements,
                                         const Element *element);

/// Whether `type` holds the differences of the integers and the zeros, and
/// their products with the factors, every one on the way: floats of less than
/// 32 bits round them, unless the integers are short, all factors powers of two
/// and all products normal numbers.
bool isExactIn(Elements &elements, mlir::Type type,
               const StoredElement &stored);

/// `element = clamp(roundeven(input / scale) + sum of the zeros, min, max)`.
struct QuantizedElement {
  const Element *input;
  /// Null where nothing is divided. A multiplication before the rounding is
  /// part of `input`: it is not a division, to the bit.
  const Element *scale = nullptr;
  llvm::SmallVector<ElementZero> zeros;
  int64_t min, max;
};

/// What `element` rounds to the nearest whole number, ties to even, where it
/// chooses between the whole numbers around it; null where it does not.
const Element *matchRoundEven(Elements &elements, const Element *element);

/// Reads an `element`, an integer one or a float one that holds integers, so.
/// The range fits in 8 bits.
std::optional<QuantizedElement> matchQuantized(Elements &elements,
                                               const Element *element);

/// The coordinates that `element` varies along.
llvm::SmallBitVector getDependence(Elements &elements, const Element *element);

} // namespace quantmlir

#endif // QUANT_IMPORT_QDQ_STOREDELEMENT_H
