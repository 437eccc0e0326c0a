//===- CalibratedMatmuls.h - statistics of a program's matmuls --*- C++ -*-===//

#ifndef QUANT_QUANTIZE_CALIBRATEDMATMULS_H
#define QUANT_QUANTIZE_CALIBRATEDMATMULS_H

#include "quant/Calibration/Statistics.h"

#include "mlir/IR/BuiltinOps.h"

namespace quantmlir {

/// The statistics that belong to the matmuls of one program.
class CalibratedMatmuls {
public:
  CalibratedMatmuls() = default;

  /// Reads the file at `path` and proves that it is of `module`, whose matmuls
  /// are named first if they are not. Errors are emitted on the module.
  static mlir::FailureOr<CalibratedMatmuls> load(mlir::ModuleOp module,
                                                 llvm::StringRef path);

  /// Statistics of the matmul that `op` is; null where there are none.
  const MatmulStatistics *find(mlir::Operation *op) const;

private:
  Statistics statistics;
};

} // namespace quantmlir

#endif // QUANT_QUANTIZE_CALIBRATEDMATMULS_H
