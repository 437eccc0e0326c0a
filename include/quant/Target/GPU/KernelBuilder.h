//===- KernelBuilder.h - shorthand for emitting kernels ---------*- C++ -*-===//
//
// Kernels compute in i32 and address memory with LLVM pointers: widths,
// alignments and address spaces of loads are what the schedules are about, so
// they are said and not derived.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_TARGET_GPU_KERNELBUILDER_H
#define QUANT_TARGET_GPU_KERNELBUILDER_H

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"

#include "quant/Target/GPU/DeviceInstructions.h"

namespace quantmlir::device {

inline mlir::MemRefType memrefType(mlir::Value value) {
  return mlir::cast<mlir::MemRefType>(value.getType());
}

/// Address spaces of PTX as LLVM numbers them.
enum class Space { Global = 1, Shared = 3 };

class KernelBuilder {
public:
  KernelBuilder(mlir::OpBuilder &b, mlir::Location loc,
                const DeviceInstructions &instructions)
      : b(b), loc(loc), instructions(instructions) {}

  mlir::OpBuilder &b;
  mlir::Location loc;
  const DeviceInstructions &instructions;

  mlir::Value constant(int64_t value);
  mlir::Value add(mlir::Value x, mlir::Value y);
  mlir::Value add(mlir::Value x, int64_t y) { return add(x, constant(y)); }
  mlir::Value mul(mlir::Value x, mlir::Value y);
  mlir::Value mul(mlir::Value x, int64_t y) { return mul(x, constant(y)); }
  /// Unsigned division and remainder.
  mlir::Value div(mlir::Value x, int64_t y);
  mlir::Value rem(mlir::Value x, int64_t y);
  mlir::Value sub(mlir::Value x, mlir::Value y);
  mlir::Value div(mlir::Value x, mlir::Value y);
  mlir::Value rem(mlir::Value x, mlir::Value y);
  mlir::Value min(mlir::Value x, mlir::Value y);
  mlir::Value max(mlir::Value x, mlir::Value y);
  mlir::Value equal(mlir::Value x, mlir::Value y);
  /// x < y, signed.
  mlir::Value less(mlir::Value x, mlir::Value y);
  mlir::Value select(mlir::Value cond, mlir::Value x, mlir::Value y);
  mlir::Value both(mlir::Value x, mlir::Value y);
  /// Bits of one of the two.
  mlir::Value differ(mlir::Value x, mlir::Value y);
  mlir::Value shiftLeft(mlir::Value x, int64_t count);
  /// Arithmetic, and filling with zeros.
  mlir::Value shiftRight(mlir::Value x, int64_t count);
  mlir::Value shiftRightUnsigned(mlir::Value x, int64_t count);

  mlir::Type i32() { return b.getI32Type(); }
  mlir::VectorType vec(int64_t n, mlir::Type element);

  /// `base` (a kernel's i64 argument) as a pointer to global memory.
  mlir::Value globalPointer(mlir::Value base);
  /// `pointer` moved by `count` (i32, not negative) times `bytes`, in 64 bits.
  mlir::Value offset(mlir::Value pointer, mlir::Value count, int64_t bytes);
  mlir::Value load(mlir::Value pointer, mlir::Type type, unsigned alignment);
  void store(mlir::Value pointer, mlir::Value value, unsigned alignment);
  /// `pointer`'s i32 as other blocks last wrote it, past this one's L1.
  mlir::Value loadShared(mlir::Value pointer);
  /// Adds to the i32 at `pointer`, for all blocks; what it was.
  mlir::Value atomicAdd(mlir::Value pointer, mlir::Value value);
  /// What this thread has written comes before what it writes next, for all
  /// blocks; and so with what it reads.
  void fence();
  /// Element `i` of a vector.
  mlir::Value extract(mlir::Value vector, int64_t i);

  /// Index of the thread in its block, of the block in the grid (0: x, 1: y, 2:
  /// z).
  mlir::Value threadId();
  mlir::Value blockId(int dim);
  void barrier();
  /// acc + the dot product of four signed bytes.
  mlir::Value dot4(mlir::Value a, mlir::Value b, mlir::Value acc);
  /// `value` of lane 0, in all lanes.
  mlir::Value shuffleFirst(mlir::Value value);
  /// `value` of lane `lane ^ mask`.
  mlir::Value shuffleXor(mlir::Value value, int64_t mask);

  /// for (i = lo; i < hi; i += step) with values carried around.
  mlir::SmallVector<mlir::Value>
  loop(mlir::Value lo, mlir::Value hi, int64_t step, mlir::ValueRange init,
       llvm::function_ref<mlir::SmallVector<mlir::Value>(mlir::Value,
                                                         mlir::ValueRange)>
           body);
  void ifThen(mlir::Value cond, llvm::function_ref<void()> body);
};

} // namespace quantmlir::device

#endif // QUANT_TARGET_GPU_KERNELBUILDER_H
