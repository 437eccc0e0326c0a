//===- WgmmaTile.h - four warps' tile, by wgmma -----------------*- C++ -*-===//

#ifndef QUANT_LIB_TARGET_NVVM_WGMMATILE_H
#define QUANT_LIB_TARGET_NVVM_WGMMATILE_H

#include "MmaTile.h"

namespace quantmlir::nvvm {

using namespace device;

/// 64 rows a warpgroup and all columns of the block: one wgmma.mma_async for
/// each 32 of K, which reads both operands from shared memory. Its sums are
/// those of mma.sync m16n8 for each warp's 16 rows (PTX ISA, "Register
/// Fragments and Shared Memory Matrix Layouts").
class WgmmaTile : public MmaTile {
public:
  WgmmaTile(KernelBuilder &k, const qtarget::KernelRow &row,
            const Schedule &schedule, mlir::Value thread);

  /// The result is on its way until `leaveOneStage` of the next call, or
  /// `finish`.
  llvm::SmallVector<mlir::Value> multiply(mlir::Value stage,
                                          mlir::ValueRange sums) override;
  void leaveOneStage() override;
  llvm::SmallVector<mlir::Value> finish(mlir::ValueRange sums) override;

private:
  /// Matrix descriptor of the swizzled tile at `tile`.
  mlir::Value describe(mlir::Value tile);

  mlir::Value warpgroup;
};

} // namespace quantmlir::nvvm

#endif // QUANT_LIB_TARGET_NVVM_WGMMATILE_H
