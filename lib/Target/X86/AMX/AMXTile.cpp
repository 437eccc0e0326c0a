//===- AMXTile.cpp - when and how a matmul uses tile registers ------------===//
//
// A tile instruction takes as many cycles as its left tile has rows, and 16 of
// them do the work of 256 vpdpbusd. So a matmul of few rows wastes little: what
// it pays is the configuration and the way of the accumulators through memory.
// A static number of rows is split evenly (129 rows are 9 tiles of 15, not 8 of
// 16 and one of 1), which the tile configuration can express.
//
//===----------------------------------------------------------------------===//

#include "quant/Target/X86/AMX/AMXTile.h"

#include "quant/Target/X86/X86Kernels.h"

#include "mlir/IR/BuiltinTypes.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace quantmlir;

/// Below this number of rows the vector instructions are as fast (docs/x86-amx
/// has the measurement).
static constexpr int64_t kMinRows = 5;

/// A grouped matmul whose weight's panels tiles read, too: 16 columns wide, as
/// those of vectors of 512 bits, so that one packed weight serves both.
static bool suitsTilesOfGroups(const qtarget::KernelRow &tiles,
                               const qtarget::MatmulFacts &matmul,
                               const qtarget::KernelRow &vectors) {
  // A group's unpacked weight waits on the stack.
  constexpr int64_t longestGroup = 4096;
  return tiles.grouped.panelColumns != 0 &&
         tiles.grouped.panelColumns == vectors.grouped.panelColumns &&
         (ShapedType::isDynamic(matmul.rows) ||
          matmul.rows >= getLeastScaledRows(matmul.group, matmul.rhsBits)) &&
         matmul.group <= longestGroup &&
         getScaledTileK(matmul.group, matmul.rhsBits) != 0;
}

bool quantmlir::suitsTiles(const qtarget::KernelRow &tiles,
                           const qtarget::MatmulFacts &matmul,
                           const qtarget::KernelRow &vectors) {
  if (matmul.group != 0)
    return suitsTilesOfGroups(tiles, matmul, vectors);
  return tiles.lhs.isUnsigned == matmul.isLhsUnsigned &&
         tiles.rhs.isUnsigned == matmul.isRhsUnsigned &&
         (ShapedType::isDynamic(matmul.rows) || matmul.rows >= kMinRows);
}

qtarget::MatmulKernelInterface
quantmlir::getVectorsOfTiles(MLIRContext *context) {
  return qtarget::X86KernelAttr::get(context, x86::X86Kernel::VPDPBUSD_512);
}

int64_t quantmlir::getScaledTileK(int64_t group, unsigned bits) {
  constexpr int64_t longest = 64, shortest = 32;
  int64_t step = 32 / bits;
  for (int64_t k = longest; k >= shortest; k -= step)
    if (group % k == 0)
      return k;
  return 0;
}

int64_t quantmlir::getLeastScaledRows(int64_t group, unsigned bits) {
  // Unpacking has to pay for its way through memory, and so has the end of a
  // group, whose products leave a tile of less than 64 elements half idle
  // (docs/results/x86-amx.md has it).
  constexpr int64_t wholeTile = 64, rows = 16, rowsOfPartialTiles = 64;
  return getScaledTileK(group, bits) == wholeTile ? rows : rowsOfPartialTiles;
}

qtarget::RegisterTile quantmlir::chooseAMXTile(const qtarget::KernelRow &row,
                                               int64_t m) {
  if (ShapedType::isDynamic(m))
    return {row.m, row.n};
  m = std::max<int64_t>(m, 1);
  int64_t tiles = llvm::divideCeil(m, row.m);
  return {static_cast<int64_t>(llvm::divideCeil(m, tiles)), row.n};
}

AMXBlock quantmlir::chooseAMXBlock(int64_t mPanels) {
  // Eight registers: 2 x 2 accumulators load one tile for each instruction,
  // which L1 delivers twice as fast as they are used up. A single row of tiles
  // has no second one to share the right operand with.
  if (mPanels == 1)
    return {1, 4};
  return {2, 2};
}

int64_t quantmlir::chooseAMXLinesAhead(int64_t mPanels, AMXBlock block) {
  // A step of a panel is 16 lines. Each prefetch occupies a fill buffer of L1
  // until its line is in L2, and loads want those, too.
  constexpr int64_t linesPerStep = 16, least = 4, most = 6;
  if (mPanels < least)
    return 0;
  return std::min<int64_t>(llvm::divideCeil(linesPerStep * block.n, mPanels),
                           most);
}

int64_t quantmlir::chooseAMXRowBlock(int64_t tileRows, int64_t k, int64_t l2) {
  // Half of the cache: the other half is for the right operand's panels that
  // pass by, and for the result. Few rows where the right operand's own panels
  // are short: it stays in L2 as well then, and the rows of the result, whose
  // lines compete for the same sets, are fewer.
  constexpr int64_t unknownK = 4096, least = 4, most = 16, shortK = 1024;
  if (!ShapedType::isDynamic(k) && k <= shortK)
    return least;
  int64_t bytes = tileRows * (ShapedType::isDynamic(k) ? unknownK : k);
  int64_t panels = l2 / 2 / std::max<int64_t>(bytes, 1);
  return std::clamp(panels / 2 * 2, least, most);
}
