//===- UnsignedActivations.h - quantize straight to u8 ----------*- C++ -*-===//
//
// Instructions that read their left operand as unsigned are served best by
// activations that are quantized to u8 in the first place:
//
//   clamp(r + z, lo, hi) + 128 = clamp(r + z + 128, lo + 128, hi + 128)
//
// so that no pass over the data changes their sign.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_LIB_PACKING_UNSIGNEDACTIVATIONS_H
#define QUANT_LIB_PACKING_UNSIGNEDACTIVATIONS_H

#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace quantmlir {

/// Makes the result of each signed 8-bit `quant.quantize` and `quant.rescale`
/// under `root` unsigned that reaches nothing but left operands of matmuls,
/// which take 128 more as their zero point and want it so.
void makeActivationsUnsigned(mlir::Operation *root,
                             llvm::function_ref<bool(MatmulOp)> wantsUnsigned);

} // namespace quantmlir

#endif // QUANT_LIB_PACKING_UNSIGNEDACTIVATIONS_H
