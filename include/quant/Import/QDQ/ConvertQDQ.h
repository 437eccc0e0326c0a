//===- ConvertQDQ.h - quantize and dequantize as arithmetic -----*- C++ -*-===//
//
// torch-mlir, the ONNX importer and TOSA write QuantizeLinear and
// DequantizeLinear out as elementwise arithmetic. It is recognised by what it
// computes (Elements, StoredElement), in whatever ops it stands.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_IMPORT_QDQ_CONVERTQDQ_H
#define QUANT_IMPORT_QDQ_CONVERTQDQ_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace quantmlir {

/// Rewrites such arithmetic in `root` to `quant.quantize`, `quant.dequantize`
/// and `quant.rescale`. Quantized constants are folded.
void convertQDQ(mlir::Operation *root);

/// Gives contractions in `root` that dequantize in their body operands of their
/// own.
void splitProductBodies(mlir::Operation *root);

/// Reads the parameters of a `quant.dequantize` of one dimension, which a
/// contraction sums along, as those of groups of elements, where they are.
void groupAlongSum(mlir::Operation *dequantize);

/// Folds `quant.quantize` of constants in `root`.
void foldConstantQuantizes(mlir::Operation *root);

/// Puts a constant in the place of `value`, or of what it is moved from, where
/// that is computed from constants alone.
void foldConstant(mlir::Value value);

/// Replaces operands of contractions and convolutions that are computed from
/// constants alone by constants.
void foldConstantOperands(mlir::Operation *root);

/// Whether `op` maps tensors elementwise in its result's iteration order.
bool isElementwise(mlir::linalg::GenericOp op);

} // namespace quantmlir

#endif // QUANT_IMPORT_QDQ_CONVERTQDQ_H
