//===- AMXScaledLoops.h - a grouped matmul on unpacked weights --*- C++ -*-===//

#ifndef QUANT_LIB_TARGET_X86_AMX_AMXSCALEDLOOPS_H
#define QUANT_LIB_TARGET_X86_AMX_AMXSCALEDLOOPS_H

#include "quant/Target/CPU/Kernel/ScaledKernel.h"

namespace quantmlir {

/// One or two tiles of rows by one or two panels of columns, on the groups of
/// one chunk.
struct ScaledBlock {
  int64_t panels;
  /// Of each tile: its first row, and the first row of its sums.
  llvm::SmallVector<mlir::Value> rows, sumRows;
  /// The first panel.
  mlir::Value panel;
  /// The chunk's groups.
  mlir::Value begin, end;
};

/// The loops of a grouped matmul whose weight is unpacked for all rows at once:
///
///   for rows in blocks                   their activations stay in L2
///     for panels of columns, together    read from memory once a block
///       sums of floats := 0              in memory that stays in L1 or L2
///       for chunks of groups
///         unpack the panels' chunk       to bytes that stay in L1
///         for tiles of rows, together
///           the body                     adds the chunk to the tiles' sums
///       row scale, bias, store
///
/// The last tile of a block ends with its last row and repeats some rows of the
/// tile before it, so that every tile has the same height and no row past M is
/// read. Sums belong to tiles, not rows: those of a repeated row are summed
/// twice, to the same bits.
class ScaledBlocks {
public:
  using Body = llvm::function_ref<void(mlir::OpBuilder &, const ScaledBlock &)>;

  /// Tiles of rows, and panels of columns, that a block has at most.
  static constexpr int64_t kTiles = 2;

  /// Tiles have `height` rows, no more than the op has; `l2` is the size of the
  /// L2 cache in bytes.
  ScaledBlocks(mlir::OpBuilder &b, qtarget::PackedMatmulOp op, int64_t height,
               int64_t l2);

  void emit(mlir::OpBuilder &b, Body body);

  const ScaledKernel &getKernel() const { return kernel; }
  int64_t getHeight() const { return height; }
  /// Elements along K of a group.
  int64_t getGroupK() const { return groupK; }
  /// [block rows][panels * NR] of f32.
  mlir::Value getSums() const { return sums; }

  /// Unsigned bytes [panel][k/4][NR * 4], and where the `j`-th panel of a block
  /// and a group of its chunk are in them.
  mlir::Value getWeight() const {
    return kernel.perByte > 1 ? unpacked : plain;
  }
  mlir::Value getWeightPanel(mlir::OpBuilder &b, const ScaledBlock &at,
                             int64_t j) const;
  mlir::Value getWeightRow(mlir::OpBuilder &b, const ScaledBlock &at,
                           mlir::Value group) const;

private:
  struct RowBlock {
    mlir::Value begin, end;
  };

  void emitPanels(mlir::OpBuilder &b, RowBlock rows, mlir::Value panel,
                  int64_t panels, Body body);
  void forTiles(mlir::OpBuilder &b, RowBlock rows, ScaledBlock at, Body body);
  void clearSums(mlir::OpBuilder &b, mlir::Value rows, int64_t panels);
  void unpackChunk(mlir::OpBuilder &b, const ScaledBlock &at);
  void storeRows(mlir::OpBuilder &b, const ScaledBlock &at);

  mlir::Location loc;
  ScaledKernel kernel;
  qtarget::PackedMatmulOp op;
  /// Rows of a tile; of the op, or dynamic; and the most of a block.
  int64_t height, m, mostRows;
  int64_t groupK, chunkGroups;
  /// The packed weight [N/NR][K/KB][NR * 4].
  mlir::Value plain;
  mlir::Value unpacked, sums;
};

} // namespace quantmlir

#endif // QUANT_LIB_TARGET_X86_AMX_AMXSCALEDLOOPS_H
