//===- LoopSizes.h - sizes by the loop that runs over them ------*- C++ -*-===//

#ifndef QUANT_LIB_DIALECT_QUANT_TRANSFORMS_LOOPSIZES_H
#define QUANT_LIB_DIALECT_QUANT_TRANSFORMS_LOOPSIZES_H

#include "RuntimeSize.h"

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Operation.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"

#include <string>

namespace quantmlir {

/// A size and what it is to the reader.
struct NamedSize {
  RuntimeSize size;
  std::string name;
};

/// Sizes by the loop that runs over them.
class LoopSizes {
public:
  /// Dimension `dim` of `value` (if there is one) is walked by `loop`.
  void add(int64_t loop, mlir::Value value, int64_t dim,
           const llvm::Twine &name) {
    if (value)
      sizes[loop].push_back(
          {RuntimeSize::of(value, dim),
           ("dimension " + llvm::Twine(dim) + " of " + name).str()});
  }
  /// The dimensions of `value` (if there is one) are walked by `loops`; one of
  /// rank 0 by none.
  void add(llvm::ArrayRef<int64_t> loops, mlir::Value value,
           const llvm::Twine &name) {
    if (!value ||
        llvm::cast<mlir::RankedTensorType>(value.getType()).getRank() !=
            static_cast<int64_t>(loops.size()))
      return;
    for (auto [dim, loop] : llvm::enumerate(loops))
      add(loop, value, dim, name);
  }
  /// The same for a result, whose dynamic sizes are those of the operands.
  void addResult(llvm::ArrayRef<int64_t> loops, mlir::Value value) {
    auto type = llvm::cast<mlir::RankedTensorType>(value.getType());
    for (auto [dim, loop] : llvm::enumerate(loops))
      if (!type.isDynamicDim(dim))
        add(loop, value, dim, "the result");
  }
  void add(int64_t loop, RuntimeSize size, const llvm::Twine &name) {
    sizes[loop].push_back({std::move(size), name.str()});
  }

  llvm::MapVector<int64_t, llvm::SmallVector<NamedSize>> sizes;
};

/// Adds the sizes that `op`'s definition says are one, and none of an op that
/// it does not know.
void addSizes(mlir::Operation *op, LoopSizes &loops);

} // namespace quantmlir

#endif // QUANT_LIB_DIALECT_QUANT_TRANSFORMS_LOOPSIZES_H
