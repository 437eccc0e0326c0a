//===- BatchDims.h - matmuls without batch dimensions -----------*- C++ -*-===//

#ifndef QUANT_LIB_PACKING_BATCHDIMS_H
#define QUANT_LIB_PACKING_BATCHDIMS_H

namespace mlir {
class Operation;
} // namespace mlir

namespace quantmlir {

/// Rewrites every `quant.matmul` with batch dimensions below `root`, together
/// with the rescale that alone uses it: over a shared right operand
/// the batch is merged into the rows ([B.., M, K] to [B*M, K]); otherwise a
/// loop over the batch holds a matmul of rank 2.
void removeBatchDims(mlir::Operation *root);

} // namespace quantmlir

#endif // QUANT_LIB_PACKING_BATCHDIMS_H
