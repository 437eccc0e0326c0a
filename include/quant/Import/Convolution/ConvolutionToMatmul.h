//===- ConvolutionToMatmul.h - convolutions as contractions -----*- C++ -*-===//

#ifndef QUANT_IMPORT_CONVOLUTION_CONVOLUTIONTOMATMUL_H
#define QUANT_IMPORT_CONVOLUTION_CONVOLUTIONTOMATMUL_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/Builders.h"

#include <string>

namespace quantmlir {

/// Whether `op` sums up products over windows of its first input: one of its
/// input's dimensions is walked by more than a loop.
bool isConvolution(mlir::linalg::LinalgOp op);

/// Replaces the convolution `op` by a contraction of its windows, which a copy
/// gathers unless each window is one point, and its filter. Fails and sets
/// `reason` if it is no product of matrices.
mlir::LogicalResult convolutionToMatmul(mlir::linalg::LinalgOp op,
                                        std::string &reason);

/// Why the convolution `op` is no product of matrices; empty when it is one.
std::string explainConvolution(mlir::linalg::LinalgOp op);

} // namespace quantmlir

#endif // QUANT_IMPORT_CONVOLUTION_CONVOLUTIONTOMATMUL_H
