//===- QuantizeConstants.h - quantizations of constants ---------*- C++ -*-===//

#ifndef QUANT_DIALECT_QUANT_IR_QUANTIZECONSTANTS_H
#define QUANT_DIALECT_QUANT_IR_QUANTIZECONSTANTS_H

namespace mlir {
class RewritePatternSet;
} // namespace mlir

namespace quantmlir {

/// Evaluates `quant.choose_qparams` and `quant.quantize` of constants of any
/// size; canonicalizing does so with small ones.
void populateQuantizeConstantsPatterns(mlir::RewritePatternSet &patterns);

} // namespace quantmlir

#endif // QUANT_DIALECT_QUANT_IR_QUANTIZECONSTANTS_H
