//===- Sensitivity.h - which matmul may be quantized ------------*- C++ -*-===//
//
// Runs a program with one matmul quantized at a time, or with any choice, and
// measures the error of its results over a set of inputs.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_RUNTIME_SEARCH_SENSITIVITY_H
#define QUANT_RUNTIME_SEARCH_SENSITIVITY_H

#include "quant/Runtime/Execution/InputSet.h"
#include "quant/Runtime/Execution/Progress.h"
#include "quant/Runtime/Host/Metrics.h"
#include "quant/Runtime/Search/SwitchedProgram.h"

namespace quantmlir {

/// Measures choices of forms against the float program.
class FormMeter {
public:
  /// Runs the float program once over all inputs.
  static llvm::Expected<FormMeter>
  create(std::unique_ptr<SwitchedProgram> program, InputSet &inputs);

  llvm::ArrayRef<SwitchedMatmul> getMatmuls() const {
    return program->getMatmuls();
  }
  /// The metrics of the float result that is furthest off.
  llvm::Expected<Metrics> measure(llvm::ArrayRef<unsigned> forms);

private:
  std::unique_ptr<SwitchedProgram> program;
  /// By input, the arguments and float's results.
  std::vector<std::vector<HostTensor>> inputs, expected;
};

/// A matmul, and what the model's results lose when only it is quantized.
struct MatmulSensitivity {
  size_t matmul = 0;
  Metrics metrics;
};

/// The worst first.
struct SensitivityReport {
  std::vector<SwitchedMatmul> matmuls;
  std::vector<MatmulSensitivity> ranking;
  /// With every matmul quantized.
  Metrics all;
  int64_t numInputs = 0;
};

llvm::Expected<SensitivityReport>
measureSensitivity(mlir::OwningOpRef<mlir::ModuleOp> module,
                   const Signature &signature, InputSet &inputs,
                   const RunOptions &options);

void printSensitivity(const SensitivityReport &report, llvm::raw_ostream &os);
void printSensitivityJson(const SensitivityReport &report,
                          const RunOptions &options, llvm::raw_ostream &os);

} // namespace quantmlir

#endif // QUANT_RUNTIME_SEARCH_SENSITIVITY_H
