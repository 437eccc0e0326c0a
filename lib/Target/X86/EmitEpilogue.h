//===- EmitEpilogue.h - corrections and rescale in registers ----*- C++ -*-===//

#ifndef QUANT_LIB_TARGET_X86_EMITEPILOGUE_H
#define QUANT_LIB_TARGET_X86_EMITEPILOGUE_H

#include "EmitMicrokernel.h"

namespace quantmlir {

/// Emits, for the accumulators of a tile, the rank-R correction, the rescale of
/// quant.rescale in its order of operations, and the stores: columns past N
/// are masked off.
void emitEpilogue(mlir::OpBuilder &b, mlir::Location loc,
                  const PackedKernel &kernel, TilePosition at,
                  mlir::ValueRange accumulators);

} // namespace quantmlir

#endif // QUANT_LIB_TARGET_X86_EMITEPILOGUE_H
