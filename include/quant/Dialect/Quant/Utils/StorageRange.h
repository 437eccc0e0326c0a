//===- StorageRange.h - ranges of stored integers ---------------*- C++ -*-===//
//
// What integers a stored type can hold, by its width and by how its bits are
// read. Stored types are signless: the op says whether they are unsigned.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_DIALECT_QUANT_UTILS_STORAGERANGE_H
#define QUANT_DIALECT_QUANT_UTILS_STORAGERANGE_H

#include "mlir/IR/BuiltinTypes.h"

#include <algorithm>
#include <cstdint>

namespace quantmlir {

/// A closed interval of integers, `min <= max`.
struct StorageRange {
  int64_t min;
  int64_t max;

  bool contains(int64_t value) const { return min <= value && value <= max; }
  bool contains(StorageRange other) const {
    return min <= other.min && other.max <= max;
  }
  /// Largest |q - z| for any q of this range and any z of `zeroPoints`.
  int64_t getMaxDistance(StorageRange zeroPoints) const {
    return std::max(max - zeroPoints.min, zeroPoints.max - min);
  }
};

/// All values of an integer type of up to 32 bits.
inline StorageRange getStorageRange(mlir::Type type, bool isUnsigned) {
  unsigned bits = type.getIntOrFloatBitWidth();
  if (isUnsigned)
    return {0, (int64_t(1) << bits) - 1};
  return {-(int64_t(1) << (bits - 1)), (int64_t(1) << (bits - 1)) - 1};
}

} // namespace quantmlir

#endif // QUANT_DIALECT_QUANT_UTILS_STORAGERANGE_H
