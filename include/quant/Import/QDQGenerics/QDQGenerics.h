//===- QDQGenerics.h - quantize and dequantize as linalg.generic -*- C++
//-*-===//
//
// torch-mlir and the ONNX importer write QuantizeLinear and DequantizeLinear
// out as elementwise `linalg.generic` ops. They are recognised by their body,
// whose arithmetic must be that of our ops to the bit.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_IMPORT_QDQGENERICS_QDQGENERICS_H
#define QUANT_IMPORT_QDQGENERICS_QDQGENERICS_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

#include <optional>

namespace quantmlir {

/// Rewrites such ops in `root` to `quant.quantize`, `quant.dequantize` and
/// `quant.rescale`.
void convertQDQGenerics(mlir::Operation *root);

/// `yield scale * fp(ext(q) - ext(zero point))`.
bool convertDequantizeGeneric(mlir::linalg::GenericOp op);
/// `yield scale * fp(sum)`, for sums in i32.
bool convertRescaleGeneric(mlir::linalg::GenericOp op);
/// `yield int(clamp(roundeven(x / scale) + zero point))`.
bool convertQuantizeGeneric(mlir::linalg::GenericOp op);

/// Whether `op` maps tensors elementwise in its result's iteration order.
bool isElementwise(mlir::linalg::GenericOp op);

/// A scale or zero point in the body of an elementwise op: a scalar from
/// outside, or an element of an input that varies along some of the loops.
struct BodyParameter {
  /// The tensor, or the scalar when there are no loops.
  mlir::Value value;
  llvm::SmallVector<int64_t> axes;
  bool isTensor = false;
  /// Whether the tensor has dimensions of size 1 that no loop walks, or one of
  /// an unknown size: it then has more dimensions than there are axes.
  bool hasUnitDims = false;
};

/// Reads `value` of the body of `op` as a parameter.
std::optional<BodyParameter> matchParameter(mlir::linalg::GenericOp op,
                                            mlir::Value value);

/// The tensor of `parameter` with the dimensions that its axes walk only.
mlir::Value emitWithoutUnitDims(mlir::OpBuilder &builder, mlir::Location loc,
                                const BodyParameter &parameter);

/// `parameter` as an f32 scale; null when it is a constant that is not finite
/// and positive.
mlir::Value emitScale(mlir::OpBuilder &builder, mlir::Location loc,
                      const BodyParameter &parameter);

} // namespace quantmlir

#endif // QUANT_IMPORT_QDQGENERICS_QDQGENERICS_H
