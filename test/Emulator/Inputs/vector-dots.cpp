//===- vector-dots.cpp - dot products of bytes in vectors, by hand --------===//
//
// Compares each instruction of vector-dots.s with loops: all pairs of signs,
// vectors of 128, 256 and 512 bits, registers low and high, memory operands
// (plain, scaled index, displacements of one and of four bytes, relative to the
// instruction, broadcast), sums that wrap, and the upper bits, which are
// zeroed.
//
//===----------------------------------------------------------------------===//

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <random>

/// In vector-dots.s: `count` functions that compute on the same buffers.
struct Routine {
  /// sums, left and right are 64 bytes; all of the register is stored to sums.
  void (*run)(uint8_t *sums, const uint8_t *left, const uint8_t *right);
  const char *name;
  /// Signs of left and right, bytes of the vector, whether the first lane of
  /// right is used for all.
  uint64_t leftSigned, rightSigned, size, broadcasts;
};
extern "C" const Routine vectorDots[];
extern "C" const uint64_t numVectorDots;
/// What the operand relative to the instruction reads.
extern "C" uint8_t vectorDotsConstant[64];

static int32_t read(uint8_t byte, bool isSigned) {
  return isSigned ? static_cast<int8_t>(byte) : byte;
}

int main() {
  std::mt19937 random(11);
  int failures = 0, checks = 0;
  alignas(64) uint8_t found[64], expected[64], left[64], right[64];
  for (uint64_t i = 0; i < numVectorDots; ++i)
    for (int round = 0; round < 20; ++round) {
      const Routine &routine = vectorDots[i];
      for (int b = 0; b < 64; ++b) {
        found[b] = static_cast<uint8_t>(random());
        left[b] = round == 0 ? 0x80 : static_cast<uint8_t>(random());
        right[b] = round == 0 ? 0xff : static_cast<uint8_t>(random());
      }
      std::memcpy(vectorDotsConstant, right, 64);
      std::memset(expected, 0, 64);
      for (uint64_t lane = 0; lane < routine.size; lane += 4) {
        uint32_t sum;
        std::memcpy(&sum, found + lane, 4);
        for (uint64_t b = lane; b < lane + 4; ++b)
          sum += static_cast<uint32_t>(
              read(left[b], routine.leftSigned) *
              read(right[routine.broadcasts ? b % 4 : b], routine.rightSigned));
        std::memcpy(expected + lane, &sum, 4);
      }
      routine.run(found, left, right);
      ++checks;
      if (std::memcmp(found, expected, 64)) {
        ++failures;
        std::printf("%s differs in round %d\n", routine.name, round);
      }
    }
  std::printf("%d of %d equal\n", checks - failures, checks);
  return failures != 0;
}
