//===- ScaledEpilogue.h - after the groups of a matmul ----------*- C++ -*-===//

#ifndef QUANT_TARGET_GPU_SCALEDEPILOGUE_H
#define QUANT_TARGET_GPU_SCALEDEPILOGUE_H

#include "quant/Target/GPU/ScaledShape.h"

namespace quantmlir::device {

/// What follows the groups of qtarget.packed_matmul, on numbers or vectors
/// of neighbouring columns.
class ScaledEpilogue {
public:
  ScaledEpilogue(KernelBuilder &k, mlir::gpu::GPUFuncOp func,
                 qtarget::PackedMatmulOp op)
      : k(k), func(func), op(op) {}

  /// Of row `m` (below M), of columns `n`... (below 8 * panels); null where
  /// there is none.
  mlir::Value loadRowScale(mlir::Value m);
  mlir::Value loadRowZeroPoint(mlir::Value m);
  mlir::Value loadBias(mlir::Value n, int64_t count);
  /// Stores t * rowScale + bias at (m, n...): columns past N are left out.
  void store(mlir::Value m, mlir::Value n, mlir::Value t, mlir::Value rowScale,
             mlir::Value bias);

private:
  mlir::Value loadRowValue(unsigned argument, mlir::Value operand,
                           mlir::Value m);

  KernelBuilder &k;
  mlir::gpu::GPUFuncOp func;
  qtarget::PackedMatmulOp op;
};

} // namespace quantmlir::device

#endif // QUANT_TARGET_GPU_SCALEDEPILOGUE_H
