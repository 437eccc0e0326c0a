//===- SwitchedProgram.h - every form of every matmul -----------*- C++ -*-===//
//
// A program that takes each matmul's form from the host (SwitchMatmuls.h),
// compiled once and run as often as wanted.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_RUNTIME_SEARCH_SWITCHEDPROGRAM_H
#define QUANT_RUNTIME_SEARCH_SWITCHEDPROGRAM_H

#include "quant/Instrument/SwitchMatmuls.h"
#include "quant/Runtime/Execution/JitRunner.h"
#include "quant/Runtime/Execution/Options.h"
#include "quant/Runtime/Search/MatmulForm.h"

namespace quantmlir {

/// One matmul of a switched program.
struct SwitchedMatmul {
  MatmulShape shape;
  std::string location;
  bool hasConstantWeight = false;
  std::optional<FloatWeight> weight;
  /// Form 0 is float, form v is that of the v-th variant.
  std::vector<MatmulForm> forms;
};

class SwitchedProgram {
public:
  /// Takes the float program, whose matmuls have names, and how each variant is
  /// quantized.
  static llvm::Expected<std::unique_ptr<SwitchedProgram>>
  create(mlir::OwningOpRef<mlir::ModuleOp> module, const Signature &signature,
         llvm::ArrayRef<QuantizeRequest> variants, const RunOptions &options);

  llvm::ArrayRef<SwitchedMatmul> getMatmuls() const { return matmuls; }
  /// In this form a matmul's result is float's, and its variants are shown.
  unsigned getShadowForm() const { return numVariants + 1; }

  using Sink = llvm::function_ref<void(const SwitchObservation &,
                                       llvm::ArrayRef<int64_t> shape,
                                       llvm::ArrayRef<float> values)>;

  /// Runs with a form for each matmul.
  llvm::Expected<RunResult> run(llvm::ArrayRef<HostTensor> inputs,
                                llvm::ArrayRef<unsigned> forms,
                                Sink sink = nullptr) const;

private:
  unsigned numVariants = 0;
  std::vector<SwitchedMatmul> matmuls;
  std::unique_ptr<JitRunner> runner;
};

} // namespace quantmlir

#endif // QUANT_RUNTIME_SEARCH_SWITCHEDPROGRAM_H
