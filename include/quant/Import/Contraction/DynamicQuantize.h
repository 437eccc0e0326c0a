//===- DynamicQuantize.h - parameters from the data -------------*- C++ -*-===//

#ifndef QUANT_IMPORT_CONTRACTION_DYNAMICQUANTIZE_H
#define QUANT_IMPORT_CONTRACTION_DYNAMICQUANTIZE_H

#include "quant/Import/Contraction/RescaledMatmul.h"

namespace quantmlir {

/// Stored type and range of one side of the matmul.
struct StoredRange {
  unsigned bits;
  bool isUnsigned;

  int64_t min() const { return isUnsigned ? 0 : -(int64_t(1) << (bits - 1)); }
  int64_t max() const {
    return (int64_t(1) << (bits - (isUnsigned ? 0 : 1))) - 1;
  }
  int64_t getMaxMagnitude() const { return isUnsigned ? max() : -min(); }
};

/// Chooses parameters for the indices of `axes` and quantizes with them; with
/// zero points where the integers are unsigned.
QuantizedMatrix quantizeMatrix(mlir::OpBuilder &builder, mlir::Location loc,
                               mlir::Value matrix, llvm::ArrayRef<int64_t> axes,
                               StoredRange stored);

/// Whether both operands are activations with batch dimensions, as in
/// attention.
bool isActivationProduct(const Contraction &contraction);

/// Replaces such a product: both operands are quantized from the data,
/// symmetric, the left one with a scale for each row, the right one with a
/// scale for each batch. Fails, with the reason, where sums may not fit in i32.
mlir::LogicalResult quantizeActivationProduct(const Contraction &contraction,
                                              unsigned bits,
                                              std::string &reason);

} // namespace quantmlir

#endif // QUANT_IMPORT_CONTRACTION_DYNAMICQUANTIZE_H
