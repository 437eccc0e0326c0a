//===- AMXEmit.h - one block of tiles ---------------------------*- C++ -*-===//

#ifndef QUANT_LIB_TARGET_X86_AMXEMIT_H
#define QUANT_LIB_TARGET_X86_AMXEMIT_H

#include "AMXTile.h"

#include "mlir/IR/Builders.h"
#include "quant/Dialect/Quant/IR/QuantOps.h"

namespace quantmlir {

/// A bufferized quant.packed_matmul for tile registers.
struct AMXMatmul {
  mutable PackedMatmulOp op;
  const qtarget::IntrinsicRow &row;
  /// Rows of one tile of the left operand.
  int64_t tileRows;
  /// [M/R][K/64][R][64] and [N/16][K/4][64].
  mlir::Value lhs, rhs;
  /// Where accumulators go on their way to vectors.
  mlir::Value scratch;

  AMXMatmul(PackedMatmulOp op, mlir::OpBuilder &b, AMXBlock block);

  mlir::MemRefType initType() const;
  /// Sizes of `init`, or dynamic.
  int64_t getM() const { return initType().getDimSize(0); }
  int64_t getN() const { return initType().getDimSize(1); }
};

/// Emits a block of tiles whose first panels are `mPanel` and `nPanel`: the
/// accumulators from the column bias, the loop over K, corrections, rescale and
/// stores. Rows past M and columns past N are not stored.
void emitAMXBlock(mlir::OpBuilder &b, mlir::Location loc,
                  const AMXMatmul &matmul, AMXBlock block, mlir::Value mPanel,
                  mlir::Value nPanel);

} // namespace quantmlir

#endif // QUANT_LIB_TARGET_X86_AMXEMIT_H
