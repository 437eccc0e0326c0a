//===- VectorDot.h - dot products of bytes in vectors -----------*- C++ -*-===//
//
// AVX-VNNI and AVX-VNNI-INT8 (VEX, 128 and 256 bits), AVX10.2 (EVEX, up to 512
// bits): vpdpb{uu,us,su,ss}d, opcode 50 of map 2 (0F38), W0. The prefix says
// the signs, which are those of the second and the third operand. Intel SDM
// volume 2, and the AVX10.2 specification.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_TEST_EMULATOR_VECTORDOT_H
#define QUANT_TEST_EMULATOR_VECTORDOT_H

#include "Decode.h"

namespace emulator {

/// One decoded instruction: each lane of dest += four products of left * right.
struct VectorDot {
  Opcode opcode;
  unsigned length;
  /// Bytes of the vectors: 16, 32 or 64.
  unsigned size;
  unsigned dest = 0, left = 0, right = 0;
  /// Where the right operand is in memory: all of it, or one lane for all.
  bool isMemory = false, isBroadcast = false;
  uint64_t address = 0;
};

/// Decodes the instruction at the context's instruction pointer. Returns false
/// if it is none of these, or one with a mask.
bool decode(const ucontext_t &context, VectorDot &instruction);

/// Executes it on the registers in the context. Returns what is wrong with the
/// context, or null.
const char *execute(ucontext_t &context, const VectorDot &instruction);

} // namespace emulator

#endif // QUANT_TEST_EMULATOR_VECTORDOT_H
