//===- PeakProbe.h - what this core can multiply at most --------*- C++ -*-===//

#ifndef QUANT_RUNTIME_EXECUTION_PEAKPROBE_H
#define QUANT_RUNTIME_EXECUTION_PEAKPROBE_H

#include "llvm/Support/Error.h"

#include <string>

namespace quantmlir {

/// The rate of an instruction that does nothing but multiply and add.
struct Peak {
  /// LLVM's name of the intrinsic, without the prefix `llvm.x86.`.
  std::string instruction;
  /// 10^9 multiply-adds of bytes in a second.
  double gmacPerSecond = 0;
};

/// Measures the best 8-bit dot-product instruction that the host has
/// (vpdpbusd; without VNNI, vpmaddwd; `withTiles`, tdpbusd on AMX tiles, which
/// the host must have) on one core, with enough independent accumulators to
/// hide its latency: the best of several short runs.
llvm::Expected<Peak> measurePeak(bool withTiles);

} // namespace quantmlir

#endif // QUANT_RUNTIME_EXECUTION_PEAKPROBE_H
