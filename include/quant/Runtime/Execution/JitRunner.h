//===- JitRunner.h - compile a module in memory and call it -----*- C++ -*-===//
//
// From a module in the LLVM dialect to a function that takes and gives host
// tensors. The code is always generated for the machine it runs on, whatever
// the passes before were told, so that float operations of every target are
// selected alike. Large constants are not copied into the machine code: they
// stay where the module holds them and are bound by address.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_RUNTIME_EXECUTION_JITRUNNER_H
#define QUANT_RUNTIME_EXECUTION_JITRUNNER_H

#include "quant/Runtime/Execution/OptimizationLevel.h"
#include "quant/Runtime/Host/HostTensor.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"

#include <memory>
#include <vector>

namespace mlir {
class ExecutionEngine;
} // namespace mlir

namespace quantmlir {

/// Name and types of the function that is called.
struct Signature {
  std::string name;
  std::vector<HostTensorType> arguments, results;
};

/// Results of one call and how long it took.
struct RunResult {
  std::vector<HostTensor> results;
  double milliseconds = 0;
};

/// Is shown a tensor, in C order, by code that was instrumented
/// (quant-instrument-matmuls).
using ObservationSink = llvm::function_ref<void(
    int64_t id, llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<float> values)>;

/// Is asked by switched code which form a matmul takes (SwitchMatmuls.h).
using FormSource = llvm::function_ref<int64_t(int64_t matmul)>;

/// Executable code of one module.
class JitRunner {
public:
  /// Takes a module in the LLVM dialect in which the function of `signature`
  /// has its C interface (`_mlir_ciface_NAME`); `optLevel` is LLVM's, 0 to 3.
  static llvm::Expected<std::unique_ptr<JitRunner>>
  create(mlir::OwningOpRef<mlir::ModuleOp> module, Signature signature,
         unsigned optLevel = kOptimizationLevel);
  ~JitRunner();

  /// Calls the function. The program may write to its arguments, so it gets
  /// copies, made before the clock starts. A program that stops (a failed
  /// assertion, an index out of range) ends in an error; what it allocated is
  /// lost. Observations go to `sink`; without `choose` every matmul is float.
  llvm::Expected<RunResult> run(llvm::ArrayRef<HostTensor> inputs,
                                ObservationSink sink = nullptr,
                                FormSource choose = nullptr) const;

private:
  JitRunner();
  /// Copies the result that a descriptor describes.
  llvm::Expected<HostTensor> takeResult(const HostTensorType &type,
                                        llvm::ArrayRef<int64_t> words) const;
  /// Copies all results and frees what the program allocated for them.
  llvm::Expected<std::vector<HostTensor>>
  takeResults(llvm::ArrayRef<int64_t> words,
              llvm::ArrayRef<llvm::SmallVector<int64_t>> inputs) const;

  /// Holds the constants that the code refers to: dies after the engine.
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::vector<HostTensor> alignedConstants;
  std::unique_ptr<mlir::ExecutionEngine> engine;
  void (*function)(void **) = nullptr;
  Signature signature;
};

/// Registers what the JIT needs to know about LLVM and the host; may be called
/// more than once.
void initializeJit(mlir::DialectRegistry &registry);

/// Translates a module of the LLVM dialect, optimizes it for this machine and
/// prepares it for execution.
llvm::Expected<std::unique_ptr<mlir::ExecutionEngine>>
createHostEngine(mlir::ModuleOp module, unsigned optLevel = kOptimizationLevel);

} // namespace quantmlir

#endif // QUANT_RUNTIME_EXECUTION_JITRUNNER_H
