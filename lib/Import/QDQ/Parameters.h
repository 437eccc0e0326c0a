//===- Parameters.h - scales and zero points that are constants -*- C++ -*-===//

#ifndef QUANT_LIB_IMPORT_QDQ_PARAMETERS_H
#define QUANT_LIB_IMPORT_QDQ_PARAMETERS_H

#include "quant/Import/Elements/Evaluate.h"
#include "quant/Import/QDQ/StoredElement.h"

namespace quantmlir {

/// Along each coordinate, how many elements in a row have the same value: 1 or
/// more; 0 where it does not matter.
llvm::SmallVector<int64_t> getSteps(Elements &elements, const Element *element);

/// The finer one of two such lists.
void refineSteps(llvm::SmallVectorImpl<int64_t> &steps,
                 llvm::ArrayRef<int64_t> other);

/// Scales and zero points at the points of `grid`.
struct ConstantParameters {
  /// As ElementGrid has them, but 0 along coordinates that do not matter.
  llvm::SmallVector<int64_t> steps;
  ElementGrid grid;
  std::vector<float> scales;
  std::vector<int64_t> zeros;
  /// Where parameters are looked up by index and so make groups of elements
  /// that do not follow each other: the coordinate, and its elements in the
  /// order in which they do. `steps` are those of that order.
  int64_t orderedDim = -1;
  llvm::SmallVector<int64_t> order;
  bool hasZeros() const {
    return llvm::any_of(zeros, [](int64_t z) { return z != 0; });
  }
  /// Position in `scales` for each element along the dimensions in turn.
  llvm::SmallVector<int64_t> getStrides() const;
  /// The same parameters in `finer` steps over a root of `shape`.
  ConstantParameters refine(llvm::ArrayRef<int64_t> finer,
                            llvm::ArrayRef<int64_t> shape) const;
};

/// Finds the steps in parameters that were given for each element of the root:
/// by their values, since an index tensor says nothing about them. Groups are
/// along `summed` coordinates; where those are not known (empty), those of a
/// root of one dimension are channels.
void groupEqualParameters(ConstantParameters &parameters,
                          llvm::ArrayRef<int64_t> shape,
                          const llvm::SmallBitVector &summed);

/// Whether all values of a constant `element` are whole numbers of 32 bits, as
/// far as the coordinates that it varies along have known sizes.
bool hasWholeValues(Elements &elements, const Element *element);

/// Evaluates the factors and zeros of `stored`. Empty where one of them is no
/// constant, or no number that a quantization has: scales must be finite, and
/// zero points whole (those behind a scale: up to its rounding).
std::optional<ConstantParameters>
evaluateParameters(Elements &elements, const StoredElement &stored);

} // namespace quantmlir

#endif // QUANT_LIB_IMPORT_QDQ_PARAMETERS_H
