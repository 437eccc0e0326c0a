//===- Repeats.h - what follows itself in a sequence ------------*- C++ -*-===//

#ifndef QUANT_LIB_CONVERSION_FUNCTOFUNC_REPEATS_H
#define QUANT_LIB_CONVERSION_FUNCTOFUNC_REPEATS_H

#include "mlir/Support/LLVM.h"

#include "llvm/ADT/ArrayRef.h"

namespace quantmlir {

/// `count` windows of `size` elements each, one after the other from `start`,
/// that hold the same.
struct Repeat {
  unsigned start = 0;
  unsigned size = 0;
  unsigned count = 0;

  /// How many elements are there once too often.
  unsigned getSaved() const { return count ? (count - 1) * size : 0; }
};

/// The repeat of windows of at least `minSize` elements that saves most of
/// `classes`. Where windows may begin at several elements, they begin at that
/// of the least `cost` (one for each element), although one of them may be
/// lost so: layers are cut where one value crosses. Elements of a negative
/// class are equal to none. Empty without a repeat of `minCount`.
Repeat findRepeat(mlir::ArrayRef<int> classes, mlir::ArrayRef<unsigned> cost,
                  unsigned minSize, unsigned minCount);

} // namespace quantmlir

#endif // QUANT_LIB_CONVERSION_FUNCTOFUNC_REPEATS_H
