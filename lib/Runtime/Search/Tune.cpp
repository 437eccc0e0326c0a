//===- Tune.cpp - measure the schedules of a program's matmuls ------------===//

#include "quant/Runtime/Search/Tune.h"

#include "quant/Runtime/Execution/Program.h"
#include "quant/Runtime/Execution/Progress.h"
#include "quant/Runtime/Execution/Reported.h"
#include "quant/Runtime/Host/RandomInputs.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/TargetParser/Host.h"

#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Dialect/Quant/Utils/Constants.h"
#include "quant/Pipelines/Pipelines.h"
#include "quant/Target/CPU/Schedule/ScheduleSpace.h"
#include "quant/Target/IR/PackedMatmul.h"

#include <cmath>
#include <limits>
#include <random>

using namespace mlir;
using namespace quantmlir;

/// Rows at which a matmul is measured whose number of rows is not known.
static constexpr int64_t kRowsOfDynamic[] = {1, 8, 32, 128};
/// Rounds in which every candidate runs once or more, and for how long.
static constexpr int kRounds = 9;
static constexpr double kMillisecondsPerTurn = 2;
/// What another schedule must be better by: less is noise.
static constexpr double kWorthwhile = 0.98;

//===----------------------------------------------------------------------===//
// The program's matmuls
//===----------------------------------------------------------------------===//

namespace {

/// A size and the schedules of the cost model for it.
struct Subject {
  const qtarget::KernelRow *row;
  MatmulSizes sizes;
  qtarget::TargetAttr target;
};

} // namespace

/// Every matmul with a schedule, each size once, in the order of the program.
static llvm::Expected<std::vector<Subject>>
findSubjects(ModuleOp module, const RunOptions &options) {
  if (failed(runQuantStage(module, options)))
    return reported();
  X86PipelineOptions pipeline;
  pipeline.cpu = options.cpu;
  pipeline.features = getTargetFeatures(options.cpu, options.features);
  pipeline.startAfter = Stage::Quant;
  pipeline.stopAfter = Stage::Packed;
  PassManager pm(module.getContext());
  buildX86Pipeline(pm, pipeline);
  if (failed(pm.run(module)))
    return reported();
  std::vector<Subject> subjects;
  auto target = qtarget::TargetAttr::lookup(module);
  module.walk([&](qtarget::PackedMatmulOp op) {
    if (!op.getScheduleAttr())
      return;
    auto lhs = cast<ShapedType>(op.getLhs().getType());
    auto init = cast<ShapedType>(op.getInit().getType());
    Subject subject = {
        &op.getKernel().getRow(),
        {lhs.getDimSize(0), init.getDimSize(1), lhs.getDimSize(1)},
        target};
    bool isConstantSize = !ShapedType::isDynamic(subject.sizes.n) &&
                          !ShapedType::isDynamic(subject.sizes.k);
    auto isSame = [&](const Subject &other) {
      return other.row == subject.row && other.sizes == subject.sizes;
    };
    if (isConstantSize && llvm::none_of(subjects, isSame))
      subjects.push_back(subject);
  });
  if (subjects.empty())
    return llvm::createStringError(
        "--tune: no matmul of the program has a schedule: none is quantized, "
        "or all of them have group scales or AMX tiles");
  return subjects;
}

//===----------------------------------------------------------------------===//
// One candidate
//===----------------------------------------------------------------------===//

/// A matmul by a constant and its rescale to i8: M, N, K, and M if it is
/// dynamic.
static constexpr const char *kProgram = R"(
func.func @main(%x: tensor<{0}x{2}xi8>) -> tensor<{0}x{1}xi8> {
  %w = arith.constant dense<0> : tensor<{1}x{2}xi8>
  %s = arith.constant dense<1.0e-3> : tensor<f32>
  %zero = arith.constant 0 : i32
  %c0 = arith.constant 0 : index
  %m = tensor.dim %x, %c0 : tensor<{0}x{2}xi8>
  %empty = tensor.empty({3}) : tensor<{0}x{1}xi32>
  %init = linalg.fill ins(%zero : i32) outs(%empty : tensor<{0}x{1}xi32>)
      -> tensor<{0}x{1}xi32>
  %acc = quant.matmul ins(%x, %w : tensor<{0}x{2}xi8>, tensor<{1}x{2}xi8>)
      outs(%init : tensor<{0}x{1}xi32>) {{transpose_rhs, lhs_unsigned}
      -> tensor<{0}x{1}xi32>
  %y = quant.rescale %acc channel_scale(%s : tensor<f32>)
      {{range = array<i64: -128, 127>}
      : tensor<{0}x{1}xi32> -> tensor<{0}x{1}xi8>
  return %y : tensor<{0}x{1}xi8>
})";

static OwningOpRef<ModuleOp> buildProgram(MLIRContext *context,
                                          MatmulSizes sizes) {
  bool isDynamic = ShapedType::isDynamic(sizes.m);
  std::string rows = isDynamic ? "?" : std::to_string(sizes.m);
  std::string text =
      llvm::formatv(kProgram, rows, sizes.n, sizes.k, isDynamic ? "%m" : "");
  auto module = parseSourceString<ModuleOp>(text, context);
  module->walk([](arith::ConstantOp op) {
    auto type = dyn_cast<RankedTensorType>(op.getType());
    if (!type || type.getRank() != 2)
      return;
    op.setValueAttr(
        makeTensorAttr(type, "tuned_weight", [](MutableArrayRef<char> bytes) {
          std::minstd_rand engine;
          for (char &byte : bytes)
            byte = static_cast<char>(engine() >> 8);
        }));
  });
  return module;
}

namespace {

/// A compiled schedule and its least times, one for each number of rows.
struct Candidate {
  TunedSchedule schedule;
  std::unique_ptr<JitRunner> runner;
  std::vector<double> least;

  double getMean() const {
    double sum = 0;
    for (double time : least)
      sum += std::log(time);
    return std::exp(sum / least.size());
  }
};

/// Measures the schedules of one size.
class SizeTuner {
public:
  SizeTuner(MLIRContext *context, const Subject &subject,
            const RunOptions &options)
      : context(context), subject(subject), options(options) {}

  llvm::Expected<TunedMatmul> tune();

private:
  llvm::Error makeInputs();
  llvm::Expected<Candidate> compile(const TunedSchedule &schedule);
  llvm::Error runTurn(Candidate &candidate);
  llvm::Expected<Candidate> chooseAmong(ArrayRef<TunedSchedule> schedules);

  MLIRContext *context;
  const Subject &subject;
  RunOptions options;
  std::vector<HostTensor> inputs;
  TunedMatmul tuned;
};

} // namespace

llvm::Error SizeTuner::makeInputs() {
  SmallVector<int64_t> rows = {subject.sizes.m};
  if (ShapedType::isDynamic(subject.sizes.m))
    rows.assign(std::begin(kRowsOfDynamic), std::end(kRowsOfDynamic));
  for (int64_t m : rows) {
    HostTensorType type{HostType::I8, {m, subject.sizes.k}};
    auto random = makeRandomInputs(type, /*seed=*/1, /*dynamicSize=*/1);
    if (!random)
      return random.takeError();
    inputs.push_back(std::move(random->front()));
  }
  return llvm::Error::success();
}

llvm::Expected<Candidate> SizeTuner::compile(const TunedSchedule &schedule) {
  // The pass reads schedules from files, and so is told of this one.
  SmallString<128> path;
  if (std::error_code code =
          llvm::sys::fs::createTemporaryFile("quant-tune", "json", path))
    return llvm::createStringError(code, "--tune: no temporary file");
  llvm::FileRemover remover(path);
  {
    std::error_code code;
    llvm::raw_fd_ostream os(path, code);
    ScheduleFile{"", {schedule}}.print(os);
    os.flush();
    if (std::error_code failed = os.error()) {
      os.clear_error();
      return llvm::createFileError(path, failed);
    }
  }
  options.schedules = path.str().str();
  OwningOpRef<ModuleOp> program = buildProgram(context, subject.sizes);
  auto signature = findEntry(*program, "main");
  if (!signature)
    return signature.takeError();
  if (failed(lowerToLLVM(*program, RunTarget::X86, options)))
    return reported();
  auto runner = JitRunner::create(std::move(program), std::move(*signature));
  if (!runner)
    return runner.takeError();
  constexpr double never = std::numeric_limits<double>::infinity();
  return Candidate{schedule, std::move(*runner),
                   std::vector<double>(inputs.size(), never)};
}

/// One turn: each number of rows for a while.
llvm::Error SizeTuner::runTurn(Candidate &candidate) {
  for (auto [input, least] : llvm::zip_equal(inputs, candidate.least)) {
    double spent = 0;
    do {
      auto result = candidate.runner->run(input);
      if (!result)
        return result.takeError();
      least = std::min(least, result->milliseconds);
      spent += result->milliseconds;
    } while (spent < kMillisecondsPerTurn);
  }
  return llvm::Error::success();
}

/// The best of `schedules`; the first one, unless another is clearly better.
llvm::Expected<Candidate>
SizeTuner::chooseAmong(ArrayRef<TunedSchedule> schedules) {
  std::vector<Candidate> candidates;
  for (const TunedSchedule &schedule : schedules) {
    auto candidate = compile(schedule);
    if (!candidate)
      return candidate.takeError();
    candidates.push_back(std::move(*candidate));
  }
  // By turns, so that a machine that others use as well is fair to all.
  for (int round = 0; round < kRounds; ++round)
    for (Candidate &candidate : candidates)
      if (llvm::Error error = runTurn(candidate))
        return std::move(error);
  if (tuned.numCandidates == 0)
    tuned.chosenMicroseconds = candidates.front().getMean() * 1e3;
  tuned.numCandidates += candidates.size();
  size_t best = 0;
  for (size_t i = 1; i < candidates.size(); ++i) {
    double limit = candidates[best].getMean() * (best == 0 ? kWorthwhile : 1);
    if (candidates[i].getMean() < limit)
      best = i;
  }
  return std::move(candidates[best]);
}

llvm::Expected<TunedMatmul> SizeTuner::tune() {
  if (llvm::Error error = makeInputs())
    return std::move(error);
  auto best = chooseAmong(
      getTileCandidates(*subject.row, subject.sizes, subject.target));
  if (!best)
    return best.takeError();
  tuned.chosen =
      getTileCandidates(*subject.row, subject.sizes, subject.target).front();
  for (bool cutsK : {true, false}) {
    std::vector<TunedSchedule> schedules =
        cutsK ? getBlockKCandidates(*subject.row, best->schedule)
              : getBlockMCandidates(best->schedule);
    if (schedules.size() == 1)
      continue;
    best = chooseAmong(schedules);
    if (!best)
      return best.takeError();
  }
  tuned.best = best->schedule;
  tuned.bestMicroseconds = best->getMean() * 1e3;
  return tuned;
}

//===----------------------------------------------------------------------===//
// All of them
//===----------------------------------------------------------------------===//

llvm::Expected<std::vector<TunedMatmul>>
quantmlir::tuneMatmuls(OwningOpRef<ModuleOp> module,
                       const RunOptions &options) {
  auto subjects = findSubjects(*module, options);
  if (!subjects)
    return subjects.takeError();
  ProgressStage progress("measuring schedules", options.progress);
  std::vector<TunedMatmul> tuned;
  for (const Subject &subject : *subjects) {
    auto matmul = SizeTuner(module->getContext(), subject, options).tune();
    if (!matmul)
      return matmul.takeError();
    tuned.push_back(std::move(*matmul));
    progress.update(tuned.size(), subjects->size());
  }
  return tuned;
}

ScheduleFile quantmlir::makeScheduleFile(ArrayRef<TunedMatmul> matmuls,
                                         const RunOptions &options) {
  ScheduleFile file;
  file.cpu =
      options.cpu == "host" ? llvm::sys::getHostCPUName().str() : options.cpu;
  for (const TunedMatmul &matmul : matmuls)
    file.schedules.push_back(matmul.best);
  return file;
}

void quantmlir::printTuned(ArrayRef<TunedMatmul> matmuls, raw_ostream &os) {
  auto printSchedule = [&](const TunedSchedule &s) {
    os << llvm::formatv("{0,12}", llvm::formatv("{0} x {1}", s.rows, s.columns))
       << llvm::formatv("{0,8}{1,8}", s.blockM, s.blockK);
  };
  os << llvm::formatv("{0,32}{1,38}{2,38}\n", "", "cost model", "measured");
  os << llvm::formatv("{0,24}{1,8}", "M x N x K", "tried");
  for (int side = 0; side < 2; ++side)
    os << llvm::formatv("{0,12}{1,8}{2,8}{3,10}", "tile", "blockM", "blockK",
                        "us");
  os << "\n";
  for (const TunedMatmul &matmul : matmuls) {
    const MatmulSizes &sizes = matmul.chosen.sizes;
    std::string m =
        ShapedType::isDynamic(sizes.m) ? "?" : std::to_string(sizes.m);
    os << llvm::formatv("{0,24}",
                        llvm::formatv("{0} x {1} x {2}", m, sizes.n, sizes.k))
       << llvm::formatv("{0,8}", matmul.numCandidates);
    printSchedule(matmul.chosen);
    os << llvm::format("%10.1f", matmul.chosenMicroseconds);
    printSchedule(matmul.best);
    os << llvm::format("%10.1f\n", matmul.bestMicroseconds);
  }
}
