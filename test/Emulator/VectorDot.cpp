//===- VectorDot.cpp - dot products of bytes in vectors -------------------===//

#include "VectorDot.h"
#include "VectorState.h"

#include <cstring>

using namespace emulator;

namespace {

/// What VEX and EVEX say alike, with the registers' upper bits un-inverted.
struct Prefix {
  const uint8_t *opcode;
  /// Upper bits of ModRM.reg, of the base, and of the index.
  unsigned reg, base, index;
  /// Of a register in ModRM.rm: EVEX gives it the bit of the index, too.
  unsigned rm;
  unsigned vvvv, pp, size;
  bool isEVEX, isBroadcast;
};

} // namespace

static bool readVEX(const uint8_t *code, Prefix &p) {
  // Map 2, W0.
  if (code[0] != 0xc4 || (code[1] & 0x1f) != 2 || code[2] & 0x80)
    return false;
  p.opcode = code + 3;
  p.reg = code[1] & 0x80 ? 0 : 8;
  p.index = code[1] & 0x40 ? 0 : 8;
  p.base = p.rm = code[1] & 0x20 ? 0 : 8;
  p.vvvv = (~code[2] >> 3) & 0xf;
  p.pp = code[2] & 3;
  p.size = code[2] & 4 ? 32 : 16;
  p.isEVEX = p.isBroadcast = false;
  return true;
}

static bool readEVEX(const uint8_t *code, Prefix &p) {
  // Map 2, W0, no mask.
  if (code[0] != 0x62 || (code[1] & 0x0f) != 2 || (code[2] & 0x84) != 4 ||
      code[3] & 0x87)
    return false;
  unsigned length = code[3] >> 5 & 3;
  if (length == 3)
    return false;
  p.opcode = code + 4;
  p.reg = (code[1] & 0x80 ? 0 : 8) | (code[1] & 0x10 ? 0 : 16);
  p.index = code[1] & 0x40 ? 0 : 8;
  p.base = code[1] & 0x20 ? 0 : 8;
  p.rm = p.base | (code[1] & 0x40 ? 0 : 16);
  p.vvvv = ((~code[2] >> 3) & 0xf) | (code[3] & 8 ? 0 : 16);
  p.pp = code[2] & 3;
  p.size = 16u << length;
  p.isEVEX = true;
  p.isBroadcast = code[3] & 0x10;
  return true;
}

bool emulator::decode(const ucontext_t &context, VectorDot &inst) {
  auto *code =
      reinterpret_cast<const uint8_t *>(context.uc_mcontext.gregs[REG_RIP]);
  Prefix p;
  if (!(readVEX(code, p) || readEVEX(code, p)) || p.opcode[0] != 0x50)
    return false;
  static const Opcode byPrefix[4] = {Opcode::VpdpbUUD, Opcode::VpdpbUSD,
                                     Opcode::VpdpbSUD, Opcode::VpdpbSSD};
  inst.opcode = byPrefix[p.pp];
  inst.size = p.size;
  inst.dest = (p.opcode[1] >> 3 & 7) | p.reg;
  inst.left = p.vvvv;
  if (p.opcode[1] >> 6 == 3) {
    if (p.isBroadcast)
      return false;
    inst.right = (p.opcode[1] & 7) | p.rm;
    inst.length = static_cast<unsigned>(p.opcode + 2 - code);
    return true;
  }
  inst.isMemory = true;
  inst.isBroadcast = p.isBroadcast;
  // EVEX counts a displacement of one byte in operands.
  int64_t unit = !p.isEVEX ? 1 : p.isBroadcast ? 4 : p.size;
  MemoryOperand memory =
      decodeMemory(context, p.opcode + 1, p.base, p.index, unit);
  inst.length = static_cast<unsigned>(memory.end - code);
  inst.address = memory.getAddress();
  return true;
}

/// The product of two bytes under the signs of `opcode`.
static int32_t multiply(Opcode opcode, uint8_t left, uint8_t right) {
  bool isLeftSigned = opcode == Opcode::VpdpbSUD || opcode == Opcode::VpdpbSSD;
  bool isRightSigned = opcode == Opcode::VpdpbUSD || opcode == Opcode::VpdpbSSD;
  int32_t a = isLeftSigned ? static_cast<int8_t>(left) : left;
  int32_t b = isRightSigned ? static_cast<int8_t>(right) : right;
  return a * b;
}

const char *emulator::execute(ucontext_t &context, const VectorDot &inst) {
  VectorState state(context);
  if (!state.isValid())
    return "a signal frame without the state of vectors";
  VectorState::Register left, right, sums;
  if (!state.read(inst.left, left) || !state.read(inst.dest, sums) ||
      (!inst.isMemory && !state.read(inst.right, right)))
    return "a vector register that the processor does not have";
  auto *memory = reinterpret_cast<const uint8_t *>(inst.address);
  if (inst.isMemory && !inst.isBroadcast)
    std::memcpy(right, memory, inst.size);
  for (unsigned lane = 0; inst.isBroadcast && lane < inst.size; lane += 4)
    std::memcpy(right + lane, memory, 4);
  for (unsigned lane = 0; lane < inst.size; lane += 4) {
    uint32_t sum;
    std::memcpy(&sum, sums + lane, 4);
    for (unsigned i = lane; i < lane + 4; ++i)
      sum += static_cast<uint32_t>(multiply(inst.opcode, left[i], right[i]));
    std::memcpy(sums + lane, &sum, 4);
  }
  // The rest of the register is zeroed.
  std::memset(sums + inst.size, 0, sizeof(sums) - inst.size);
  return state.write(inst.dest, sums, inst.size)
             ? nullptr
             : "a vector register that the processor does not have";
}
