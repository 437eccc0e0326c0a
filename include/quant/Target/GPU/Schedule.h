//===- Schedule.h - how a tiled kernel is cut -------------------*- C++ -*-===//

#ifndef QUANT_TARGET_GPU_SCHEDULE_H
#define QUANT_TARGET_GPU_SCHEDULE_H

#include "quant/Target/GPU/Problem.h"

namespace quantmlir::device {

/// How a tiled kernel is cut. Sizes in rows and columns of the result.
struct Schedule {
  int64_t blockM, blockN;
  int64_t warpsM, warpsN;
  /// Tiles of both operands that are in shared memory at once.
  int64_t stages;
  bool asyncCopies;
  /// How many such blocks a multiprocessor runs at once: what hides latencies.
  /// A claim that the kernel keeps by using no more than its share of the
  /// registers (the PTX says .minnctapersm, test/Target/NVVM/ptxas.py asks
  /// ptxas), lower where shared memory does not suffice.
  int64_t blocksPerMultiprocessor;
  /// Four warps together multiply by wgmma, which is on its way while the next
  /// stage is waited for.
  bool warpgroups = false;
  /// Blocks along K in a stage, which has one barrier: one but for wgmma.
  int64_t blocksTogether = 1;
  /// Blocks that share out K, each adding its sums to the workspace.
  int64_t splits = 1;
  /// Bytes of a column of the right operand in a stage.
  int64_t columnBytes = Problem::blockBytes;

  /// Stages that are filled or on their way while one is multiplied; wgmma may
  /// still read the one before it.
  int64_t stagesAhead() const { return stages - (warpgroups ? 2 : 1); }
  int64_t threads() const { return warpsM * warpsN * 32; }
  int64_t warpM() const { return blockM / warpsM; }
  int64_t warpN() const { return blockN / warpsN; }
  int64_t lhsStageBytes() const { return blockM * Problem::blockBytes; }
  int64_t blockStageBytes() const {
    return lhsStageBytes() + blockN * columnBytes;
  }
  int64_t stageBytes() const { return blocksTogether * blockStageBytes(); }
  int64_t sharedBytes() const { return stages * stageBytes(); }
  /// Bytes of the workspace for one tile of the result: a counter, then sums.
  int64_t workspaceBytes() const {
    return splits == 1
               ? 0
               : kCounterBytes +
                     blockM * blockN * static_cast<int64_t>(sizeof(int32_t));
  }
  static constexpr int64_t kCounterBytes = 256;
};

} // namespace quantmlir::device

#endif // QUANT_TARGET_GPU_SCHEDULE_H
