//===- Options.cpp - the command line of quant-run ------------------------===//

#include "quant/Runtime/Execution/Options.h"

#include "quant/Runtime/Execution/ProgramCommandLine.h"
#include "quant/Runtime/Execution/Provenance.h"

#include <cmath>

using namespace quantmlir;
namespace cl = llvm::cl;

namespace {

/// The options, alive only while the command line is read.
struct CommandLine : public ProgramCommandLine {
  CommandLine() : ProgramCommandLine("quant-run options", {"threads"}) {}

  cl::list<std::string> inputs{"inputs", cl::value_desc("a.npy,b.npy"),
                               cl::CommaSeparated, cl::cat(category),
                               cl::desc("One NPY file for each argument")};
  cl::opt<uint64_t> randomInputs{
      "random-inputs", cl::value_desc("seed"), cl::cat(category),
      cl::desc("Normal floats and integers of the whole range instead")};
  cl::opt<int64_t> dims{
      "dims", cl::value_desc("n"), cl::init(1), cl::cat(category),
      cl::desc("Size of dynamic dimensions of random inputs (default 1)")};
  cl::opt<std::string> outputs{
      "outputs", cl::value_desc("dir"), cl::cat(category),
      cl::desc("Write the results there as out0.npy and on")};
  cl::opt<RunTarget> target{
      "target", cl::init(RunTarget::Generic), cl::cat(category),
      cl::desc("Pipeline that compiles the program"),
      cl::values(
          clEnumValN(RunTarget::Generic, "generic", "portable loops"),
          clEnumValN(RunTarget::X86, "x86", "integer dot-product instructions"),
          clEnumValN(RunTarget::Arm, "arm", "the same on an AArch64 host"),
          clEnumValN(RunTarget::NVVM, "nvvm", "kernels on an NVIDIA GPU"))};
  cl::opt<std::string> chip{
      "chip", cl::value_desc("sm_XX"), cl::init("sm_80"), cl::cat(category),
      cl::desc("nvvm: the chip whose kernels are made (default sm_80)")};
  cl::opt<std::string> cpu{
      "cpu", cl::value_desc("name"), cl::init("host"), cl::cat(category),
      cl::desc(
          "x86, arm: LLVM's name of the CPU whose instructions are chosen")};
  cl::opt<std::string> tune{
      "tune", cl::value_desc("file.json"), cl::cat(category),
      cl::desc(
          "x86: measure tiles and blocks for the program's matmuls on this "
          "machine and write the best, for --schedules")};
  cl::opt<int64_t> shard{
      "shard", cl::value_desc("n"), cl::init(1), cl::cat(category),
      cl::desc("Cut the program over the n processes that mpirun started; "
               "sizes are those of the inputs")};
  cl::opt<unsigned> shardTimeout{
      "shard-timeout", cl::value_desc("seconds"), cl::init(300),
      cl::cat(category),
      cl::desc("--shard: how long a rank waits for another (default 300)")};
  cl::opt<bool> compare{
      "compare", cl::cat(category),
      cl::desc("Run the float program too and compare the results")};
  cl::opt<unsigned> repeat{
      "repeat", cl::value_desc("n"), cl::init(0), cl::cat(category),
      cl::desc("Run n times and print median and least time")};
  cl::opt<bool> profile{
      "profile", cl::cat(category),
      cl::desc("Time every op, over --repeat runs (default 1) after the first, "
               "and print kinds and ops by their time; not for nvvm")};
  cl::list<std::string> calibrate{
      "calibrate", cl::value_desc("dir|a.npy,b.npy"), cl::CommaSeparated,
      cl::cat(category),
      cl::desc("Run the float program over these inputs and write the "
               "statistics of its activations (--stats-output)")};
  cl::opt<std::string> statsOutput{"stats-output", cl::value_desc("file.json"),
                                   cl::cat(category),
                                   cl::desc("Where --calibrate writes")};
  cl::opt<bool> secondMoments{
      "second-moments", cl::cat(category),
      cl::desc("--calibrate: also write X^T X / rows of each matmul, which "
               "error-compensated rounding needs")};
  cl::list<std::string> rotations{
      "rotation", cl::value_desc("hadamard32[:seed]"), cl::CommaSeparated,
      cl::cat(category),
      cl::desc("--calibrate: also observe the activations after these "
               "rotations, which static scales of rotated matmuls need")};
  cl::list<std::string> evaluate{
      "evaluate", cl::value_desc("dir|a.npy,b.npy"), cl::CommaSeparated,
      cl::cat(category),
      cl::desc("Run over these inputs, read as for --calibrate, and write each "
               "result of all of them to --outputs, stacked")};
  cl::opt<std::string> sensitivity{
      "sensitivity", cl::value_desc("file.json"), cl::ValueOptional,
      cl::cat(category),
      cl::desc("Quantize one matmul at a time and rank them by the error of "
               "the results; --inputs may be a folder, or hold several "
               "inputs, as for --calibrate")};
  cl::opt<AutoLevels> automatic{
      "auto",
      cl::ValueOptional,
      cl::init(AutoLevels::None),
      cl::cat(category),
      cl::desc("Choose a scheme or float for each matmul: as few bytes as "
               "--min-sqnr allows over the inputs, or as little error as "
               "--max-bytes allow"),
      cl::values(
          clEnumValN(AutoLevels::Bits, "bits",
                     "4 or 8 bits, all else as --quantize says (default)"),
          clEnumValN(AutoLevels::All, "all",
                     "2, 4 or 8 bits, groups of 32 or 128, rotated or not"),
          clEnumValN(AutoLevels::Bits, "", ""))};
  cl::opt<double> minSqnr{"min-sqnr", cl::value_desc("dB"), cl::cat(category),
                          cl::desc("--auto: least SQNR of the results")};
  cl::opt<unsigned long long> maxBytes{
      "max-bytes", cl::value_desc("bytes"), cl::cat(category),
      cl::desc("--auto: most bytes of the matmuls' weights, with their scales "
               "and zero points")};
  cl::opt<std::string> recipeOutput{
      "recipe-output", cl::value_desc("file.json"), cl::cat(category),
      cl::desc("--auto: write the choice, for --quantize=recipe=FILE")};
  cl::opt<std::string> report{
      "report", cl::value_desc("file.json"), cl::ValueOptional,
      cl::cat(category),
      cl::desc("With --compare and --quantize: compare each matmul. With a "
               "file: write everything that is printed as JSON")};
  cl::opt<std::string> reportHtml{
      "report-html", cl::value_desc("file.html"), cl::cat(category),
      cl::desc("With --compare and --quantize: write a page with plots of each "
               "matmul's error, activations and weight; with --profile: of "
               "where the time goes")};
  cl::opt<bool> print{"print", cl::init(true), cl::cat(category),
                      cl::desc("Print results of up to 64 elements (default)")};
};

} // namespace

llvm::StringRef quantmlir::getTargetName(RunTarget target) {
  switch (target) {
  case RunTarget::Generic:
    return "generic";
  case RunTarget::X86:
    return "x86";
  case RunTarget::Arm:
    return "arm";
  case RunTarget::NVVM:
    return "nvvm";
  }
  llvm_unreachable("all targets are listed");
}

static bool isCPU(RunTarget target) {
  return target == RunTarget::X86 || target == RunTarget::Arm;
}

llvm::Error quantmlir::verifyTargetOptions(const RunOptions &options) {
  constexpr int64_t mostThreads = 1024;
  if (options.threads < 1 || options.threads > mostThreads)
    return llvm::createStringError("--threads: expected 1 to " +
                                   llvm::Twine(mostThreads) + ", found " +
                                   llvm::Twine(options.threads));
  if (options.threads != 1 && !isCPU(options.target))
    return llvm::createStringError(
        "--threads needs --target=x86 or --target=arm");
  if (options.target != RunTarget::X86 && !options.schedules.empty())
    return llvm::createStringError("--schedules needs --target=x86");
  for (llvm::StringRef feature : options.features)
    if (feature.size() < 2 || (feature[0] != '+' && feature[0] != '-'))
      return llvm::createStringError(
          "--features: expected +name or -name, found '" + feature + "'");
  return llvm::Error::success();
}

static llvm::Error verifyInputs(const RunOptions &options, bool hasDims) {
  if (!options.inputs.empty() && options.randomSeed)
    return llvm::createStringError(
        "--inputs and --random-inputs: expected one of them, found both");
  if (options.dynamicSize < 0)
    return llvm::createStringError("--dims: expected a size, found " +
                                   llvm::Twine(options.dynamicSize));
  if (hasDims && !options.randomSeed)
    return llvm::createStringError("--dims needs --random-inputs");
  return llvm::Error::success();
}

/// What quant-run has of a target, beside what all tools have.
static llvm::Error verifyTarget(const RunOptions &options) {
  if (!isCPU(options.target) &&
      (options.cpu != "host" || !options.features.empty()))
    return llvm::createStringError(
        "--cpu and --features need --target=x86 or --target=arm");
  if (options.target != RunTarget::NVVM && options.chip != "sm_80")
    return llvm::createStringError("--chip needs --target=nvvm");
  if (llvm::Error error = verifyTargetOptions(options))
    return error;
  if (options.tune.empty())
    return llvm::Error::success();
  if (options.optLevel != kOptimizationLevel)
    return llvm::createStringError(
        "--tune: expected no -O beside it: kernels are measured as they are "
        "made without");
  if (options.target != RunTarget::X86)
    return llvm::createStringError("--tune needs --target=x86");
  if (!options.schedules.empty())
    return llvm::createStringError(
        "--schedules and --tune: expected one of them, found both");
  return llvm::Error::success();
}

/// What is measured or chosen, at most one of which is asked for.
static llvm::Error verifyModes(const RunOptions &options) {
  if (options.calibrate.empty() != options.statsOutput.empty())
    return llvm::createStringError(
        "--calibrate and --stats-output: expected both or none");
  if (!options.rotations.empty() && options.calibrate.empty())
    return llvm::createStringError("--rotation needs --calibrate");
  if (options.secondMoments && options.calibrate.empty())
    return llvm::createStringError("--second-moments needs --calibrate");
  if (options.sensitivity && !options.quantize)
    return llvm::createStringError(
        "--sensitivity needs --quantize, the scheme that it measures");
  bool isAuto = options.automatic != AutoLevels::None;
  if (!options.recipeOutput.empty() && !isAuto)
    return llvm::createStringError("--recipe-output needs --auto");
  if (!options.evaluate.empty() && options.outputs.empty())
    return llvm::createStringError("--evaluate needs --outputs");
  if (!options.evaluate.empty() &&
      (!options.inputs.empty() || options.randomSeed || options.repeat))
    return llvm::createStringError("--evaluate: expected none of --inputs, "
                                   "--random-inputs and --repeat beside it");
  if (int(!options.calibrate.empty()) + !options.evaluate.empty() +
          options.sensitivity + isAuto + options.compare >
      1)
    return llvm::createStringError("--calibrate, --evaluate, --sensitivity, "
                                   "--auto and --compare: expected one of "
                                   "them");
  if (isAuto && options.quantize && !options.quantize->recipe.empty())
    return llvm::createStringError(
        "--auto: expected --quantize without recipe, which it writes, found '" +
        options.quantize->recipe + "'");
  if ((options.sensitivity || isAuto) &&
      (!options.report.empty() || !options.outputs.empty()))
    return llvm::createStringError("--sensitivity and --auto: expected none of "
                                   "--report and --outputs beside them");
  return llvm::Error::success();
}

/// What not all of those go along with.
static llvm::Error verifyCompany(const RunOptions &options) {
  bool isAuto = options.automatic != AutoLevels::None;
  if (options.profile && options.target == RunTarget::NVVM)
    return llvm::createStringError(
        "--profile: expected a target that runs on a CPU, found nvvm");
  if (options.profile &&
      (!options.calibrate.empty() || !options.evaluate.empty() ||
       options.sensitivity || isAuto || !options.tune.empty()))
    return llvm::createStringError("--profile: expected none of --calibrate, "
                                   "--evaluate, --sensitivity, --auto and "
                                   "--tune beside it");
  if (options.shard < 1)
    return llvm::createStringError("--shard: expected 1 or more, found " +
                                   llvm::Twine(options.shard));
  if (options.shard > 1 &&
      (options.target == RunTarget::NVVM || !options.calibrate.empty() ||
       !options.evaluate.empty() || options.sensitivity || isAuto ||
       !options.tune.empty()))
    return llvm::createStringError(
        "--shard: expected none of --target=nvvm, --calibrate, --evaluate, "
        "--sensitivity, --auto and --tune beside it");
  if (!options.reportHtml.empty() && !options.profile &&
      (!options.compare || !options.quantize))
    return llvm::createStringError(
        "--report-html needs --compare and --quantize, or --profile");
  return llvm::Error::success();
}

static llvm::Error verify(const RunOptions &options, bool hasDims) {
  if (llvm::Error error = verifyInputs(options, hasDims))
    return error;
  if (llvm::Error error = verifyTarget(options))
    return error;
  if (llvm::Error error = verifyModes(options))
    return error;
  return verifyCompany(options);
}

llvm::Expected<QuantizeRequest>
quantmlir::parseQuantizeOption(llvm::StringRef text) {
  auto request = QuantizeRequest::parse(text);
  if (!request)
    return llvm::createStringError(
        "--quantize: expected options of quant-quantize-matmul, found '" +
        text + "': " + llvm::toString(request.takeError()));
  return request;
}

static llvm::Error readRotations(const CommandLine &line, RunOptions &options) {
  for (const std::string &name : line.rotations) {
    std::optional<Rotation> rotation = Rotation::parse(name);
    if (!rotation)
      return llvm::createStringError(
          "--rotation: expected hadamard32 or hadamard128, with `:seed` where "
          "signs are turned, found '" +
          name + "'");
    options.rotations.push_back(*rotation);
  }
  return llvm::Error::success();
}

/// --auto, and what it goes by.
static llvm::Error readAuto(const CommandLine &line, RunOptions &options) {
  options.automatic = line.automatic;
  if (line.minSqnr.getNumOccurrences())
    options.minSqnr = line.minSqnr;
  if (line.maxBytes.getNumOccurrences()) {
    constexpr int64_t most = std::numeric_limits<int64_t>::max();
    if (line.maxBytes > static_cast<uint64_t>(most))
      return llvm::createStringError(
          "--max-bytes: expected up to " + llvm::Twine(most) + ", found " +
          llvm::Twine(static_cast<uint64_t>(line.maxBytes)));
    options.maxBytes = line.maxBytes;
  }
  options.recipeOutput = line.recipeOutput;
  bool isAuto = options.automatic != AutoLevels::None;
  if (!isAuto && (options.minSqnr || options.maxBytes))
    return llvm::createStringError("--min-sqnr and --max-bytes need --auto");
  if (isAuto && options.minSqnr.has_value() == options.maxBytes.has_value())
    return llvm::createStringError(
        "--auto: expected one of --min-sqnr and --max-bytes beside it");
  if (options.minSqnr && !std::isfinite(*options.minSqnr))
    return llvm::createStringError(
        "--min-sqnr: expected a number of dB, found " +
        std::to_string(double(line.minSqnr)));
  return llvm::Error::success();
}

llvm::Expected<RunOptions> quantmlir::parseRunOptions(int argc, char **argv) {
  CommandLine line;
  line.parse(argc, argv,
             "quantize, compile, run and compare an MLIR program\n");
  RunOptions options;
  options.command = quoteCommand(llvm::ArrayRef<const char *>(argv, argc));
  if (llvm::Error error = line.fill(options))
    return std::move(error);
  if (llvm::Error error = readRotations(line, options))
    return std::move(error);
  if (llvm::Error error = readAuto(line, options))
    return std::move(error);
  options.inputs.assign(line.inputs.begin(), line.inputs.end());
  if (line.randomInputs.getNumOccurrences())
    options.randomSeed = line.randomInputs;
  options.dynamicSize = line.dims;
  options.outputs = line.outputs;
  options.target = line.target;
  options.cpu = line.cpu;
  options.chip = line.chip;
  options.tune = line.tune;
  options.shard = line.shard;
  options.shardTimeout = line.shardTimeout;
  options.compare = line.compare;
  options.repeat = line.repeat;
  options.profile = line.profile;
  options.calibrate.assign(line.calibrate.begin(), line.calibrate.end());
  options.statsOutput = line.statsOutput;
  options.evaluate.assign(line.evaluate.begin(), line.evaluate.end());
  options.secondMoments = line.secondMoments;
  options.sensitivity = line.sensitivity.getNumOccurrences() != 0;
  options.sensitivityOutput = line.sensitivity;
  options.report = line.report;
  options.reportHtml = line.reportHtml;
  if (line.reportHtml.getNumOccurrences() && options.reportHtml.empty())
    return llvm::createStringError(
        "--report-html: expected the name of a file, found none");
  options.reportMatmuls =
      options.compare && options.quantize &&
      (line.report.getNumOccurrences() || !options.reportHtml.empty());
  options.print = line.print;
  if (llvm::Error error = verify(options, line.dims.getNumOccurrences() != 0))
    return std::move(error);
  return options;
}
