//===- BufferEffects.h - what an op does to its buffers ---------*- C++ -*-===//

#ifndef QUANT_DIALECT_QUANT_UTILS_BUFFEREFFECTS_H
#define QUANT_DIALECT_QUANT_UTILS_BUFFEREFFECTS_H

#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace quantmlir {

/// An op reads the memrefs that it is given and writes those that are outputs:
/// what those held does not count.
inline void
addBufferEffects(mlir::DestinationStyleOpInterface op,
                 llvm::SmallVectorImpl<mlir::SideEffects::EffectInstance<
                     mlir::MemoryEffects::Effect>> &effects) {
  for (mlir::OpOperand &operand : op->getOpOperands()) {
    if (!llvm::isa<mlir::MemRefType>(operand.get().getType()))
      continue;
    if (op.isDpsInit(&operand))
      effects.emplace_back(mlir::MemoryEffects::Write::get(), &operand);
    else
      effects.emplace_back(mlir::MemoryEffects::Read::get(), &operand);
  }
}

} // namespace quantmlir

#endif // QUANT_DIALECT_QUANT_UTILS_BUFFEREFFECTS_H
