//===- AMXTile.h - when and how a matmul uses tile registers ----*- C++ -*-===//

#ifndef QUANT_TARGET_X86_AMX_AMXTILE_H
#define QUANT_TARGET_X86_AMX_AMXTILE_H

#include "quant/Target/IR/MatmulKernelInterface.h"

namespace quantmlir {

/// Columns of i32 and bytes of a row of one tile register.
constexpr int64_t kTileColumns = 16, kTileRowBytes = 64;

/// Whether `tiles` serve `matmul` better than `vectors`: it has enough rows to
/// fill one, or a number of rows that only the run knows, and operands that the
/// tiles read.
bool suitsTiles(const qtarget::KernelRow &tiles,
                const qtarget::MatmulFacts &matmul,
                const qtarget::KernelRow &vectors);

/// The kernel of vectors that reads what grouped tiles read.
qtarget::MatmulKernelInterface getVectorsOfTiles(mlir::MLIRContext *context);

/// Elements along K of one tile of a group: the longest part that divides it
/// into equal ones, whole steps of the packed weight; 0 where the tile would be
/// less than half used.
int64_t getScaledTileK(int64_t group, unsigned bits);

/// Rows from which on tiles are faster than vectors on such groups, at least as
/// many as a tile has.
int64_t getLeastScaledRows(int64_t group, unsigned bits);

/// One tile register: `m` rows in as few and as equal tiles as can be.
qtarget::RegisterTile chooseAMXTile(const qtarget::KernelRow &row, int64_t m);

/// Tiles of accumulators that one inner loop carries, [m][n].
struct AMXBlock {
  int64_t m, n;
};

/// The block for a matmul of `mPanels` rows of tiles.
AMXBlock chooseAMXBlock(int64_t mPanels);

/// Lines of the next panels of the right operand that each panel of the left
/// one, of `mPanels` that share these panels, asks for at each step along K; 0
/// where they are too few, and ask for their own panels instead.
int64_t chooseAMXLinesAhead(int64_t mPanels, AMXBlock block);

/// Rows of tiles of the left operand that stay in a cache of `l2` bytes while
/// the right operand passes by; even. `k` is the padded K, or dynamic.
int64_t chooseAMXRowBlock(int64_t tileRows, int64_t k, int64_t l2);

} // namespace quantmlir

#endif // QUANT_TARGET_X86_AMX_AMXTILE_H
