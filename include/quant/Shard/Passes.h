//===- Passes.h - programs cut over ranks -----------------------*- C++ -*-===//

#ifndef QUANT_SHARD_PASSES_H
#define QUANT_SHARD_PASSES_H

#include "mlir/Pass/Pass.h"

namespace quantmlir {

/// What a program is cut along.
enum class Parallelism {
  /// Pairs of matmuls, else columns, else rows.
  Auto,
  /// The columns of weights: N.
  Columns,
  /// The rows of weights: K.
  Rows,
  /// The rows of activations: M.
  Batch
};

/// The values of an option that says what.
inline auto listParallelism() {
  return llvm::cl::values(
      clEnumValN(Parallelism::Auto, "auto", "pairs of weights, else columns"),
      clEnumValN(Parallelism::Columns, "columns", "columns of weights (N)"),
      clEnumValN(Parallelism::Rows, "rows", "rows of weights (K)"),
      clEnumValN(Parallelism::Batch, "batch", "rows of activations (M)"));
}

/// What one rank of a program that was cut holds and sends.
struct ShardFacts {
  int64_t ranks = 1;
  /// Bytes of the constants of a rank, and of all of the program.
  int64_t weightBytes = 0, allWeightBytes = 0;
  /// Collectives of one run and the bytes of their tensors.
  int64_t numSums = 0, sumBytes = 0;
  int64_t numMaxima = 0, maximaBytes = 0;
  int64_t numGathers = 0, gatherBytes = 0;

  /// Bytes that a rank sends in one run, where collectives pass parts around a
  /// ring: each tensor twice, but for one part in `ranks`.
  int64_t getBytesSent() const;
};

/// The pass quant-cut-to-rank with `facts`, which outlive it, if there are any.
struct QuantCutToRankPassOptions;
std::unique_ptr<mlir::Pass>
createQuantCutToRankPass(const QuantCutToRankPassOptions &options,
                         ShardFacts *facts);

#define GEN_PASS_DECL
#include "quant/Shard/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "quant/Shard/Passes.h.inc"

} // namespace quantmlir

#endif // QUANT_SHARD_PASSES_H
