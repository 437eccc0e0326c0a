//===- LowerColumnPack.h - transposing packs in registers -------*- C++ -*-===//
//
// A right operand [K, N] that is packed at run time: KR rows of the source
// become KR neighbours in memory. Blocks of 8 or 16 columns are loaded as
// vectors and interleaved in registers.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_LIB_TARGET_CPU_VECTORIZE_LOWERCOLUMNPACK_H
#define QUANT_LIB_TARGET_CPU_VECTORIZE_LOWERCOLUMNPACK_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/PatternMatch.h"

namespace quantmlir {

/// Whether `op` is [K, N] to [N/NR][K/KR][NR][KR] with static NR, a multiple
/// of 8, and KR of 2 or 4.
bool isColumnPanelPack(mlir::linalg::PackOp op);

/// Replaces such a pack by loops over blocks, and over elements at the edges.
void lowerColumnPanelPack(mlir::RewriterBase &b, mlir::linalg::PackOp op);

} // namespace quantmlir

#endif // QUANT_LIB_TARGET_CPU_VECTORIZE_LOWERCOLUMNPACK_H
