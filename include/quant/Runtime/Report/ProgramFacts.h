//===- ProgramFacts.h - what a program holds and does -----------*- C++ -*-===//
//
// Counts over a module of tensors (the float program or the quant stage): how
// many matmuls of which kind, how many multiply-adds, how many bytes of
// constants. Read only.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_RUNTIME_REPORT_PROGRAMFACTS_H
#define QUANT_RUNTIME_REPORT_PROGRAMFACTS_H

#include "mlir/IR/BuiltinOps.h"

#include <optional>

namespace quantmlir {

struct ProgramFacts {
  /// Contractions of floats; of integers, or with a weight in integers; and
  /// convolutions.
  int64_t numFloatMatmuls = 0;
  int64_t numIntegerMatmuls = 0;
  int64_t numConvolutions = 0;
  /// Multiply-adds of all of them; empty when a size is not known.
  std::optional<int64_t> macs = 0;
  /// Bytes of the constants with more than 256 elements (splats excepted).
  int64_t constantBytes = 0;
  /// Bytes of those that a matmul multiplies.
  int64_t matmulWeightBytes = 0;
};

ProgramFacts getProgramFacts(mlir::ModuleOp module);

} // namespace quantmlir

#endif // QUANT_RUNTIME_REPORT_PROGRAMFACTS_H
