//===- Calibrate.h - run the float program and watch ------------*- C++ -*-===//

#ifndef QUANT_RUNTIME_DRIVER_CALIBRATE_H
#define QUANT_RUNTIME_DRIVER_CALIBRATE_H

#include "quant/Calibration/Statistics.h"
#include "quant/Runtime/Execution/InputSet.h"
#include "quant/Runtime/Execution/Options.h"

namespace quantmlir {

/// Runs the float program `module` (as it was read) over `inputs` and writes
/// the statistics of its matmuls' activations to `options.statsOutput`. Second
/// moments, if asked for, go to NPY files in a folder beside it. All files
/// appear when all are complete. Gives what was written.
llvm::Expected<Statistics> calibrate(mlir::OwningOpRef<mlir::ModuleOp> module,
                                     const Signature &signature,
                                     InputSet &inputs,
                                     const RunOptions &options);

} // namespace quantmlir

#endif // QUANT_RUNTIME_DRIVER_CALIBRATE_H
