//===- Options.h - the command line of quant-run ----------------*- C++ -*-===//

#ifndef QUANT_RUNTIME_EXECUTION_OPTIONS_H
#define QUANT_RUNTIME_EXECUTION_OPTIONS_H

#include "quant/Quantize/QuantScheme.h"
#include "quant/Runtime/Execution/OptimizationLevel.h"
#include "quant/Shard/Passes.h"
#include "quant/Support/ValueParser.h"

#include <optional>
#include <string>
#include <vector>

namespace quantmlir {

/// Which pipeline compiles the program.
enum class RunTarget { Generic, X86, Arm, NVVM };

/// What --auto chooses for each matmul.
enum class AutoLevels {
  None,
  Bits, // 4 or 8 bits, or float
  All   // 2, 4 or 8 bits, groups, rotations, or float
};

} // namespace quantmlir

QUANT_LIST_VALUES(quantmlir::RunTarget)
QUANT_LIST_VALUES(quantmlir::AutoLevels)

namespace quantmlir {

/// The name of a target on the command line.
llvm::StringRef getTargetName(RunTarget target);

/// What the user asked for.
struct RunOptions {
  /// The command line as it was given.
  std::string command;
  std::string model;
  /// Empty: `main`, or the only public function.
  std::string entry;
  std::vector<std::string> inputs;
  std::optional<uint64_t> randomSeed;
  int64_t dynamicSize = 1;
  /// Empty: results are not written.
  std::string outputs;
  /// How float matmuls are quantized; not set: none is.
  std::optional<QuantizeRequest> quantize;
  RunTarget target = RunTarget::Generic;
  std::string cpu = "host";
  std::vector<std::string> features;
  /// Whether the code is run here, and not on a machine that has all of `cpu`.
  bool forThisMachine = true;
  /// Threads that large matmuls are divided over.
  int64_t threads = 1;
  /// LLVM's -O level, 0 to 3.
  unsigned optLevel = kOptimizationLevel;
  /// File of measured schedules; empty: the cost model's.
  std::string schedules;
  /// Where the schedules go that are measured; empty: none are.
  std::string tune;
  std::string chip = "sm_80";
  /// Processes that the program is cut over.
  int64_t shard = 1;
  Parallelism shardAlong = Parallelism::Auto;
  /// Seconds that a rank waits for another.
  unsigned shardTimeout = 300;
  bool compare = false;
  unsigned repeat = 0;
  /// Whether each op is timed.
  bool profile = false;
  /// Calibration inputs: a folder, or one file for each argument.
  std::vector<std::string> calibrate;
  std::string statsOutput;
  bool secondMoments = false;
  /// Rotations whose activations are observed, too.
  std::vector<Rotation> rotations;
  /// Inputs of many runs, in the same forms.
  std::vector<std::string> evaluate;
  /// Quantize one matmul at a time; where the ranking goes (may be empty).
  bool sensitivity = false;
  std::string sensitivityOutput;
  /// --auto: what is chosen, the least SQNR or the most bytes of weights, and
  /// where the recipe goes (may be empty).
  AutoLevels automatic = AutoLevels::None;
  std::optional<double> minSqnr;
  std::optional<int64_t> maxBytes;
  std::string recipeOutput;
  /// Whether each matmul is compared; where the JSON and the page go.
  bool reportMatmuls = false;
  std::string report, reportHtml;
  bool print = true;
  /// Whether what is not as asked is an error, and not only said.
  bool strict = false;
  bool progress = false;
  bool verbose = false;
};

/// Checks the threads and features of any tool, and what only --target=x86
/// takes.
llvm::Error verifyTargetOptions(const RunOptions &options);

/// Reads the text of `--quantize`.
llvm::Expected<QuantizeRequest> parseQuantizeOption(llvm::StringRef text);

/// Reads the command line; ends the process at --help, --version and at
/// options that are not understood. Fails where options contradict each other.
llvm::Expected<RunOptions> parseRunOptions(int argc, char **argv);

} // namespace quantmlir

#endif // QUANT_RUNTIME_EXECUTION_OPTIONS_H
