//===- StoredTensors.h - what the emitters of integers share ----*- C++ -*-===//

#ifndef QUANT_LIB_IMPORT_QDQ_STOREDTENSORS_H
#define QUANT_LIB_IMPORT_QDQ_STOREDTENSORS_H

#include "Parameters.h"

#include "quant/Dialect/Quant/Utils/StorageRange.h"
#include "quant/Import/QDQ/EmitStored.h"

namespace quantmlir {

/// How integers are stored: `bits` wide, each plus `shift`.
struct Storage {
  unsigned bits = 8;
  bool isUnsigned = false;
  int64_t shift = 0;

  StorageRange getRange() const {
    int64_t span = int64_t(1) << bits;
    return isUnsigned ? StorageRange{0, span - 1}
                      : StorageRange{-span / 2, span / 2 - 1};
  }
  bool holds(int64_t min, int64_t max) const {
    return getRange().contains(StorageRange{min + shift, max + shift});
  }
};

/// Whether the program stores integers of `type` as they are.
inline bool isStoredType(mlir::Type type) {
  return type.isInteger() && type.getIntOrFloatBitWidth() <= 8;
}

/// Bits of the program's own storage; computed integers are stored in 8.
unsigned getStoredBits(const StoredElement &stored);

/// Says which zero points integers of `storage` have.
void refuseZero(const ElementSite &site, const Storage &storage,
                const std::string &found);

/// Integers that the program computes: as it stores them, or by the op that
/// quantizes.
mlir::Value emitGivenInts(const ElementSite &site, const StoredElement &stored,
                          llvm::ArrayRef<int64_t> dims);

/// The tensors of a stored element whose parameters are constants.
std::optional<StoredTensor> emitConstantStored(const ElementSite &site,
                                               const StoredElement &stored,
                                               ConstantParameters parameters);

/// One scale, or none, and at most one zero point that the program computes.
std::optional<ElementParameters>
emitRunTimeParameters(const ElementSite &site, const Element *scale,
                      llvm::ArrayRef<ElementZero> zeros);

} // namespace quantmlir

#endif // QUANT_LIB_IMPORT_QDQ_STOREDTENSORS_H
