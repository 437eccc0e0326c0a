//===- Chips.h - what an integer matmul has to know of a chip ---*- C++ -*-===//

#ifndef QUANT_TARGET_NVVM_CHIPS_H
#define QUANT_TARGET_NVVM_CHIPS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <cstdint>

namespace quantmlir::nvvm {

struct Chip {
  llvm::StringLiteral name;
  /// Comma-separated names that rows of the intrinsic table ask for.
  llvm::StringLiteral features;
  /// LLVM's feature for the oldest PTX that has all that kernels use.
  llvm::StringLiteral ptx;
  /// Shared memory that one block may have, in KiB.
  int64_t sharedKiB;
  int64_t l2KiB;
  int64_t multiprocessors;
  /// Shared memory of a multiprocessor, for all of its blocks, in KiB.
  int64_t multiprocessorSharedKiB;
  /// What the system takes of it for each block, in KiB.
  int64_t reservedSharedKiB;
};

llvm::ArrayRef<Chip> getChips();

/// The chip of this name, or null.
const Chip *findChip(llvm::StringRef name);

} // namespace quantmlir::nvvm

#endif // QUANT_TARGET_NVVM_CHIPS_H
