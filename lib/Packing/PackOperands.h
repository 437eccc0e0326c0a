//===- PackOperands.h - operands in an instruction's layout -----*- C++ -*-===//
//
// Layouts, in index notation: left operand [M/MR][K/KR][MR][KR], right operand
// [N/NR][K/KR][NR][KR], vectors over columns [N/NR][NR]. Padding is 0, which
// adds nothing to a sum. Constants are packed here, at compile time; other
// values by `linalg.pack`.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_LIB_PACKING_PACKOPERANDS_H
#define QUANT_LIB_PACKING_PACKOPERANDS_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/Value.h"

namespace quantmlir {

/// [rows, K] (or [K, rows], `kDim` = 0) to [rows/R][K/KR][R][KR], K padded to a
/// multiple of `kMultiple`, which is one of KR.
mlir::Value packOperand(mlir::OpBuilder &b, mlir::Location loc,
                        mlir::Value value, int64_t kDim, int64_t rowTile,
                        int64_t kTile, int64_t kMultiple);

/// A constant weight of bytes from -8 to 7, [N, K] (or [K, N], `kDim` = 0), to
/// [N/NR][K/2KR][NR][KR] of bytes that hold two: the first KR of a step along K
/// in the low nibbles. Null where `value` is not constant.
mlir::Value packNibbles(mlir::OpBuilder &b, mlir::Location loc,
                        mlir::Value value, int64_t kDim, int64_t nr,
                        int64_t kTile);

/// [N] to [N/NR][NR]. Null and rank 0 stay as they are.
mlir::Value packColumns(mlir::OpBuilder &b, mlir::Location loc,
                        mlir::Value value, int64_t nr);

/// [M] vectors to [R][M], [N] vectors to [R][N/NR][NR].
mlir::Value stackRows(mlir::OpBuilder &b, mlir::Location loc,
                      llvm::ArrayRef<mlir::Value> vectors);
mlir::Value stackColumns(mlir::OpBuilder &b, mlir::Location loc,
                         llvm::ArrayRef<mlir::Value> vectors, int64_t nr);

/// A 4- or 8-bit operand with the bits that the instruction reads: 16-bit
/// signed for `bits` = 16; 8-bit signed or unsigned for `bits` = 8, where a
/// change of sign flips the top bit, and `zeroPointShift` (+128 or -128) says
/// by how much every value moved. Constants are converted at compile time.
/// Unsigned 4-bit constants become signed ones, which moves them by -8.
mlir::Value convertOperand(mlir::OpBuilder &b, mlir::Location loc,
                           mlir::Value value, bool isUnsigned, unsigned bits,
                           bool wantUnsigned, int32_t &zeroPointShift);

} // namespace quantmlir

#endif // QUANT_LIB_PACKING_PACKOPERANDS_H
