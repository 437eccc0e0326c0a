//===- Evaluate.h - elements that are known at compile time -----*- C++ -*-===//
//
// Runs an `Element` whose leaves all are constants, for many coordinates at a
// time: each operation over a block of points before the next one, in the
// precision of its type. Weights are large, so nothing is interned by the
// context on the way, as upstream's folders would.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_IMPORT_ELEMENTS_EVALUATE_H
#define QUANT_IMPORT_ELEMENTS_EVALUATE_H

#include "quant/Import/Elements/Element.h"

#include <vector>

namespace quantmlir {

/// Points at which elements are evaluated: `sizes[i]` of them along coordinate
/// i, `steps[i]` apart.
struct ElementGrid {
  llvm::SmallVector<int64_t> sizes, steps;

  /// Every coordinate of a tensor of static `shape`.
  static ElementGrid all(llvm::ArrayRef<int64_t> shape);
  int64_t size() const;
};

/// Whether `element` has constants and coordinates alone for leaves, which the
/// evaluator can read.
bool isConstantElement(Elements &elements, const Element *element);

/// Evaluates an integer or float `element` at the points of `grid`, the last
/// coordinate fastest, and hands blocks of values over with the position of
/// their first one. Integers are as their type's bits read as signed; a float
/// that is no integer is handed over as the least one. The element must be a
/// constant one.
void evaluateIntegers(
    Elements &elements, const Element *element, const ElementGrid &grid,
    llvm::function_ref<void(int64_t, llvm::ArrayRef<int64_t>)> take);
void evaluateFloats(
    Elements &elements, const Element *element, const ElementGrid &grid,
    llvm::function_ref<void(int64_t, llvm::ArrayRef<double>)> take);

/// All values at once, of integers and floats alike: for parameters.
std::vector<double> evaluateAll(Elements &elements, const Element *element,
                                const ElementGrid &grid);

} // namespace quantmlir

#endif // QUANT_IMPORT_ELEMENTS_EVALUATE_H
