//===- VectorState.h - vector registers in a signal's frame -----*- C++ -*-===//
//
// The kernel saves them in the standard (not compacted) form of XSAVE: SSE at
// byte 160, the upper halves where CPUID says. Intel SDM volume 1, chapter 13.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_TEST_EMULATOR_VECTORSTATE_H
#define QUANT_TEST_EMULATOR_VECTORSTATE_H

#include <cstdint>
#include <ucontext.h>

namespace emulator {

/// Asks the processor where the components are; to be called before a signal.
void findVectorComponents();

class VectorState {
public:
  /// 512 bits; what the processor does not have is 0.
  using Register = uint8_t[64];

  explicit VectorState(ucontext_t &context);
  bool isValid() const { return state != nullptr; }
  /// Fails where the processor has no such register.
  bool read(unsigned number, Register &value) const;
  /// Writes all of the register; fails where one of the lower `size` bytes has
  /// no place.
  bool write(unsigned number, const Register &value, unsigned size);

private:
  /// Part of a register in a component of the state.
  struct Part {
    unsigned component, offset, firstByte, bytes;
  };
  unsigned getParts(unsigned number, Part (&parts)[3]) const;
  bool isPresent(unsigned component) const;

  uint8_t *state = nullptr;
};

} // namespace emulator

#endif // QUANT_TEST_EMULATOR_VECTORSTATE_H
