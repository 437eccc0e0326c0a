//===- OperandTiles.h - how an operand lies in memory -----------*- C++ -*-===//

#ifndef QUANT_TARGET_IR_OPERANDTILES_H
#define QUANT_TARGET_IR_OPERANDTILES_H

#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/Hashing.h"

namespace quantmlir::qtarget {

/// Elements of an operand of a packed matmul, and the tiles that they are in:
/// `s8`, rows as they are; `u4 16x8`, 16 rows (of the right operand: columns)
/// by 8 elements along K; `f32`, rows of floats.
struct OperandTiles {
  unsigned bits = 8;
  bool isUnsigned = false;
  /// Of one tile; 0 where there are none.
  int64_t rows = 0, k = 0;
  bool isFloat = false;

  bool isTiled() const { return rows != 0; }
  bool operator==(const OperandTiles &other) const {
    return bits == other.bits && isUnsigned == other.isUnsigned &&
           rows == other.rows && k == other.k && isFloat == other.isFloat;
  }
  bool operator!=(const OperandTiles &other) const { return !(*this == other); }
};

inline llvm::hash_code hash_value(const OperandTiles &tiles) {
  return llvm::hash_combine(tiles.bits, tiles.isUnsigned, tiles.rows, tiles.k,
                            tiles.isFloat);
}

llvm::raw_ostream &operator<<(llvm::raw_ostream &os, const OperandTiles &tiles);

} // namespace quantmlir::qtarget

template <>
struct mlir::FieldParser<quantmlir::qtarget::OperandTiles> {
  static mlir::FailureOr<quantmlir::qtarget::OperandTiles>
  parse(mlir::AsmParser &parser);
};

#endif // QUANT_TARGET_IR_OPERANDTILES_H
