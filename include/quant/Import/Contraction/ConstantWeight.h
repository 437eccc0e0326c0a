//===- ConstantWeight.h - store a constant weight quantized -----*- C++ -*-===//

#ifndef QUANT_IMPORT_CONTRACTION_CONSTANTWEIGHT_H
#define QUANT_IMPORT_CONTRACTION_CONSTANTWEIGHT_H

#include "quant/Calibration/WeightQuantizer.h"
#include "quant/Import/Contraction/RescaledMatmul.h"
#include "quant/Reference/Rotation.h"

namespace quantmlir {

/// Quantizes the constant `matrix`, `[N, K]` or else (`isTransposed` false)
/// `[K, N]`, and makes constants of integers, scales and zero points; 4-bit
/// integers are packed two in a byte. `secondMoments` as quantizeWeight takes
/// them. The integers keep the layout of `matrix`; scales and zero points are
/// of rank 0, `[N]` or `[N, groups]`. With `asRows` the integers are `[N, K]`,
/// scales and zero points `[N, groups]`. A `matrix` of rank 3 is several, each
/// quantized on its own: all tensors have its first dimension, too. With a
/// `rotation` the rows of `[N, K]` are rotated first, in f64, rounded once. On
/// failure `reason` says why.
mlir::FailureOr<QuantizedMatrix>
emitConstantWeight(mlir::OpBuilder &builder, mlir::Location loc,
                   mlir::Value matrix, bool isTransposed, bool asRows,
                   const WeightScheme &scheme,
                   llvm::ArrayRef<float> secondMoments, std::string &reason,
                   const Rotation &rotation = {});

} // namespace quantmlir

#endif // QUANT_IMPORT_CONTRACTION_CONSTANTWEIGHT_H
