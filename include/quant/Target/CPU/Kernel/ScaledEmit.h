//===- ScaledEmit.h - what grouped kernels have in common -------*- C++ -*-===//

#ifndef QUANT_TARGET_CPU_KERNEL_SCALEDEMIT_H
#define QUANT_TARGET_CPU_KERNEL_SCALEDEMIT_H

#include "quant/Target/CPU/Kernel/ScaledKernel.h"

namespace quantmlir {

/// What the end of a group needs of one panel's columns, a vector each.
struct GroupColumns {
  /// rhs_scale, and rhs_offset or null.
  mlir::Value scale, offset;
  /// col_factors, one for each of row_factors.
  llvm::SmallVector<mlir::Value> factors;
};

GroupColumns loadGroupColumns(mlir::OpBuilder &b, mlir::Location loc,
                              const ScaledKernel &kernel, mlir::Value panel,
                              mlir::Value group);

/// lhs_scale[row, group] in every lane, or null.
mlir::Value broadcastLhsScale(mlir::OpBuilder &b, mlir::Location loc,
                              const ScaledKernel &kernel, mlir::Value row,
                              mlir::Value group);

/// `sum` and the scaled integers of one group: `acc` is what the dot products
/// of row `row` gave, from its row_bias on.
mlir::Value endGroup(mlir::OpBuilder &b, mlir::Location loc,
                     const ScaledKernel &kernel, mlir::Value acc,
                     mlir::Value sum, mlir::Value row, mlir::Value group,
                     const GroupColumns &columns);

/// row_bias[row, group] in every lane, or null.
mlir::Value broadcastRowBias(mlir::OpBuilder &b, mlir::Location loc,
                             const ScaledKernel &kernel, mlir::Value row,
                             mlir::Value group);

/// Four bytes of row `row` of the activations from element `k` on, in every
/// lane.
mlir::Value broadcastActivations(mlir::OpBuilder &b, mlir::Location loc,
                                 const ScaledKernel &kernel, mlir::Value row,
                                 mlir::Value k);

/// acc + the dot products of unsigned and signed bytes, lane by lane.
mlir::Value emitScaledDot(mlir::OpBuilder &b, mlir::Location loc,
                          const ScaledKernel &kernel, mlir::Value acc,
                          mlir::Value weight, mlir::Value activations);

/// Row scale, bias and type of the sum over all groups, to row `row` of the
/// result; columns past N are masked off.
void storeScaledResult(mlir::OpBuilder &b, mlir::Location loc,
                       const ScaledKernel &kernel, mlir::Value sum,
                       mlir::Value row, mlir::Value panel);

/// Emits one step of a group, the `number`th in the loop's body, onto `sums`.
using EmitStep = llvm::function_ref<void(
    mlir::OpBuilder &b, mlir::Value step, int64_t number,
    llvm::SmallVectorImpl<mlir::Value> &sums)>;

/// All steps of a group, in a loop of `unroll` at once where these are not all
/// of them; `unroll` divides their number.
llvm::SmallVector<mlir::Value> sumSteps(mlir::OpBuilder &b, mlir::Location loc,
                                        const ScaledKernel &kernel,
                                        int64_t unroll,
                                        llvm::SmallVector<mlir::Value> sums,
                                        EmitStep emitStep);

} // namespace quantmlir

#endif // QUANT_TARGET_CPU_KERNEL_SCALEDEMIT_H
