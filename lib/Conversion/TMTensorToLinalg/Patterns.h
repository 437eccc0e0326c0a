//===- Patterns.h - torch-mlir's ops to linalg ------------------*- C++ -*-===//

#ifndef QUANT_LIB_CONVERSION_TMTENSORTOLINALG_PATTERNS_H
#define QUANT_LIB_CONVERSION_TMTENSORTOLINALG_PATTERNS_H

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/PatternMatch.h"

namespace quantmlir {

/// tm_tensor.attention, to batch_matmul and a softmax of generics.
void populateAttentionToLinalgPatterns(mlir::RewritePatternSet &patterns);
/// tm_tensor.scan, to loops.
void populateScanToSCFPatterns(mlir::RewritePatternSet &patterns);
/// tm_tensor.scatter, to loops.
void populateScatterToSCFPatterns(mlir::RewritePatternSet &patterns);
/// tm_tensor.sort, to loops.
void populateSortToSCFPatterns(mlir::RewritePatternSet &patterns);

/// The block of a region that combines scalars, for `arguments`.
mlir::Value inlineCombination(mlir::OpBuilder &b, mlir::Region &region,
                              mlir::ValueRange arguments);

/// Emits what `outputs` are behind a line along a dimension, of which `others`
/// are the coordinates without it.
using LineEmitter = llvm::function_ref<mlir::scf::ValueVector(
    mlir::OpBuilder &b, mlir::Location loc, mlir::ValueRange others,
    mlir::ValueRange outputs)>;

/// Replaces `op`, of tensors of `rank` dimensions, by loops over all but
/// `dimension`, of sizes `getSize(dim)`, around `emitLine`; they carry
/// `outputs`.
void replaceByLines(mlir::PatternRewriter &b, mlir::Operation *op, int64_t rank,
                    int64_t dimension, mlir::ValueRange outputs,
                    llvm::function_ref<mlir::Value(int64_t dim)> getSize,
                    LineEmitter emitLine);

} // namespace quantmlir

#endif // QUANT_LIB_CONVERSION_TMTENSORTOLINALG_PATTERNS_H
