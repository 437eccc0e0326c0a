//===- Kernels.h - the kernels of a module ----------------------*- C++ -*-===//

#ifndef QUANT_LIB_TARGET_NVVM_KERNELS_H
#define QUANT_LIB_TARGET_NVVM_KERNELS_H

#include "quant/Target/GPU/KernelBuilder.h"
#include "quant/Target/GPU/Schedule.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "quant/Dialect/Quant/IR/QuantizeRows.h"
#include "quant/Target/IR/PackedMatmul.h"
#include "llvm/ADT/StringMap.h"

namespace quantmlir::nvvm {

using namespace device;

/// A kernel and how it is launched.
struct Launch {
  mlir::gpu::GPUFuncOp kernel;
  /// Rows and columns of the result that a block computes.
  int64_t blockM, blockN;
  int64_t threads, sharedBytes;
  int64_t blocksPerMultiprocessor;
  /// Blocks that share out K; bytes of the workspace for each tile.
  int64_t splits = 1, workspaceBytes = 0;
};

/// The kernels of a module, made on demand; equal ones are made once.
class Kernels {
public:
  explicit Kernels(mlir::ModuleOp module) : module(module) {}

  mlir::ModuleOp getProgram() const { return module; }
  Launch getGemm(const Problem &problem, const Schedule &schedule);
  Launch getGemv(const Problem &problem);
  Launch getScaledGemv(qtarget::PackedMatmulOp op);
  Launch getScaledMma(qtarget::PackedMatmulOp op, const qtarget::KernelRow &row,
                      const Schedule &schedule);
  Launch getQuantizeRows(QuantizeRowsOp op);

private:
  /// Notes on the kernel how it is launched, for programs that launch it
  /// themselves: rows and columns of a block, threads, bytes of shared memory,
  /// blocks that a multiprocessor holds (said to ptxas, too), blocks that share
  /// out K, bytes of the workspace for each tile.
  static Launch describe(Launch launch);
  static Launch describe(mlir::gpu::GPUFuncOp kernel, const Schedule &schedule);
  using EmitBody = llvm::function_ref<void(
      KernelBuilder &, mlir::gpu::GPUFuncOp, mlir::Value shared)>;
  /// The kernel `name` of `schedule` for `op`, with M and `numAddresses`
  /// addresses as arguments.
  mlir::gpu::GPUFuncOp get(llvm::StringRef name, mlir::Operation *op,
                           unsigned numAddresses, int64_t threads,
                           llvm::StringRef schedule, EmitBody body);
  mlir::gpu::GPUModuleOp getModule();

  mlir::ModuleOp module;
  mlir::gpu::GPUModuleOp kernels;
  llvm::StringMap<mlir::gpu::GPUFuncOp> made;
};

} // namespace quantmlir::nvvm

#endif // QUANT_LIB_TARGET_NVVM_KERNELS_H
