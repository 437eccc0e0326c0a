//===- Decode.cpp - instructions in machine code --------------------------===//

#include "Decode.h"

#include <cstring>

using namespace emulator;

namespace {

/// The fields of a three-byte VEX prefix, opcode and ModRM, with the registers'
/// upper bits un-inverted and put in front.
struct Fields {
  bool r, x, b, w, l;
  unsigned map, vvvv, pp, opcode, mod, reg, rm;
};

enum Prefix { NP = 0, P66 = 1, PF3 = 2, PF2 = 3 };

} // namespace

/// General-purpose register `number` in its encoding's order.
static uint64_t readRegister(const ucontext_t &context, unsigned number) {
  static const int order[16] = {
      REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
      REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
  return static_cast<uint64_t>(context.uc_mcontext.gregs[order[number]]);
}

template <typename T>
static int64_t readSigned(const uint8_t *at) {
  T value;
  std::memcpy(&value, at, sizeof(T));
  return value;
}

static Fields readFields(const uint8_t *code) {
  Fields f;
  f.r = !(code[1] & 0x80);
  f.x = !(code[1] & 0x40);
  f.b = !(code[1] & 0x20);
  f.map = code[1] & 0x1f;
  f.w = code[2] & 0x80;
  f.vvvv = (~code[2] >> 3) & 0xf;
  f.l = code[2] & 4;
  f.pp = code[2] & 3;
  f.opcode = code[3];
  f.mod = code[4] >> 6;
  f.reg = (code[4] >> 3) & 7;
  f.rm = code[4] & 7;
  return f;
}

MemoryOperand emulator::decodeMemory(const ucontext_t &context,
                                     const uint8_t *modrm, unsigned baseBit,
                                     unsigned indexBit, int64_t unit) {
  MemoryOperand result;
  const uint8_t *at = modrm + 1;
  unsigned mod = *modrm >> 6, base = *modrm & 7;
  bool hasBase = true, ripRelative = base == 5 && mod == 0;
  if (base == 4) {
    uint8_t sib = *at++;
    base = sib & 7;
    unsigned index = ((sib >> 3) & 7) | indexBit;
    if (index != 4)
      result.index =
          static_cast<int64_t>(readRegister(context, index) << (sib >> 6));
    hasBase = !(base == 5 && mod == 0);
  }
  int64_t displacement = 0;
  if (mod == 1) {
    displacement = readSigned<int8_t>(at) * unit;
    at += 1;
  } else if (mod == 2 || ripRelative || !hasBase) {
    displacement = readSigned<int32_t>(at);
    at += 4;
  }
  result.end = at;
  result.base = static_cast<uint64_t>(displacement);
  if (ripRelative)
    result.base += reinterpret_cast<uint64_t>(at);
  else if (hasBase)
    result.base += readRegister(context, base | baseBit);
  return result;
}

/// The operand of a tile instruction, whose ModRM is at code + 4. For loads and
/// stores of tiles (`indexIsStride`) the scaled index is the distance of rows.
static void decodeMemory(const ucontext_t &context, const uint8_t *code,
                         const Fields &f, bool indexIsStride,
                         Instruction &inst) {
  MemoryOperand memory = emulator::decodeMemory(context, code + 4, f.b ? 8 : 0,
                                                f.x ? 8 : 0, /*unit=*/1);
  inst.length = static_cast<unsigned>(memory.end - code);
  inst.address = indexIsStride ? memory.base : memory.getAddress();
  if (indexIsStride)
    inst.stride = memory.index;
}

/// Opcode 49: configuration, release, zero.
static bool decodeConfiguration(const ucontext_t &context, const uint8_t *code,
                                const Fields &f, Instruction &inst) {
  inst.length = 5;
  if (f.mod == 3) {
    if (f.pp == NP && f.reg == 0 && f.rm == 0) {
      inst.opcode = Opcode::TileRelease;
      return true;
    }
    inst.opcode = Opcode::TileZero;
    inst.dest = f.reg;
    return f.pp == PF2 && f.rm == 0;
  }
  if (f.reg != 0 || (f.pp != NP && f.pp != P66))
    return false;
  inst.opcode = f.pp == NP ? Opcode::LdTileCfg : Opcode::StTileCfg;
  decodeMemory(context, code, f, /*indexIsStride=*/false, inst);
  return true;
}

/// Opcode 4B: loads and stores, always with SIB.
static bool decodeTransfer(const ucontext_t &context, const uint8_t *code,
                           const Fields &f, Instruction &inst) {
  if (f.mod == 3 || f.rm != 4 || f.pp == NP)
    return false;
  inst.opcode = f.pp == PF2   ? Opcode::TileLoad
                : f.pp == P66 ? Opcode::TileLoadT1
                              : Opcode::TileStore;
  inst.dest = f.reg;
  decodeMemory(context, code, f, /*indexIsStride=*/true, inst);
  return true;
}

/// Opcode 5E: products.
static bool decodeProduct(const Fields &f, Instruction &inst) {
  static const Opcode byPrefix[4] = {Opcode::TdpbUUD, Opcode::TdpbUSD,
                                     Opcode::TdpbSUD, Opcode::TdpbSSD};
  if (f.mod != 3 || f.vvvv > 7)
    return false;
  inst.opcode = byPrefix[f.pp];
  inst.length = 5;
  inst.dest = f.reg;
  inst.left = f.rm;
  inst.right = f.vvvv;
  return true;
}

bool emulator::decode(const ucontext_t &context, Instruction &inst) {
  auto *code =
      reinterpret_cast<const uint8_t *>(context.uc_mcontext.gregs[REG_RIP]);
  if (code[0] != 0xc4)
    return false;
  Fields f = readFields(code);
  if (f.map != 2 || f.w || f.l || f.r)
    return false;
  switch (f.opcode) {
  case 0x49:
    return decodeConfiguration(context, code, f, inst);
  case 0x4b:
    return decodeTransfer(context, code, f, inst);
  case 0x5e:
    return decodeProduct(f, inst);
  }
  return false;
}
