//===- Decode.h - instructions in machine code ------------------*- C++ -*-===//
//
// Intel SDM volume 2: every AMX-INT8 instruction has a three-byte VEX prefix of
// opcode map 2 (0F38), VEX.128, W0. Those of vectors are in VectorDot.h.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_TEST_EMULATOR_DECODE_H
#define QUANT_TEST_EMULATOR_DECODE_H

#include <cstdint>
#include <ucontext.h>

namespace emulator {

/// In the order of the counters that the library exports.
enum class Opcode {
  LdTileCfg,
  StTileCfg,
  TileLoad,
  TileLoadT1,
  TileStore,
  TileZero,
  TileRelease,
  TdpbSSD,
  TdpbSUD,
  TdpbUSD,
  TdpbUUD,
  VpdpbUUD,
  VpdpbUSD,
  VpdpbSUD,
  VpdpbSSD,
  Count
};

/// An operand in memory.
struct MemoryOperand {
  /// Without the scaled index.
  uint64_t base = 0;
  int64_t index = 0;
  /// What follows it in the code.
  const uint8_t *end = nullptr;
  uint64_t getAddress() const { return base + static_cast<uint64_t>(index); }
};

/// Reads ModRM, SIB and displacement at `modrm`, with the upper bits of base
/// and index. Nothing may follow the operand in the instruction. A displacement
/// of one byte counts `unit` bytes.
MemoryOperand decodeMemory(const ucontext_t &context, const uint8_t *modrm,
                           unsigned baseBit, unsigned indexBit, int64_t unit);

/// One decoded instruction; registers of a product are dest += left * right.
struct Instruction {
  Opcode opcode;
  /// Bytes of machine code.
  unsigned length;
  unsigned dest = 0, left = 0, right = 0;
  /// Address of the first byte in memory, distance of rows.
  uint64_t address = 0;
  int64_t stride = 0;
};

/// Decodes the instruction at the context's instruction pointer. Returns false
/// if it is none of AMX-INT8.
bool decode(const ucontext_t &context, Instruction &instruction);

} // namespace emulator

#endif // QUANT_TEST_EMULATOR_DECODE_H
