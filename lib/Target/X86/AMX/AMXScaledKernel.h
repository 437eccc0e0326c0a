//===- AMXScaledKernel.h - grouped matmuls on tile registers ----*- C++ -*-===//

#ifndef QUANT_LIB_TARGET_X86_AMX_AMXSCALEDKERNEL_H
#define QUANT_LIB_TARGET_X86_AMX_AMXSCALEDKERNEL_H

#include "mlir/IR/Builders.h"
#include "quant/Target/IR/PackedMatmul.h"

namespace quantmlir {

/// Emits the whole of the bufferized `op` for tile registers at the insertion
/// point, on a machine with `l2` bytes of L2. It has at
/// least getLeastScaledRows rows.
void emitAMXScaledMatmul(mlir::OpBuilder &b, qtarget::PackedMatmulOp op,
                         int64_t l2);

} // namespace quantmlir

#endif // QUANT_LIB_TARGET_X86_AMX_AMXSCALEDKERNEL_H
