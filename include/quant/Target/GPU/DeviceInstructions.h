//===- DeviceInstructions.h - what each GPU calls its own -------*- C++ -*-===//

#ifndef QUANT_TARGET_GPU_DEVICEINSTRUCTIONS_H
#define QUANT_TARGET_GPU_DEVICEINSTRUCTIONS_H

#include "mlir/IR/Builders.h"

namespace quantmlir::device {

/// Instructions that kernels use and MLIR's dialects for all GPUs do not have
/// (or have with more than is needed). A target implements them.
class DeviceInstructions {
public:
  virtual ~DeviceInstructions() = default;

  /// acc + the dot product of the four signed bytes of two i32.
  virtual mlir::Value dot4(mlir::OpBuilder &b, mlir::Location loc,
                           mlir::Value x, mlir::Value y,
                           mlir::Value acc) const = 0;
  /// `value` (32 bits) of lane `lane` (i32), in all lanes of a warp.
  virtual mlir::Value broadcastLane(mlir::OpBuilder &b, mlir::Location loc,
                                    mlir::Value value,
                                    mlir::Value lane) const = 0;
  /// `value` (32 bits) of lane `own lane ^ mask` (i32).
  virtual mlir::Value exchangeLanes(mlir::OpBuilder &b, mlir::Location loc,
                                    mlir::Value value,
                                    mlir::Value mask) const = 0;

  /// Begins to copy `bytes` from global `source` to shared `target`: those past
  /// the first `size` (i32) are zeros, whatever the source holds.
  virtual void copyAsync(mlir::OpBuilder &b, mlir::Location loc,
                         mlir::Value target, mlir::Value source, int64_t bytes,
                         mlir::Value size) const = 0;
  /// What this thread has begun to copy since the last call is a group.
  virtual void commitCopies(mlir::OpBuilder &b, mlir::Location loc) const = 0;
  /// Until no more than `pending` groups of this thread are on their way.
  virtual void awaitCopies(mlir::OpBuilder &b, mlir::Location loc,
                           int64_t pending) const = 0;
  /// Multiplications of whole warpgroups, which read shared memory on their
  /// own, see what this thread's copies wrote.
  virtual void publishCopies(mlir::OpBuilder &b, mlir::Location loc) const = 0;
};

} // namespace quantmlir::device

#endif // QUANT_TARGET_GPU_DEVICEINSTRUCTIONS_H
