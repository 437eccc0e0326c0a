//===- Driver.h - what quant-run does ---------------------------*- C++ -*-===//

#ifndef QUANT_RUNTIME_DRIVER_DRIVER_H
#define QUANT_RUNTIME_DRIVER_DRIVER_H

#include "quant/Runtime/Execution/Options.h"

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace quantmlir {

/// Reads, quantizes, compiles, runs, compares and reports as `options` say.
/// Models may use the dialects of `registry`. Returns the exit status; what
/// went wrong is on stderr.
int runModel(const RunOptions &options, mlir::DialectRegistry &registry);

} // namespace quantmlir

#endif // QUANT_RUNTIME_DRIVER_DRIVER_H
