//===- Patterns.h - torch-mlir's ops to linalg ------------------*- C++ -*-===//

#ifndef QUANT_LIB_CONVERSION_TMTENSORTOLINALG_PATTERNS_H
#define QUANT_LIB_CONVERSION_TMTENSORTOLINALG_PATTERNS_H

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

} // namespace quantmlir

#endif // QUANT_LIB_CONVERSION_TMTENSORTOLINALG_PATTERNS_H
