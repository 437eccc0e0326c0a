//===- StoredGrid.h - what a quantized type says of its integers *- C++ -*-===//

#ifndef QUANT_LIB_IMPORT_QUANTCASTS_STOREDGRID_H
#define QUANT_LIB_IMPORT_QUANTCASTS_STOREDGRID_H

#include "mlir/Dialect/Quant/IR/QuantTypes.h"

#include <string>

namespace quantmlir {

/// The part of a `!quant.uniform` type that is the same for every granularity,
/// with room for the scales and zero points of one.
struct StoredGrid {
  mlir::IntegerType storage;
  bool isUnsigned = false;
  int64_t min = 0, max = 0;
  llvm::SmallVector<float> scales;
  llvm::SmallVector<int32_t> zeroPoints;
};

/// Reads storage and range; fails, with the reason, where the floats are not of
/// f32, f16 or bf16.
mlir::LogicalResult readStorage(mlir::quant::QuantizedType type,
                                StoredGrid &grid, std::string &reason);

/// The scales of blocks in f32, and their zero points.
void readBlockParameters(mlir::quant::UniformQuantizedSubChannelType type,
                         llvm::SmallVectorImpl<float> &scales,
                         llvm::SmallVectorImpl<int32_t> &zeroPoints);

} // namespace quantmlir

#endif // QUANT_LIB_IMPORT_QUANTCASTS_STOREDGRID_H
