//===- WeightFormat.h - formats of weights, as data -------------*- C++ -*-===//
//
// What an element of a weight may be, how many share a scale, and which values
// scales have. Elements of a code book are integers of 8 bits that 4 bits
// number; where a format's own elements are these times a step, its scales here
// have taken up the step.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_CALIBRATION_WEIGHTFORMAT_H
#define QUANT_CALIBRATION_WEIGHTFORMAT_H

#include "llvm/ADT/ArrayRef.h"

#include <cstdint>
#include <optional>

namespace quantmlir {

enum class WeightFormat {
  Int,    // integers of some bits, scales in f32
  MXFP4,  // OCP MX 1.0: E2M1 in blocks of 32
  NVFP4,  // NVIDIA: E2M1 in blocks of 16, scales relative to the tensor's
  MXINT8, // OCP MX 1.0: integers of 8 bits in blocks of 32
  IQ4_NL, // GGUF: a table of 16 integers, blocks of 32
  NF4,    // QLoRA: quantiles of a normal distribution, in steps of 1/127
  Ternary // BitNet b1.58: -1, 0 and 1, in 2 bits
};

/// The values of a format's scales.
enum class WeightScales {
  F32,
  F16,
  BF16,
  E8M0, // powers of two
  E4M3  // those of E4M3 above 0, times one f32 for the tensor
};

/// One format.
struct WeightFormatRow {
  WeightFormat format;
  unsigned bits;
  /// Elements of a row that share a scale, and whether it must be that many; 0:
  /// any, and all of the tensor where nothing is said.
  int64_t groupSize;
  bool hasFixedGroups;
  WeightScales scales;
  /// 16 elements, or none where they are integers.
  llvm::ArrayRef<int8_t> codes;
};

const WeightFormatRow &getFormatRow(WeightFormat format);

/// The format of elements in `codes` whose groups have `groupSize` elements, if
/// it is one of those above.
std::optional<WeightFormat> findWeightFormat(llvm::ArrayRef<int8_t> codes,
                                             int64_t groupSize);

} // namespace quantmlir

#endif // QUANT_CALIBRATION_WEIGHTFORMAT_H
