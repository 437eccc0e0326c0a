//===- HostCalls.h - operands to the GPU and back ---------------*- C++ -*-===//
//
// Calls of the project's runtime library (quant/Runtime/Cuda/CudaRuntime.h). An
// address on the GPU is an i64.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_TARGET_GPU_HOSTCALLS_H
#define QUANT_TARGET_GPU_HOSTCALLS_H

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"

namespace quantmlir::device {

class DeviceBuffers;

class HostCalls {
public:
  /// Buffers of `resident`, which may be null, are on the GPU already.
  HostCalls(mlir::OpBuilder &b, mlir::Location loc, mlir::ModuleOp module,
            const DeviceBuffers *resident)
      : b(b), loc(loc), module(module), resident(resident) {}

  /// The address of a copy of memref `value` on the GPU; 0 where it is null.
  /// A constant of the program is copied once in its life.
  mlir::Value toDevice(mlir::Value value);
  /// The address of memory on the GPU for a result like memref `value`.
  mlir::Value allocateLike(mlir::Value value);
  /// Copies a result back, into a memref that may have any strides.
  void fromDevice(mlir::Value address, mlir::Value value);
  /// The address of memory on the GPU in place of `alloc`'s, and its end.
  mlir::Value allocate(mlir::memref::AllocOp alloc);
  void free(mlir::Value address);
  /// The address of `bytes` bytes of zeros, which kernels leave as zeros: the
  /// same for all launches.
  mlir::Value workspace(int64_t bytes);
  /// Gives back what `toDevice` and `allocateLike` took, constants aside.
  void release();

private:
  mlir::Value call(llvm::StringRef name, mlir::ValueRange arguments,
                   bool hasResult);
  mlir::Value i64(int64_t value);
  mlir::Value getResident(mlir::Value memref) const;
  mlir::Value sizeInBytes(mlir::Value memref);
  mlir::Value sizeInBytes(mlir::MemRefType type, mlir::ValueRange dynamicSizes);
  mlir::Value hostAddress(mlir::Value memref);
  /// `value`, or a copy of it in which elements follow each other.
  mlir::Value contiguous(mlir::Value value);

  mlir::OpBuilder &b;
  mlir::Location loc;
  mlir::ModuleOp module;
  const DeviceBuffers *resident;
  llvm::SmallVector<mlir::Value> taken, apart;
};

} // namespace quantmlir::device

#endif // QUANT_TARGET_GPU_HOSTCALLS_H
