//===- ConstantWeight.h - store a constant weight quantized -----*- C++ -*-===//

#ifndef QUANT_IMPORT_CONTRACTION_CONSTANTWEIGHT_H
#define QUANT_IMPORT_CONTRACTION_CONSTANTWEIGHT_H

#include "quant/Calibration/WeightQuantizer.h"
#include "quant/Import/Contraction/RescaledMatmul.h"

namespace quantmlir {

/// Quantizes the constant `matrix`, `[N, K]` or else (`isTransposed` false)
/// `[K, N]`, and makes constants of integers, scales and zero points; 4-bit
/// integers are packed two in a byte. `secondMoments` as quantizeWeight takes
/// them. The integers keep the layout of `matrix`, or are `[N, K]` if `asRows`
/// says so; scales and zero points are of rank 0, `[N]` or `[N, groups]`. On
/// failure `reason` says why.
mlir::FailureOr<QuantizedMatrix>
emitConstantWeight(mlir::OpBuilder &builder, mlir::Location loc,
                   mlir::Value matrix, bool isTransposed, bool asRows,
                   const WeightScheme &scheme,
                   llvm::ArrayRef<float> secondMoments, std::string &reason);

} // namespace quantmlir

#endif // QUANT_IMPORT_CONTRACTION_CONSTANTWEIGHT_H
