//===- UnpackNibbles.h - elements of a weight of few bits -------*- C++ -*-===//

#ifndef QUANT_TARGET_CPU_KERNEL_UNPACKNIBBLES_H
#define QUANT_TARGET_CPU_KERNEL_UNPACKNIBBLES_H

#include "quant/Target/CPU/Kernel/ScaledKernel.h"

namespace quantmlir {

/// The elements of a weight of 4 bits that the low, and that the high nibbles
/// of `bytes` are, as bytes that the kernel multiplies: 0 to 15, or entries of
/// the code book.
llvm::SmallVector<mlir::Value> unpackNibbles(mlir::OpBuilder &b,
                                             mlir::Location loc,
                                             const ScaledKernel &kernel,
                                             mlir::Value bytes);

/// The same of a weight of any bits: as many vectors as a byte has elements,
/// `bytes` themselves for those of 8 bits.
llvm::SmallVector<mlir::Value> unpackElements(mlir::OpBuilder &b,
                                              mlir::Location loc,
                                              const ScaledKernel &kernel,
                                              mlir::Value bytes);

/// The four elements of 2 bits of each byte where they lie, unsigned: element i
/// times 4^i.
llvm::SmallVector<mlir::Value> maskPairs(mlir::OpBuilder &b, mlir::Location loc,
                                         mlir::Value bytes);

/// The high nibbles of `bytes` as the low ones, by a shift of words: the high
/// nibbles of the result are whatever came along.
mlir::Value shiftNibbles(mlir::OpBuilder &b, mlir::Location loc,
                         mlir::Value bytes);

} // namespace quantmlir

#endif // QUANT_TARGET_CPU_KERNEL_UNPACKNIBBLES_H
