//===- Driver.cpp - what quant-run does -----------------------------------===//

#include "quant/Runtime/Driver/Driver.h"

#include "ModelDriver.h"

#include "quant/Runtime/Cuda/CudaRuntime.h"
#include "quant/Runtime/Execution/Reported.h"
#include "quant/Runtime/Host/FileSet.h"
#include "quant/Runtime/Host/Npy.h"
#include "quant/Runtime/Host/RandomInputs.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>
#include <numeric>

using namespace mlir;
using namespace quantmlir;

llvm::Error ModelDriver::load() {
  ProgressStage progress = stage("reading " + options.model);
  module = loadProgram(options.model, &context);
  if (!module)
    return reported();
  auto found = findEntry(*module, options.entry);
  if (!found)
    return llvm::createStringError(options.model + ": " +
                                   llvm::toString(found.takeError()));
  signature = std::move(*found);
  if (failed(keepOnly(*module, signature.name)))
    return reported();
  report.model = options.model;
  report.entry = signature.name;
  report.target = getTargetName(options.target).str();
  return llvm::Error::success();
}

/// Writes a file, if there is a path.
llvm::Error
ModelDriver::write(StringRef path,
                   llvm::function_ref<void(llvm::raw_ostream &)> print) {
  FileSet files;
  if (path.empty())
    return llvm::Error::success();
  if (llvm::Error error = files.add(path, print))
    return error;
  return files.keep();
}

llvm::Error ModelDriver::makeInputs() {
  if (options.randomSeed) {
    auto random = makeRandomInputs(signature.arguments, *options.randomSeed,
                                   options.dynamicSize);
    if (!random)
      return random.takeError();
    inputs = std::move(*random);
    return llvm::Error::success();
  }
  if (options.inputs.size() != signature.arguments.size()) {
    std::string types;
    for (const HostTensorType &type : signature.arguments)
      types += (types.empty() ? " (" : ", ") + type.str();
    return llvm::createStringError(
        "'" + signature.name + "': expected " +
        Twine(signature.arguments.size()) + " inputs" + types +
        (types.empty() ? "" : ")") + ", found " + Twine(options.inputs.size()) +
        " (--inputs=A.npy,... or --random-inputs=SEED)");
  }
  for (auto [path, type] : llvm::zip(options.inputs, signature.arguments)) {
    auto tensor = readNpy(path, type);
    if (!tensor)
      return tensor.takeError();
    inputs.push_back(std::move(*tensor));
  }
  return llvm::Error::success();
}

/// Makes the float program while the module is still as it was read.
llvm::Error ModelDriver::makeReference() {
  ProgressStage progress = stage("making the float program");
  twin = OwningOpRef<ModuleOp>(module->clone());
  // Remarks about a program that is only the reference concern nobody.
  diagnostics.setQuiet(true);
  LogicalResult made = makeFloatTwin(*twin);
  diagnostics.setQuiet(false);
  if (failed(made))
    return reported();
  if (options.reportMatmuls)
    original = OwningOpRef<ModuleOp>(module->clone());
  ReferenceReport reference;
  reference.name = "float";
  reference.facts = getProgramFacts(*twin);
  report.reference = std::move(reference);
  return llvm::Error::success();
}

/// Multiply-adds of a program with dynamic sizes, for the sizes of the inputs.
void ModelDriver::countMacs() {
  bool isDynamic = llvm::any_of(signature.arguments, [](const auto &type) {
    return ShapedType::isDynamicShape(type.shape);
  });
  if (!options.repeat || !isDynamic)
    return;
  OwningOpRef<ModuleOp> exact(module->clone());
  if (succeeded(specialize(*exact, signature, inputs)))
    dynamicMacs = getProgramFacts(*exact).macs;
}

llvm::Error ModelDriver::quantize() {
  countMacs();
  ProgressStage progress = stage("importing and quantizing");
  auto results = runQuantStage(*module, options, options.strict);
  if (failed(results))
    return reported();
  report.facts = getProgramFacts(*module);
  if (!report.facts.macs)
    report.facts.macs = dynamicMacs;
  report.products = ProductSummary::of(results->products);
  if (!report.reference)
    return llvm::Error::success();
  ReferenceReport &reference = *report.reference;
  if (!reference.facts.macs)
    reference.facts.macs = dynamicMacs;
  if (report.facts.numIntegerMatmuls == 0) {
    reference.note = "no matmul is quantized";
  } else if (reference.facts.numIntegerMatmuls != 0) {
    reference.note = "the program's matmuls are integer ones, so there is no "
                     "float program: compared with target generic";
    reference.name = "generic";
    reference.facts = report.facts;
    twin = OwningOpRef<ModuleOp>(module->clone());
  }
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// Ranks
//===----------------------------------------------------------------------===//

llvm::Error ModelDriver::joinRanks() {
  if (options.shard == 1)
    return llvm::Error::success();
  auto joined = RankTeam::join(options.shard, options.shardTimeout);
  if (!joined)
    return joined.takeError();
  team = std::move(*joined);
  return llvm::Error::success();
}

/// The quant stage's program becomes that of this rank.
llvm::Error ModelDriver::cutForRank() {
  if (!team)
    return llvm::Error::success();
  ProgressStage progress = stage("cutting the program over ranks");
  task = RankTask::of(*module, inputs);
  ShardFacts facts;
  if (failed(cutToRank(*module, options, team->getRank(), team->getLibrary(),
                       facts)))
    return reported();
  report.shard = facts;
  return llvm::Error::success();
}

/// By the pipeline of the target; notes what that had no kernel for.
LogicalResult ModelDriver::lower(ModuleOp program) {
  if (failed(lowerToLLVM(program, options.target, options, options.strict)))
    return failure();
  report.products.addPortable(program);
  return success();
}

llvm::Expected<std::unique_ptr<JitRunner>>
ModelDriver::compile(OwningOpRef<ModuleOp> program, StringRef name,
                     llvm::function_ref<LogicalResult(ModuleOp)> lower) {
  {
    ProgressStage progress = stage("lowering, " + name);
    if (failed(lower(*program)))
      return reported();
  }
  ProgressStage progress = stage("generating code, " + name);
  return JitRunner::create(std::move(program), signature, options.optLevel);
}

static Timing summarize(std::vector<double> times,
                        std::optional<int64_t> macs) {
  llvm::sort(times);
  size_t middle = times.size() / 2;
  Timing timing;
  timing.repeats = times.size();
  timing.least = times.front();
  timing.median = times.size() % 2 ? times[middle]
                                   : (times[middle - 1] + times[middle]) / 2;
  if (macs.value_or(0) > 0 && timing.median > 0)
    timing.gmacPerSecond = static_cast<double>(*macs) / timing.median * 1e-6;
  return timing;
}

llvm::Expected<std::vector<HostTensor>>
ModelDriver::execute(OwningOpRef<ModuleOp> program, StringRef name,
                     llvm::function_ref<LogicalResult(ModuleOp)> lower,
                     std::optional<int64_t> macs,
                     std::optional<Timing> &timing) {
  auto runner = compile(std::move(program), name, lower);
  if (!runner)
    return runner.takeError();
  ProgressStage progress = stage("running, " + name);
  std::unique_ptr<RankTeam::Watch> watch;
  if (team) {
    if (llvm::Error error = team->agree(task))
      return std::move(error);
    watch = team->watch("while the program ran");
  }
  auto first = (*runner)->run(inputs);
  if (!first)
    return first.takeError();
  // The first run warms the caches and does not count.
  std::vector<double> times;
  resetProfile();
  unsigned repeats =
      options.profile ? std::max(options.repeat, 1u) : options.repeat;
  for (unsigned i = 0; i < repeats; ++i) {
    auto again = (*runner)->run(inputs);
    if (!again)
      return again.takeError();
    times.push_back(again->milliseconds);
  }
  // The reference is not instrumented.
  if (options.profile && name == report.target && !report.profile)
    report.profile =
        takeProfile(repeats, std::accumulate(times.begin(), times.end(), 0.0));
  if (options.repeat)
    timing = summarize(std::move(times), macs);
  return std::move(first->results);
}

llvm::Error ModelDriver::runReference() {
  ReferenceReport &reference = *report.reference;
  bool isFloat = reference.name == "float";
  auto lower = [&](ModuleOp program) {
    return isFloat ? lowerFloatTwinToLLVM(program)
                   : lowerToLLVM(program, RunTarget::Generic, options);
  };
  auto results = execute(std::move(twin), reference.name, lower,
                         reference.facts.macs, reference.timing);
  if (!results)
    return results.takeError();
  for (auto [expected, found] : llvm::zip_equal(*results, report.results)) {
    auto metrics = compare(expected, found);
    if (!metrics)
      return metrics.takeError();
    reference.metrics.push_back(*metrics);
  }
  return llvm::Error::success();
}

llvm::Error ModelDriver::runStudy() {
  ProgressStage progress = stage("comparing matmul by matmul");
  auto findings = studyMatmuls(std::move(original), signature, inputs, options);
  if (!findings)
    return findings.takeError();
  report.matmuls = std::move(*findings);
  return llvm::Error::success();
}

/// Called before and after the runs: a machine that others use as well is not
/// equally fast all the time, and the peak is the best that was seen.
llvm::Error ModelDriver::probePeak() {
  if (!options.repeat || options.target != RunTarget::X86)
    return llvm::Error::success();
  ProgressStage progress = stage("measuring the peak");
  auto peak = measurePeak(canUseTiles(options.cpu, options.features));
  if (!peak)
    return peak.takeError();
  if (!report.peak || report.peak->gmacPerSecond < peak->gmacPerSecond)
    report.peak = *peak;
  return llvm::Error::success();
}

/// Writes the files, then prints: what is printed has happened.
llvm::Error ModelDriver::finish() {
  // One of the ranks speaks for all.
  if (team && team->getRank() != 0)
    return llvm::Error::success();
  if (!options.outputs.empty())
    if (llvm::Error error = writeNpyFiles(options.outputs, report.results))
      return error;
  if (!options.report.empty())
    if (llvm::Error error = writeJsonReport(report, options))
      return error;
  if (llvm::Error error = write(options.reportHtml, [&](llvm::raw_ostream &os) {
        printHtmlReport(report, options, os);
      }))
    return error;
  printReport(report, options.print, llvm::outs());
  return llvm::Error::success();
}

llvm::Error ModelDriver::run() {
  if (llvm::Error error = joinRanks())
    return error;
  return runOnce();
}

llvm::Error ModelDriver::runOnce() {
  if (options.target == RunTarget::X86)
    if (llvm::Error error = verifyHostCanRun(options.cpu, options.features))
      return error;
  if (options.target == RunTarget::Arm)
    if (llvm::Error error = verifyHostIsArm())
      return error;
  if (options.target == RunTarget::NVVM)
    if (const char *problem = quantGpuProblem())
      return llvm::createStringError(llvm::Twine("--target=nvvm: ") + problem);
  if (llvm::Error error = load())
    return error;
  if (!options.calibrate.empty())
    return runCalibration();
  if (!options.evaluate.empty())
    return runEvaluation();
  if (options.sensitivity || options.automatic != AutoLevels::None)
    return runSearch();
  if (!options.tune.empty())
    return runTuner();
  if (llvm::Error error = makeInputs())
    return error;
  if (options.compare)
    if (llvm::Error error = makeReference())
      return error;
  if (team && failed(fixSizes(*module, signature, inputs)))
    return reported();
  if (llvm::Error error = quantize())
    return error;
  if (llvm::Error error = cutForRank())
    return error;
  if (llvm::Error error = probePeak())
    return error;
  auto results = execute(
      std::move(module), report.target,
      [&](ModuleOp program) { return lower(program); }, report.facts.macs,
      report.timing);
  if (!results)
    return results.takeError();
  report.results = std::move(*results);
  if (report.reference)
    if (llvm::Error error = runReference())
      return error;
  if (llvm::Error error = probePeak())
    return error;
  if (options.reportMatmuls)
    if (llvm::Error error = runStudy())
      return error;
  return finish();
}

int quantmlir::runModel(const RunOptions &options, DialectRegistry &registry) {
  initializeJit(registry);
  MLIRContext context(registry);
  int status = 0;
  ModelDriver driver(options, context);
  llvm::handleAllErrors(
      driver.run(), [&](const Reported &) { status = 1; },
      [&](const llvm::ErrorInfoBase &error) {
        // At once: other ranks write to the same place.
        llvm::errs() << "error: " + error.message() + "\n";
        status = 1;
      });
  if (status)
    driver.giveUp();
  return status;
}
