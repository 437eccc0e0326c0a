//===- Tiles.h - the tile registers of one thread ---------------*- C++ -*-===//

#ifndef QUANT_TEST_EMULATOR_TILES_H
#define QUANT_TEST_EMULATOR_TILES_H

#include "Decode.h"

namespace emulator {

constexpr unsigned kNumTiles = 8, kMaxRows = 16, kMaxRowBytes = 64;

/// The memory format of LDTILECFG (SDM volume 1, "TILECFG").
struct TileConfig {
  uint8_t palette;
  uint8_t startRow;
  uint8_t reserved[14];
  uint16_t rowBytes[16];
  uint8_t rows[16];
};
static_assert(sizeof(TileConfig) == 64, "the memory format has 64 bytes");

/// TILECFG and TILEDATA.
struct Tiles {
  TileConfig config;
  uint8_t data[kNumTiles][kMaxRows][kMaxRowBytes];

  /// Executes `instruction`. Returns null, or why the processor would raise an
  /// exception.
  const char *execute(const Instruction &instruction);

  /// Takes over what the processor has in its TILECFG, all zeros after a
  /// release: tiles start from 0 where it is another configuration.
  const char *adopt(const TileConfig &fromProcessor);

private:
  const char *configure(const TileConfig &wanted);
  const char *load(const Instruction &instruction);
  const char *store(const Instruction &instruction);
  const char *multiply(const Instruction &instruction);
  template <typename Left, typename Right>
  void multiplyAs(const Instruction &instruction);
  bool isConfigured(unsigned tile) const;
};

} // namespace emulator

#endif // QUANT_TEST_EMULATOR_TILES_H
