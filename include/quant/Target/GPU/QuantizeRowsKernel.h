//===- QuantizeRowsKernel.h - activations to integers -----------*- C++ -*-===//

#ifndef QUANT_TARGET_GPU_QUANTIZEROWSKERNEL_H
#define QUANT_TARGET_GPU_QUANTIZEROWSKERNEL_H

#include "quant/Target/GPU/KernelBuilder.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "quant/Dialect/Quant/IR/QuantizeRows.h"

namespace quantmlir::device {

/// Arguments of the kernel of quant.quantize_rows, after M.
enum QuantizeArgument : unsigned {
  kInput = 1,
  kPacked,
  kScale,
  kNumQuantizeArguments
};

/// How a block of quant.quantize_rows shares out its row.
struct QuantizeRowsShape {
  explicit QuantizeRowsShape(QuantizeRowsOp op);

  /// Columns of the row, and with its padding.
  int64_t k, paddedK;
  /// Neighbouring elements that a thread loads at once, threads of a block, how
  /// often they load.
  int64_t vector, threads, parts;
  /// Whether the row stays in registers between its two uses.
  bool inRegisters() const { return parts * vector <= 64; }
};

/// Threads of all blocks of it that a multiprocessor holds: each may have 128
/// registers, half of them for its part of the row.
inline constexpr int64_t kQuantizeThreadsPerMultiprocessor = 512;

/// A kernel body: a block scales, quantizes and packs one row.
void emitQuantizeRowsKernel(KernelBuilder &k, mlir::gpu::GPUFuncOp func,
                            QuantizeRowsOp op, mlir::Value sharedMemory);

} // namespace quantmlir::device

#endif // QUANT_TARGET_GPU_QUANTIZEROWSKERNEL_H
