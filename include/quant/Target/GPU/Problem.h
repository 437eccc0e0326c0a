//===- Problem.h - what a matmul's kernel is made for -----------*- C++ -*-===//

#ifndef QUANT_TARGET_GPU_PROBLEM_H
#define QUANT_TARGET_GPU_PROBLEM_H

#include "quant/Target/GPU/KernelBuilder.h"

#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Target/IR/KernelRow.h"
#include "quant/Target/IR/PackedMatmul.h"

namespace quantmlir::device {

/// Arguments of every kernel, in this order: `m` is i32, the others are
/// addresses on the GPU as i64, 0 where the kernel does not use them.
enum Argument : unsigned {
  kM,
  kLhs,
  kRhs,
  kResult,
  kColBias,
  kRowFactors,
  kColFactors,
  kRowScale,
  kChannelScale,
  kBias,
  kResidual,
  kMultiplier,
  kShift,
  /// Where blocks that share out K add up: zeros before and after.
  kWorkspace,
  kNumArguments
};

/// The problem that a kernel is compiled for. Sizes that the host knows only
/// at run time (M) are arguments.
struct Problem {
  Problem(qtarget::PackedMatmulOp op);

  mutable qtarget::PackedMatmulOp op;
  const qtarget::KernelRow &row;
  /// Columns of the result, panels of 8 columns, blocks of KR along K.
  int64_t n, panels, kBlocks;

  /// Bytes of one row of the packed left operand, of one 8 x KR block.
  int64_t rowBytes() const { return kBlocks * blockBytes; }
  static constexpr int64_t blockBytes = 64;
  static constexpr int64_t panelColumns = 8;
};

} // namespace quantmlir::device

#endif // QUANT_TARGET_GPU_PROBLEM_H
