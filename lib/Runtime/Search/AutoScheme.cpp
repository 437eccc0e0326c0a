//===- AutoScheme.cpp - as few bytes as an error allows -------------------===//
//
// The errors that single matmuls make add up nearly, as long as they are small
// and independent, so the search is over sums; a run then says what is true.
// The ratio between both corrects the sums, which is why few runs are needed.
//
//===----------------------------------------------------------------------===//

#include "quant/Runtime/Search/AutoScheme.h"

#include "quant/Runtime/Search/MatmulStudy.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>

using namespace mlir;
using namespace quantmlir;
namespace json = llvm::json;

/// Noise relative to the signal; 0 for +inf, and +inf for NaN.
static double getNoise(const Metrics &metrics) {
  double noise = std::pow(10, -metrics.sqnrDb / 10);
  return std::isnan(noise) ? std::numeric_limits<double>::infinity() : noise;
}

namespace {

class Search {
public:
  Search(FormMeter &meter, double wantedDb)
      : meter(meter), budget(std::pow(10, -wantedDb / 10)) {}

  llvm::Error measureLevels(ProgressStage &progress);
  llvm::Error run();

  /// What a matmul can be, the fewest bytes first; float is last.
  struct Level {
    unsigned form;
    int64_t bytes;
    double noise;
  };
  struct State {
    std::vector<Level> levels;
    size_t now = 0;
    double getNoise() const { return levels[now].noise; }
  };
  std::vector<State> states;
  Metrics metrics;
  int64_t numRuns = 0;
  bool isMet() const { return getNoise(metrics) <= budget; }

private:
  llvm::Error measureNow();
  bool upgrade();
  llvm::Error giveBack();
  double predict() const {
    double sum = 0;
    for (const State &state : states)
      sum += state.getNoise();
    return sum;
  }

  FormMeter &meter;
  double budget;
};

} // namespace

llvm::Error Search::measureLevels(ProgressStage &progress) {
  ArrayRef<SwitchedMatmul> matmuls = meter.getMatmuls();
  std::vector<unsigned> forms(matmuls.size(), 0);
  for (auto [i, matmul] : llvm::enumerate(matmuls)) {
    State state;
    for (unsigned form = 1; form < matmul.forms.size(); ++form) {
      if (!matmul.forms[form].isQuantized)
        continue;
      forms[i] = form;
      auto alone = meter.measure(forms);
      if (!alone)
        return alone.takeError();
      ++numRuns;
      state.levels.push_back(
          {form, matmul.forms[form].weightBytes, getNoise(*alone)});
    }
    forms[i] = 0;
    state.levels.push_back({0, matmul.forms[0].weightBytes, 0});
    // A level that costs as many bytes as a better one is of no use.
    for (size_t l = 0; l + 1 < state.levels.size();)
      if (state.levels[l].noise >= state.levels[l + 1].noise &&
          state.levels[l].bytes >= state.levels[l + 1].bytes &&
          state.levels[l + 1].form != 0)
        state.levels.erase(state.levels.begin() + l);
      else
        ++l;
    states.push_back(std::move(state));
    progress.update(i + 1, matmuls.size());
  }
  return llvm::Error::success();
}

llvm::Error Search::measureNow() {
  std::vector<unsigned> forms;
  for (const State &state : states)
    forms.push_back(state.levels[state.now].form);
  auto measured = meter.measure(forms);
  if (!measured)
    return measured.takeError();
  ++numRuns;
  metrics = *measured;
  return llvm::Error::success();
}

/// Takes the step that removes the most noise for a byte; false when all is
/// float already.
bool Search::upgrade() {
  State *best = nullptr;
  size_t bestLevel = 0;
  double most = -1;
  for (State &state : states)
    for (size_t next = state.now + 1; next < state.levels.size(); ++next) {
      double gain = state.getNoise() - state.levels[next].noise;
      int64_t bytes = state.levels[next].bytes - state.levels[state.now].bytes;
      double rate = gain / std::max<int64_t>(bytes, 1);
      if (rate <= most)
        continue;
      most = rate;
      best = &state;
      bestLevel = next;
    }
  if (!best)
    return false;
  best->now = bestLevel;
  return true;
}

/// Tries to undo steps, those that cost the most bytes for their noise first.
llvm::Error Search::giveBack() {
  struct Step {
    State *state;
    double bytesPerNoise;
  };
  std::vector<Step> steps;
  for (State &state : states)
    if (state.now > 0) {
      const Level &now = state.levels[state.now],
                  &before = state.levels[state.now - 1];
      steps.push_back({&state, (now.bytes - before.bytes) /
                                   std::max(before.noise - now.noise, 1e-30)});
    }
  llvm::stable_sort(steps, [](const Step &a, const Step &b) {
    return a.bytesPerNoise > b.bytesPerNoise;
  });
  Metrics accepted = metrics;
  for (Step &step : steps) {
    double ratio = getNoise(accepted) / std::max(predict(), 1e-30);
    --step.state->now;
    bool isHopeless = predict() * ratio > 1.2 * budget;
    if (!isHopeless)
      if (llvm::Error error = measureNow())
        return error;
    if (isHopeless || !isMet())
      ++step.state->now;
    else
      accepted = metrics;
  }
  metrics = accepted;
  return llvm::Error::success();
}

llvm::Error Search::run() {
  if (llvm::Error error = measureNow())
    return error;
  while (!isMet()) {
    double ratio = getNoise(metrics) / std::max(predict(), 1e-30);
    if (!std::isfinite(ratio))
      ratio = 1;
    // At least one step, or nothing would change.
    bool changed = false;
    do {
      if (!upgrade())
        break;
      changed = true;
    } while (predict() * ratio > budget);
    if (!changed)
      return llvm::Error::success();
    if (llvm::Error error = measureNow())
      return error;
  }
  return giveBack();
}

llvm::Expected<AutoReport>
quantmlir::chooseSchemes(OwningOpRef<ModuleOp> module,
                         const Signature &signature, InputSet &inputs,
                         const RunOptions &options) {
  std::optional<ProgressStage> progress;
  progress.emplace("preparing the switched program", options.progress);
  if (llvm::Error error = prepareFloat(*module))
    return std::move(error);
  AutoReport report;
  report.model = getModelHash(*module);
  report.wantedDb = *options.minSqnr;
  report.numInputs = inputs.size();
  auto base = options.quantize.value_or(QuantizeRequest());
  QuantizeRequest variants[] = {base, base};
  variants[0].scheme.weight.setBits(4);
  variants[1].scheme.weight.setBits(8);
  auto program =
      SwitchedProgram::create(std::move(module), signature, variants, options);
  if (!program)
    return program.takeError();
  progress.emplace("measuring each matmul in 4 and 8 bits", options.progress);
  auto meter = FormMeter::create(std::move(*program), inputs);
  if (!meter)
    return meter.takeError();
  Search search(*meter, report.wantedDb);
  if (llvm::Error error = search.measureLevels(*progress))
    return std::move(error);
  progress.emplace("choosing", options.progress);
  if (llvm::Error error = search.run())
    return std::move(error);

  report.metrics = search.metrics;
  report.isMet = search.isMet();
  report.numRuns = search.numRuns;
  for (auto [matmul, state] :
       llvm::zip_equal(meter->getMatmuls(), search.states)) {
    unsigned form = state.levels[state.now].form;
    AutoReport::Choice choice;
    choice.shape = matmul.shape;
    choice.bits = matmul.forms[form].weightBits;
    if (form) {
      choice.quantized = variants[form - 1].scheme;
      choice.hasOtherFormat =
          choice.quantized->weight.format != base.scheme.weight.format;
    }
    choice.scheme = matmul.forms[form].scheme;
    choice.weightBytes = matmul.forms[form].weightBytes;
    choice.sqnr4 = choice.sqnr8 = std::numeric_limits<double>::infinity();
    for (const Search::Level &level : state.levels)
      if (level.form)
        (level.form == 1 ? choice.sqnr4 : choice.sqnr8) =
            -10 * std::log10(level.noise);
    report.weightBytes += choice.weightBytes;
    report.floatBytes += matmul.forms[0].weightBytes;
    report.choices.push_back(std::move(choice));
  }
  return report;
}

//===----------------------------------------------------------------------===//
// Printing
//===----------------------------------------------------------------------===//

void quantmlir::printAuto(const AutoReport &report, llvm::raw_ostream &os) {
  size_t nameWidth = 6;
  int64_t counts[3] = {0, 0, 0};
  for (const AutoReport::Choice &choice : report.choices) {
    nameWidth = std::max(nameWidth, choice.shape.name.size());
    ++counts[choice.bits / 4];
  }
  os << llvm::left_justify("matmul", nameWidth)
     << llvm::format("  %13s %13s %12s  %s\n", "4 bits alone", "8 bits alone",
                     "weight bytes", "chosen");
  for (const AutoReport::Choice &choice : report.choices)
    os << llvm::left_justify(choice.shape.name, nameWidth)
       << llvm::format("  %10.2f dB %10.2f dB %12lld  ", choice.sqnr4,
                       choice.sqnr8, static_cast<long long>(choice.weightBytes))
       << choice.scheme << "\n";
  os << "chosen: " << counts[1] << " in 4 bits, " << counts[2] << " in 8 bits, "
     << counts[0] << " in float; weights " << report.weightBytes << " bytes of "
     << report.floatBytes
     << llvm::format("\nmeasured over %lld inputs: SQNR %.2f dB, cosine %.6f; "
                     "wanted %.2f dB: %s (%lld measurements)\n",
                     static_cast<long long>(report.numInputs),
                     report.metrics.sqnrDb, report.metrics.cosine,
                     report.wantedDb, report.isMet ? "met" : "NOT met",
                     static_cast<long long>(report.numRuns));
}

/// The options of a rule. The number of bits is what was chosen, so it is said
/// even where it is the default; so is a format that gave way to it.
static std::string getOptions(const AutoReport::Choice &choice) {
  if (!choice.quantized)
    return kNoScheme.str();
  std::string text = choice.quantized->str();
  if (choice.quantized->weight.bits == QuantScheme().weight.bits)
    text += (text.empty() ? "" : " ") + std::string("weight-bits=8");
  if (choice.hasOtherFormat)
    text += " weight-format=int";
  return text;
}

void quantmlir::printRecipe(const AutoReport &report, llvm::raw_ostream &os) {
  os << "{\"version\": 1,\n\"model\": " << json::Value(report.model)
     << ",\n\"matmuls\": [";
  llvm::interleave(
      report.choices,
      [&](const AutoReport::Choice &choice) {
        os << "\n{\"name\": " << json::Value(choice.shape.name)
           << ", \"options\": " << json::Value(getOptions(choice)) << "}";
      },
      [&] { os << ","; });
  os << "]}\n";
}
