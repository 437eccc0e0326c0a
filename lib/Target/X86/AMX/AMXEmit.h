//===- AMXEmit.h - one block of tiles ---------------------------*- C++ -*-===//

#ifndef QUANT_LIB_TARGET_X86_AMX_AMXEMIT_H
#define QUANT_LIB_TARGET_X86_AMX_AMXEMIT_H

#include "quant/Target/X86/AMX/AMXTile.h"

#include "mlir/IR/Builders.h"
#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Target/IR/PackedMatmul.h"

namespace quantmlir {

/// A bufferized qtarget.packed_matmul for tile registers.
struct AMXMatmul {
  mutable qtarget::PackedMatmulOp op;
  const qtarget::KernelRow &row;
  /// Rows of one tile of the left operand.
  int64_t tileRows;
  /// [M/R][K/64][R][64] and [N/16][K/4][64].
  mlir::Value lhs, rhs;
  /// Where accumulators go on their way to vectors.
  mlir::Value scratch;
  /// Lines of the right operand's next panels that each panel of the left one
  /// asks for at each step along K; 0 if each block asks for what it reads some
  /// steps later.
  int64_t rhsLinesAhead = 0;

  AMXMatmul(qtarget::PackedMatmulOp op, mlir::OpBuilder &b, AMXBlock block);

  mlir::MemRefType initType() const;
  /// Sizes of `init`, or dynamic.
  int64_t getM() const { return initType().getDimSize(0); }
  int64_t getN() const { return initType().getDimSize(1); }
};

/// Where a block of tiles is.
struct AMXPosition {
  /// Its first panels, and how many panels of the left operand came before it
  /// by the same panels of the right one.
  mlir::Value mPanel, nPanel, mPanelsBefore;
};

/// Emits a block of tiles: the accumulators from the column bias, the loop over
/// K, corrections, rescale and stores. Rows past M and columns past N are not
/// stored. The loop over K asks for the lines that the block will store, and
/// for its share of the next panels of the right operand.
void emitAMXBlock(mlir::OpBuilder &b, mlir::Location loc,
                  const AMXMatmul &matmul, AMXBlock block, AMXPosition at);

} // namespace quantmlir

#endif // QUANT_LIB_TARGET_X86_AMX_AMXEMIT_H
