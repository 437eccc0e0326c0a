//===- EmitLoops.h - blocks and tiles of a packed matmul --------*- C++ -*-===//

#ifndef QUANT_LIB_TARGET_X86_EMITLOOPS_H
#define QUANT_LIB_TARGET_X86_EMITLOOPS_H

#include "EmitMicrokernel.h"

namespace quantmlir {

/// Emits the loops of `schedule` around the microkernel and its epilogue.
void emitBlockedLoops(mlir::OpBuilder &b, mlir::Location loc,
                      const PackedKernel &kernel,
                      qtarget::ScheduleAttr schedule);

} // namespace quantmlir

#endif // QUANT_LIB_TARGET_X86_EMITLOOPS_H
