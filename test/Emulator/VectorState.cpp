//===- VectorState.cpp - vector registers in a signal's frame -------------===//

#include "VectorState.h"

#include <cpuid.h>
#include <cstring>
#include <initializer_list>

using namespace emulator;

namespace {

/// Components of XSAVE.
enum Component { kSSE = 1, kAVX = 2, kZMMHi256 = 6, kHi16ZMM = 7 };

constexpr unsigned kNumComponents = 8;
constexpr unsigned kSSEOffset = 160, kHeaderOffset = 512;

/// Offset and size of each component; size 0: the processor has it not.
struct {
  unsigned offset, size;
} components[kNumComponents];

} // namespace

void emulator::findVectorComponents() {
  components[kSSE] = {kSSEOffset, 16 * 16};
  for (unsigned component : {kAVX, kZMMHi256, kHi16ZMM}) {
    unsigned size = 0, offset = 0, ecx = 0, edx = 0;
    if (__get_cpuid_count(0xd, component, &size, &offset, &ecx, &edx))
      components[component] = {offset, size};
  }
}

VectorState::VectorState(ucontext_t &context) {
  // The kernel says in reserved bytes that the state is an extended one.
  constexpr unsigned swReserved = 464;
  constexpr uint32_t magic = 0x46505853;
  auto *saved = reinterpret_cast<uint8_t *>(context.uc_mcontext.fpregs);
  uint32_t found = 0;
  if (saved)
    std::memcpy(&found, saved + swReserved, sizeof(found));
  if (found == magic)
    state = saved;
}

bool VectorState::isPresent(unsigned component) const {
  uint64_t present;
  std::memcpy(&present, state + kHeaderOffset, sizeof(present));
  return present >> component & 1;
}

unsigned VectorState::getParts(unsigned number, Part (&parts)[3]) const {
  if (number >= 16) {
    parts[0] = {kHi16ZMM, (number - 16) * 64, 0, 64};
    return 1;
  }
  parts[0] = {kSSE, number * 16, 0, 16};
  parts[1] = {kAVX, number * 16, 16, 16};
  parts[2] = {kZMMHi256, number * 32, 32, 32};
  return 3;
}

bool VectorState::read(unsigned number, Register &value) const {
  std::memset(value, 0, sizeof(value));
  Part parts[3];
  unsigned count = getParts(number, parts);
  if (components[parts[0].component].size == 0)
    return false;
  for (unsigned i = 0; i < count; ++i) {
    const Part &part = parts[i];
    // A component that is not there is in its initial state, all 0.
    if (components[part.component].size && isPresent(part.component))
      std::memcpy(value + part.firstByte,
                  state + components[part.component].offset + part.offset,
                  part.bytes);
  }
  return true;
}

bool VectorState::write(unsigned number, const Register &value, unsigned size) {
  Part parts[3];
  unsigned count = getParts(number, parts);
  for (unsigned i = 0; i < count; ++i) {
    const Part &part = parts[i];
    auto [offset, bytes] = components[part.component];
    if (bytes == 0) {
      if (part.firstByte < size)
        return false;
      continue;
    }
    if (!isPresent(part.component)) {
      std::memset(state + offset, 0, bytes);
      uint64_t present;
      std::memcpy(&present, state + kHeaderOffset, sizeof(present));
      present |= uint64_t(1) << part.component;
      std::memcpy(state + kHeaderOffset, &present, sizeof(present));
    }
    std::memcpy(state + offset + part.offset, value + part.firstByte,
                part.bytes);
  }
  return true;
}
