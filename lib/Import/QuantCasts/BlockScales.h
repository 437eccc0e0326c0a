//===- BlockScales.h - scales of blocks ------------------------*- C++ -*-===//

#ifndef QUANT_LIB_IMPORT_QUANTCASTS_BLOCKSCALES_H
#define QUANT_LIB_IMPORT_QUANTCASTS_BLOCKSCALES_H

#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "mlir/Dialect/Utils/ReshapeOpsUtils.h"
#include "mlir/IR/BuiltinTypes.h"

#include <string>

namespace quantmlir {

/// A sub-channel type, with scales along whole dimensions: of the tensor as it
/// is, or with one dimension split into blocks and what is in them.
struct BlockScales {
  llvm::SmallVector<int64_t> axes;
  llvm::SmallVector<float> scales;
  llvm::SmallVector<int32_t> zeroPoints;
  /// The tensor's shape with the split dimension, and what belongs together in
  /// it; empty where no dimension is split.
  llvm::SmallVector<int64_t> splitShape;
  llvm::SmallVector<mlir::ReassociationIndices> groups;
};

/// Reads the type of a tensor. Only the last dimension with blocks is split:
/// the scales of others are repeated. Fails, with the reason, on dynamic sizes.
mlir::FailureOr<BlockScales>
readBlockScales(mlir::RankedTensorType tensor,
                mlir::quant::UniformQuantizedSubChannelType type,
                std::string &reason);

} // namespace quantmlir

#endif // QUANT_LIB_IMPORT_QUANTCASTS_BLOCKSCALES_H
