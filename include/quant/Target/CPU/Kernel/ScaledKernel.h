//===- ScaledKernel.h - the grouped matmul's kernel -------------*- C++ -*-===//

#ifndef QUANT_TARGET_CPU_KERNEL_SCALEDKERNEL_H
#define QUANT_TARGET_CPU_KERNEL_SCALEDKERNEL_H

#include "mlir/IR/Builders.h"
#include "quant/Target/IR/MatmulKernelInterface.h"
#include "quant/Target/IR/PackedMatmul.h"

namespace quantmlir {

/// Rows and panels of columns of one tile.
struct ScaledTile {
  int64_t rows, panels;
};

/// What was made of a tile's operands beforehand, where activations are floats;
/// null where nothing was.
struct PreparedFloats {
  /// The panels as floats (WeightOnlyTile.h).
  mlir::Value widened;
  /// Rows in two parts each (SplitFloats.h), and which of them is the tile's
  /// first.
  mlir::Value split, splitRow;
};

/// A bufferized qtarget.packed_matmul with what its emission keeps asking.
struct ScaledKernel {
  mutable qtarget::PackedMatmulOp op;
  /// The vectors' kernel on the packed weight: its own, or the one that reads
  /// panels as wide as a tile's.
  qtarget::MatmulKernelInterface vectors;
  const qtarget::KernelRow &row;
  /// Vector lanes = columns of a panel; groups, and steps over K in each.
  int64_t lanes, groups, steps;
  bool isInt4;
  /// Elements of a column in each byte of the weight.
  int64_t perByte;
  /// The largest tile.
  ScaledTile maxTile = {1, 1};
  /// The weight with the two inner dimensions merged.
  mlir::Value rhs;

  ScaledKernel(qtarget::PackedMatmulOp op,
               qtarget::MatmulKernelInterface vectors, mlir::OpBuilder &b);

  /// The rows of a tile that takes one panel.
  static constexpr int64_t kFewRows = 3;

  /// The panels of a tile of `rows` rows: a few rows take one, so that they
  /// read the weight in the order of memory.
  int64_t getTilePanels(int64_t rows) const;

  /// Elements of a row along K, with those that fill groups and steps.
  int64_t countElements() const;

  mlir::VectorType typed(mlir::Type element) const {
    return mlir::VectorType::get({lanes}, element);
  }
};

/// Emits rows [`firstRow`, + tile.rows) of panels [`panel`, + tile.panels): the
/// loop over groups, the loop over K inside each, the epilogue and the stores.
/// Rows and panels exist; columns past N are masked off.
void emitScaledTile(mlir::OpBuilder &b, mlir::Location loc,
                    const ScaledKernel &kernel, mlir::Value panel,
                    mlir::Value firstRow, ScaledTile tile,
                    PreparedFloats prepared = {});

} // namespace quantmlir

#endif // QUANT_TARGET_CPU_KERNEL_SCALEDKERNEL_H
