//===- instructions.cpp - every AMX-INT8 instruction, by hand -------------===//
//
// Compares each instruction with loops over the same bytes: shapes at the
// edges, strides (none, negative, larger than a row), all pairs of signs, and
// what is zeroed. Run on the processor, or with the emulator preloaded.
//
//===----------------------------------------------------------------------===//

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <immintrin.h>
#include <random>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

struct alignas(64) Config {
  uint8_t palette = 1, startRow = 0, reserved[14] = {};
  uint16_t rowBytes[16] = {};
  uint8_t rows[16] = {};
};

std::mt19937 random_(7);
int failures = 0, checks = 0;

void check(bool isEqual, const char *what) {
  ++checks;
  if (isEqual)
    return;
  ++failures;
  std::printf("%s differs\n", what);
}

void fill(void *at, size_t bytes) {
  auto *out = static_cast<uint8_t *>(at);
  for (size_t i = 0; i < bytes; ++i)
    out[i] = static_cast<uint8_t>(random_());
}

/// c [m][n] += a [m][4k] * b [k][4n], as rows of 64 bytes.
template <typename Left, typename Right>
void multiply(int m, int n, int k, uint32_t c[16][16], uint8_t a[16][64],
              uint8_t b[16][64]) {
  for (int i = 0; i < m; ++i)
    for (int j = 0; j < n; ++j)
      for (int d = 0; d < 4 * k; ++d)
        c[i][j] += static_cast<uint32_t>(
            int(static_cast<Left>(a[i][d])) *
            int(static_cast<Right>(b[d / 4][4 * j + d % 4])));
}

void testProduct(int m, int n, int k) {
  Config config;
  config.rows[0] = config.rows[1] = m;
  config.rowBytes[0] = config.rowBytes[2] = 4 * n;
  config.rowBytes[1] = 4 * k;
  config.rows[2] = k;
  _tile_loadconfig(&config);
  Config back;
  fill(&back, sizeof(back));
  _tile_storeconfig(&back);
  check(!std::memcmp(&config, &back, sizeof(config)), "sttilecfg");
  uint8_t a[16][64], b[16][64];
  uint32_t start[16][16], expected[16][16], found[16][16];
  fill(a, sizeof(a));
  fill(b, sizeof(b));
  for (int sign = 0; sign < 4; ++sign) {
    fill(start, sizeof(start));
    std::memcpy(expected, start, sizeof(start));
    std::memcpy(found, start, sizeof(start));
    _tile_loadd(0, start, 64);
    _tile_loadd(1, a, 64);
    _tile_stream_loadd(2, b, 64);
    switch (sign) {
    case 0:
      _tile_dpbssd(0, 1, 2);
      multiply<int8_t, int8_t>(m, n, k, expected, a, b);
      break;
    case 1:
      _tile_dpbsud(0, 1, 2);
      multiply<int8_t, uint8_t>(m, n, k, expected, a, b);
      break;
    case 2:
      _tile_dpbusd(0, 1, 2);
      multiply<uint8_t, int8_t>(m, n, k, expected, a, b);
      break;
    default:
      _tile_dpbuud(0, 1, 2);
      multiply<uint8_t, uint8_t>(m, n, k, expected, a, b);
      break;
    }
    _tile_stored(0, found, 64);
    check(!std::memcmp(expected, found, sizeof(found)), "tdpb");
  }
}

void testTransfers() {
  Config config;
  for (int i = 0; i < 8; ++i) {
    config.rows[i] = 2 * i + 1;
    config.rowBytes[i] = 8 * (i + 1);
  }
  _tile_loadconfig(&config);
  static uint8_t from[64 * 64], to[64 * 64], expected[64 * 64];
  fill(from, sizeof(from));
  fill(to, sizeof(to));
  std::memcpy(expected, to, sizeof(to));
  // From the last row to the first one; a row for all; to rows apart.
  _tile_loadd(7, from + 15 * 64, -64);
  _tile_loadd(3, from + 100, 0);
  _tile_stored(7, to, 80);
  for (int row = 0; row < 15; ++row)
    std::memcpy(expected + 80 * row, from + 15 * 64 - 64 * row, 64);
  check(!std::memcmp(expected, to, sizeof(to)), "negative stride");
  _tile_stored(3, to + 3, 33);
  for (int row = 0; row < 7; ++row)
    std::memcpy(expected + 3 + 33 * row, from + 100, 32);
  check(!std::memcmp(expected, to, sizeof(to)), "stride of 0");
  _tile_zero(7);
  _tile_stored(7, to, 64);
  std::memset(expected, 0, 15 * 64);
  check(!std::memcmp(expected, to, sizeof(to)), "tilezero");
}

} // namespace

int main() {
  syscall(SYS_arch_prctl, 0x1023, 18);
  for (int m : {1, 2, 7, 15, 16})
    for (int n : {1, 3, 8, 16})
      for (int k : {1, 5, 16})
        testProduct(m, n, k);
  testTransfers();
  _tile_release();
  std::printf("%d of %d equal\n", checks - failures, checks);
  return failures != 0;
}
