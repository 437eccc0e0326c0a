//===- BatchDims.h - matmuls without batch dimensions -----------*- C++ -*-===//

#ifndef QUANT_LIB_PACKING_BATCHDIMS_H
#define QUANT_LIB_PACKING_BATCHDIMS_H

#include "mlir/IR/Builders.h"

namespace quantmlir {

/// Rewrites every `quant.matmul` with batch dimensions below `root`, together
/// with the rescale that alone uses it: over a shared right operand
/// the batch is merged into the rows ([B.., M, K] to [B*M, K]); otherwise a
/// loop over the batch holds a matmul of rank 2.
void removeBatchDims(mlir::Operation *root);

/// Merges all dimensions but the last `keep`, as in [B.., M, K] to [B*M, K].
/// Null and what has no more than one stay as they are.
mlir::Value mergeLeading(mlir::OpBuilder &b, mlir::Location loc,
                         mlir::Value value, int64_t keep);

} // namespace quantmlir

#endif // QUANT_LIB_PACKING_BATCHDIMS_H
