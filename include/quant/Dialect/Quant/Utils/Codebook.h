//===- Codebook.h - integers that four bits number --------------*- C++ -*-===//

#ifndef QUANT_DIALECT_QUANT_UTILS_CODEBOOK_H
#define QUANT_DIALECT_QUANT_UTILS_CODEBOOK_H

#include "mlir/IR/Builders.h"

namespace quantmlir {

/// Entries of a code book.
constexpr int64_t kNumCodes = 16;

/// The code book as a constant, `tensor<16xi32>`.
mlir::Value constantCodes(mlir::OpBuilder &b, mlir::Location loc,
                          llvm::ArrayRef<int32_t> codes);

/// The entry of `codes` that `stored`, an i4, numbers.
mlir::Value lookUpCode(mlir::OpBuilder &b, mlir::Location loc,
                       mlir::Value codes, mlir::Value stored);

} // namespace quantmlir

#endif // QUANT_DIALECT_QUANT_UTILS_CODEBOOK_H
