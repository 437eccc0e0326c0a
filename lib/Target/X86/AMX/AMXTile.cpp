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

#include "quant/Dialect/Quant/Utils/GenericBuilder.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace quantmlir;

/// Below this number of rows the vector instructions are as fast (docs/x86-amx
/// has the measurement).
static constexpr int64_t kMinRows = 5;

/// Rows of activations whose leading dimensions are merged.
static int64_t countRows(Value lhs) {
  ArrayRef<int64_t> shape = tensorType(lhs).getShape().drop_back();
  if (ShapedType::isDynamicShape(shape))
    return ShapedType::kDynamic;
  return ShapedType::getNumElements(shape);
}

/// Rows of the matmul of rank 2 that `op` becomes.
static int64_t countRows(MatmulOp op) {
  if (op.hasBatchedRhs())
    return tensorType(op.getLhs()).getShape().drop_back().back();
  return countRows(op.getLhs());
}

const qtarget::IntrinsicRow &
quantmlir::chooseRow(MatmulOp op, qtarget::TargetAttr target,
                     const qtarget::IntrinsicRow &vectorRow) {
  int64_t rows = countRows(op);
  if (!ShapedType::isDynamic(rows) && rows < kMinRows)
    return vectorRow;
  const qtarget::IntrinsicRow *tiles = qtarget::chooseTileIntrinsic(
      target, op.getLhsUnsigned(), op.getRhsUnsigned());
  return tiles ? *tiles : vectorRow;
}

const qtarget::IntrinsicRow &
quantmlir::chooseScaledRow(ScaledMatmulOp op, int64_t group, unsigned bits,
                           qtarget::TargetAttr target,
                           const qtarget::IntrinsicRow &vectorRow) {
  // A group's unpacked weight waits on the stack.
  constexpr int64_t longestGroup = 4096;
  int64_t rows = countRows(op.getLhs());
  if (!ShapedType::isDynamic(rows) && rows < getLeastScaledRows(group, bits))
    return vectorRow;
  const qtarget::IntrinsicRow *tiles = qtarget::chooseTileIntrinsic(
      target, /*lhsUnsigned=*/false, /*rhsUnsigned=*/true);
  bool samePanels = vectorRow.family == qtarget::IntrinsicFamily::DotU8S8 &&
                    tiles && vectorRow.n == tiles->n;
  return samePanels && group <= longestGroup && getScaledTileK(group, bits)
             ? *tiles
             : vectorRow;
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
  // (docs/x86-amx.md has the measurement).
  constexpr int64_t wholeTile = 64, rows = 16, rowsOfPartialTiles = 64;
  return getScaledTileK(group, bits) == wholeTile ? rows : rowsOfPartialTiles;
}

RegisterTile quantmlir::chooseAMXTile(const qtarget::IntrinsicRow &row,
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
