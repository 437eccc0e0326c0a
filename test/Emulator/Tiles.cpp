//===- Tiles.cpp - the tile registers of one thread -----------------------===//
//
// The pseudo-code of the SDM, instruction by instruction. A load or a product
// zeroes the rest of its destination.
//
//===----------------------------------------------------------------------===//

#include "Tiles.h"

#include <cstring>
#include <initializer_list>

using namespace emulator;

bool Tiles::isConfigured(unsigned tile) const {
  return config.palette == 1 && config.rows[tile] != 0 &&
         config.rowBytes[tile] != 0;
}

const char *Tiles::configure(const TileConfig &wanted) {
  if (wanted.palette > 1)
    return "LDTILECFG of an unknown palette";
  for (uint8_t byte : wanted.reserved)
    if (byte)
      return "LDTILECFG with a reserved byte that is not 0";
  for (unsigned i = 0; i < 16; ++i) {
    if (i >= kNumTiles && (wanted.rowBytes[i] || wanted.rows[i]))
      return "LDTILECFG of a tile that does not exist";
    if (wanted.rowBytes[i] > kMaxRowBytes || wanted.rows[i] > kMaxRows)
      return "LDTILECFG of a tile that is too large";
    if (!wanted.rowBytes[i] != !wanted.rows[i])
      return "LDTILECFG of rows without columns, or columns without rows";
  }
  config = wanted;
  std::memset(data, 0, sizeof(data));
  return nullptr;
}

const char *Tiles::adopt(const TileConfig &fromProcessor) {
  if (!std::memcmp(&config, &fromProcessor, sizeof(config)))
    return nullptr;
  return configure(fromProcessor);
}

const char *Tiles::load(const Instruction &inst) {
  if (!isConfigured(inst.dest))
    return "load to a tile that is not configured";
  // Read all rows first: a fault leaves the tile as it is.
  uint8_t rows[kMaxRows][kMaxRowBytes] = {};
  for (unsigned row = 0; row < config.rows[inst.dest]; ++row)
    std::memcpy(
        rows[row],
        reinterpret_cast<const void *>(inst.address + row * inst.stride),
        config.rowBytes[inst.dest]);
  std::memcpy(data[inst.dest], rows, sizeof(rows));
  return nullptr;
}

const char *Tiles::store(const Instruction &inst) {
  if (!isConfigured(inst.dest))
    return "store of a tile that is not configured";
  for (unsigned row = 0; row < config.rows[inst.dest]; ++row)
    std::memcpy(reinterpret_cast<void *>(inst.address + row * inst.stride),
                data[inst.dest][row], config.rowBytes[inst.dest]);
  return nullptr;
}

template <typename Left, typename Right>
void Tiles::multiplyAs(const Instruction &inst) {
  unsigned rows = config.rows[inst.dest];
  unsigned columns = config.rowBytes[inst.dest] / 4;
  unsigned steps = config.rowBytes[inst.left] / 4;
  uint32_t sums[kMaxRows][kMaxRowBytes / 4] = {};
  for (unsigned m = 0; m < rows; ++m) {
    std::memcpy(sums[m], data[inst.dest][m], columns * 4);
    for (unsigned k = 0; k < steps; ++k)
      for (unsigned n = 0; n < columns; ++n)
        for (unsigned i = 0; i < 4; ++i) {
          auto left = static_cast<Left>(data[inst.left][m][4 * k + i]);
          auto right = static_cast<Right>(data[inst.right][k][4 * n + i]);
          sums[m][n] += static_cast<uint32_t>(int32_t(left) * int32_t(right));
        }
  }
  std::memcpy(data[inst.dest], sums, sizeof(sums));
}

const char *Tiles::multiply(const Instruction &inst) {
  if (inst.dest == inst.left || inst.dest == inst.right ||
      inst.left == inst.right)
    return "product whose tiles are not three";
  for (unsigned tile : {inst.dest, inst.left, inst.right})
    if (!isConfigured(tile))
      return "product of a tile that is not configured";
  if (config.rows[inst.left] != config.rows[inst.dest] ||
      config.rowBytes[inst.right] != config.rowBytes[inst.dest] ||
      config.rowBytes[inst.left] != 4 * config.rows[inst.right])
    return "product of tiles whose shapes do not fit";
  switch (inst.opcode) {
  case Opcode::TdpbSSD:
    multiplyAs<int8_t, int8_t>(inst);
    break;
  case Opcode::TdpbSUD:
    multiplyAs<int8_t, uint8_t>(inst);
    break;
  case Opcode::TdpbUSD:
    multiplyAs<uint8_t, int8_t>(inst);
    break;
  default:
    multiplyAs<uint8_t, uint8_t>(inst);
    break;
  }
  return nullptr;
}

const char *Tiles::execute(const Instruction &inst) {
  switch (inst.opcode) {
  case Opcode::LdTileCfg: {
    TileConfig wanted;
    std::memcpy(&wanted, reinterpret_cast<const void *>(inst.address),
                sizeof(wanted));
    return configure(wanted);
  }
  case Opcode::StTileCfg:
    std::memcpy(reinterpret_cast<void *>(inst.address), &config,
                sizeof(config));
    return nullptr;
  case Opcode::TileLoad:
  case Opcode::TileLoadT1:
    return load(inst);
  case Opcode::TileStore:
    return store(inst);
  case Opcode::TileZero:
    if (!isConfigured(inst.dest))
      return "zeroing of a tile that is not configured";
    std::memset(data[inst.dest], 0, sizeof(data[inst.dest]));
    return nullptr;
  case Opcode::TileRelease:
    return configure(TileConfig{});
  default:
    return multiply(inst);
  }
}
