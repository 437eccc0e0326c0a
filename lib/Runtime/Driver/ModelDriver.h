//===- ModelDriver.h - one run of quant-run ---------------------*- C++ -*-===//
//
// Driver.cpp runs a program once and reports; ManyRuns.cpp has what runs one
// program many times: calibration, evaluation, searches.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_LIB_RUNTIME_DRIVER_MODELDRIVER_H
#define QUANT_LIB_RUNTIME_DRIVER_MODELDRIVER_H

#include "quant/Runtime/Execution/Diagnostics.h"
#include "quant/Runtime/Execution/Program.h"
#include "quant/Runtime/Execution/Progress.h"
#include "quant/Runtime/Ranks/Watch.h"
#include "quant/Runtime/Report/Report.h"

namespace quantmlir {

/// Carries one run through its stages. Functions that return an error with no
/// message (`reported`) have left a diagnostic.
class ModelDriver {
public:
  ModelDriver(const RunOptions &options, mlir::MLIRContext &context)
      : options(options), context(context),
        diagnostics(&context, options.verbose) {}

  llvm::Error run();
  /// Tells the other ranks, if there are any, that this one has failed.
  void giveUp() {
    if (team)
      team->giveUp();
  }

private:
  llvm::Error runOnce();
  llvm::Error joinRanks();
  llvm::Error cutForRank();
  llvm::Error load();
  llvm::Error runCalibration();
  llvm::Error runEvaluation();
  llvm::Error runSearch();
  llvm::Error printAccount(mlir::ModuleOp program, QuantizeRequest request);
  llvm::Error runTuner();
  llvm::Error write(llvm::StringRef path,
                    llvm::function_ref<void(llvm::raw_ostream &)> print);
  llvm::Error makeInputs();
  llvm::Error makeReference();
  void countMacs();
  llvm::Error quantize();
  llvm::LogicalResult lower(mlir::ModuleOp program);
  llvm::Expected<std::unique_ptr<JitRunner>>
  compile(mlir::OwningOpRef<mlir::ModuleOp> program, llvm::StringRef name,
          llvm::function_ref<llvm::LogicalResult(mlir::ModuleOp)> lower);
  llvm::Expected<std::vector<HostTensor>>
  execute(mlir::OwningOpRef<mlir::ModuleOp> program, llvm::StringRef name,
          llvm::function_ref<llvm::LogicalResult(mlir::ModuleOp)> lower,
          std::optional<int64_t> macs, std::optional<Timing> &timing);
  llvm::Error runReference();
  llvm::Error runStudy();
  llvm::Error probePeak();
  llvm::Error finish();

  ProgressStage stage(const llvm::Twine &name) {
    return ProgressStage(name.str(), options.progress);
  }

  const RunOptions &options;
  mlir::MLIRContext &context;
  DiagnosticCollector diagnostics;
  /// The program on its way, and what it is compared with.
  mlir::OwningOpRef<mlir::ModuleOp> module, twin;
  /// As it was read, for a study of its matmuls.
  mlir::OwningOpRef<mlir::ModuleOp> original;
  Signature signature;
  std::vector<HostTensor> inputs;
  std::optional<int64_t> dynamicMacs;
  RunReport report;
  /// The processes of --shard; null: this one alone.
  std::unique_ptr<RankTeam> team;
  RankTask task;
};

} // namespace quantmlir

#endif // QUANT_LIB_RUNTIME_DRIVER_MODELDRIVER_H
