//===- StorePrefetch.h - lines that are about to be written -----*- C++ -*-===//

#ifndef QUANT_TARGET_CPU_KERNEL_STOREPREFETCH_H
#define QUANT_TARGET_CPU_KERNEL_STOREPREFETCH_H

#include "mlir/IR/Builders.h"

namespace quantmlir {

/// A block of a matrix that a loop's results go to when it ends.
struct StoredBlock {
  /// The first row and column.
  mlir::Value row, column;
  int64_t rows, columns;
};

/// Asks for the lines of some rows of `block` of `matrix`, to write them: in
/// each of `iterations` iterations, an unknown number where dynamic, a share.
///
/// A store into a line that is not in the cache reads it first, and the rows of
/// a block, a whole row of the matrix apart, fall into few sets of L1, so that
/// these reads wait for each other if they come all at once.
void prefetchStores(mlir::OpBuilder &b, mlir::Location loc, mlir::Value matrix,
                    const StoredBlock &block, mlir::Value iteration,
                    int64_t iterations);

} // namespace quantmlir

#endif // QUANT_TARGET_CPU_KERNEL_STOREPREFETCH_H
