//===- EmitLoops.h - blocks and tiles of a packed matmul --------*- C++ -*-===//

#ifndef QUANT_TARGET_CPU_KERNEL_EMITLOOPS_H
#define QUANT_TARGET_CPU_KERNEL_EMITLOOPS_H

#include "quant/Target/CPU/Kernel/EmitMicrokernel.h"

namespace quantmlir {

/// Emits the loops of `schedule` around the microkernel and its epilogue.
void emitBlockedLoops(mlir::OpBuilder &b, mlir::Location loc,
                      const PackedKernel &kernel,
                      qtarget::ScheduleAttr schedule);

} // namespace quantmlir

#endif // QUANT_TARGET_CPU_KERNEL_EMITLOOPS_H
