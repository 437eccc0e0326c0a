//===- Patterns.h - pattern sets of the reference lowering ------*- C++ -*-===//

#ifndef QUANT_LIB_CONVERSION_QUANTTOLINALG_PATTERNS_H
#define QUANT_LIB_CONVERSION_QUANTTOLINALG_PATTERNS_H

#include "mlir/IR/PatternMatch.h"

namespace quantmlir {

/// quant.choose_qparams, quant.quantize, quant.dequantize.
void populateQuantizeToLinalgPatterns(mlir::RewritePatternSet &patterns);
/// quant.quantize, where many elements have one scale: no division, the same
/// integers.
void populateQuantizeByReciprocalPatterns(mlir::RewritePatternSet &patterns);
/// quant.matmul.
void populateMatmulToLinalgPatterns(mlir::RewritePatternSet &patterns);
/// quant.matmul, to linalg.matmul, batch_matmul and contract of signed
/// integers.
void populateNamedMatmulToLinalgPatterns(mlir::RewritePatternSet &patterns);
/// quant.scaled_matmul; before quant.unpack_int4 and unpack_int2, which it
/// reads through.
void populateScaledMatmulToLinalgPatterns(mlir::RewritePatternSet &patterns);
/// quant.rescale, quant.rescale_fixed_point.
void populateRescaleToLinalgPatterns(mlir::RewritePatternSet &patterns);
/// quant.pack_int4, quant.unpack_int4, and those of int2.
void populateInt4ToLinalgPatterns(mlir::RewritePatternSet &patterns);
/// quant.rotate.
void populateRotateToLinalgPatterns(mlir::RewritePatternSet &patterns);
/// quant.rotate_rows, to quant.rotate, quant.quantize.
void populateRotateRowsPatterns(mlir::RewritePatternSet &patterns);
/// quant.quantize_blocks.
void populateQuantizeBlocksToLinalgPatterns(mlir::RewritePatternSet &patterns);
/// quant.cached_attention.
void populateCachedAttentionToLinalgPatterns(mlir::RewritePatternSet &patterns);
/// quant.matmul with its quant.rescale, to float products of dequantized
/// operands; others are left.
void convertMatmulsToQDQ(mlir::Operation *root);
/// quant.float_attention.
void populateFloatAttentionToLinalgPatterns(mlir::RewritePatternSet &patterns);
/// quant.quantize_rows, to quant.choose_qparams, quant.quantize, linalg.pack.
void populateQuantizeRowsToLinalgPatterns(mlir::RewritePatternSet &patterns);
/// qtarget.packed_matmul, to an unpacked matmul's ops.
void populatePackedMatmulToLinalgPatterns(mlir::RewritePatternSet &patterns);

} // namespace quantmlir

#endif // QUANT_LIB_CONVERSION_QUANTTOLINALG_PATTERNS_H
