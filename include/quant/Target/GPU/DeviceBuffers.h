//===- DeviceBuffers.h - buffers that only kernels touch --------*- C++ -*-===//

#ifndef QUANT_TARGET_GPU_DEVICEBUFFERS_H
#define QUANT_TARGET_GPU_DEVICEBUFFERS_H

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/PatternMatch.h"
#include "llvm/ADT/MapVector.h"

namespace quantmlir::device {

/// Whether `op` becomes a kernel.
bool becomesKernel(mlir::Operation *op);

/// Allocations that nothing but kernels reads or writes live on the GPU alone:
/// no copy of them travels between two kernels.
class DeviceBuffers {
public:
  /// Finds them in `module`, allocates them on the GPU where the program
  /// allocates them, and frees them where it frees them.
  DeviceBuffers(mlir::RewriterBase &b, mlir::ModuleOp module);

  /// The address of `memref` on the GPU, null where it is not one of them.
  mlir::Value lookup(mlir::Value memref) const {
    return addresses.lookup(memref);
  }
  /// Erases the allocations, whose users have become kernels.
  void eraseAllocations(mlir::RewriterBase &b);

private:
  llvm::MapVector<mlir::Value, mlir::Value> addresses;
};

} // namespace quantmlir::device

#endif // QUANT_TARGET_GPU_DEVICEBUFFERS_H
