//===- ContiguousRows.h - rows that vectors can read and write --*- C++ -*-===//
//
// Rows whose elements do not follow each other (every other column of a larger
// matrix) cannot be read or stored as vectors: operands are copied before, and
// results are computed apart and copied.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_TARGET_CPU_KERNEL_CONTIGUOUSROWS_H
#define QUANT_TARGET_CPU_KERNEL_CONTIGUOUSROWS_H

#include "mlir/IR/PatternMatch.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"

namespace quantmlir {

/// Whether elements that follow each other in the last `dims` dimensions of a
/// memref, null or of a smaller rank, follow each other in memory.
bool isContiguous(mlir::Value memref, int64_t dims);

/// Lets the bufferized `op` read a copy of `operand` where its rows are not
/// contiguous.
void readContiguousRows(mlir::RewriterBase &b, mlir::Operation *op,
                        mlir::OpOperand &operand);
/// Lets `op` write a buffer that is copied to `operand` where its rows are not
/// contiguous.
void writeContiguousRows(mlir::RewriterBase &b, mlir::Operation *op,
                         mlir::OpOperand &operand);
/// Both, for all inputs and all inits of `op`.
void accessContiguousRows(mlir::RewriterBase &b,
                          mlir::DestinationStyleOpInterface op);

} // namespace quantmlir

#endif // QUANT_TARGET_CPU_KERNEL_CONTIGUOUSROWS_H
