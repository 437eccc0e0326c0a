//===- AutoSearch.cpp - which form each matmul takes ----------------------===//
//
// A run says what is true of a choice; the ratio between it and the sum of what
// single matmuls do corrects the sums, which is why few runs are needed.
//
//===----------------------------------------------------------------------===//

#include "AutoSearch.h"

#include <cmath>

using namespace mlir;
using namespace quantmlir;

double quantmlir::getNoise(const Metrics &metrics) {
  double noise = std::pow(10, -metrics.sqnrDb / 10);
  return std::isnan(noise) ? std::numeric_limits<double>::infinity() : noise;
}

double AutoSearch::predict() const {
  double sum = 0;
  for (const State &state : states)
    sum += state.get().noise;
  return sum;
}

int64_t AutoSearch::countBytes() const {
  int64_t sum = 0;
  for (const State &state : states)
    sum += state.get().bytes;
  return sum;
}

int64_t AutoSearch::countLeastBytes() const {
  int64_t sum = 0;
  for (const State &state : states)
    sum += state.levels.front().bytes;
  return sum;
}

llvm::Error AutoSearch::measureAlone(size_t matmul, unsigned form) {
  if (!meter.getMatmuls()[matmul].forms[form].isQuantized)
    return llvm::Error::success();
  std::vector<unsigned> forms(meter.getMatmuls().size(), 0);
  forms[matmul] = form;
  auto measured = meter.measure(forms);
  if (!measured)
    return measured.takeError();
  ++numRuns;
  alone[matmul][form] = getNoise(*measured);
  return llvm::Error::success();
}

/// Levels in ascending order of bytes; one that costs as many as a better one
/// is of no use. Float, the last, stays.
static std::vector<AutoSearch::Level>
sortLevels(const SwitchedMatmul &matmul,
           const std::map<unsigned, double> &noises) {
  using Level = AutoSearch::Level;
  std::vector<Level> all;
  for (auto [form, noise] : noises)
    all.push_back({form, matmul.forms[form].weightBytes, noise});
  llvm::stable_sort(all, [](const Level &a, const Level &b) {
    return std::make_pair(a.bytes, a.noise) < std::make_pair(b.bytes, b.noise);
  });
  std::vector<Level> levels;
  for (const Level &level : all)
    if (levels.empty() || level.noise < levels.back().noise)
      levels.push_back(level);
  // A weight of few elements may take fewer bytes as floats.
  int64_t floatBytes = matmul.forms[0].weightBytes;
  while (!levels.empty() && levels.back().bytes > floatBytes &&
         matmul.hasConstantWeight)
    levels.pop_back();
  levels.push_back({0, floatBytes, 0});
  return levels;
}

/// Measures what decides of every family, and all of the best one.
llvm::Error AutoSearch::measureBest(size_t matmul,
                                    ArrayRef<FormFamily> families) {
  const FormFamily *best = &families.front();
  for (const FormFamily &family : families) {
    if (llvm::Error error = measureAlone(matmul, family.form))
      return error;
    auto found = alone[matmul].find(family.form),
         before = alone[matmul].find(best->form);
    if (found != alone[matmul].end() &&
        (before == alone[matmul].end() || found->second < before->second))
      best = &family;
  }
  for (unsigned form : best->others)
    if (llvm::Error error = measureAlone(matmul, form))
      return error;
  return llvm::Error::success();
}

llvm::Error
AutoSearch::measureLevels(ArrayRef<std::vector<FormFamily>> families,
                          ProgressStage &progress) {
  ArrayRef<SwitchedMatmul> matmuls = meter.getMatmuls();
  alone.resize(matmuls.size());
  for (auto [i, matmul] : llvm::enumerate(matmuls)) {
    for (const std::vector<FormFamily> &set : families)
      if (llvm::Error error = measureBest(i, set))
        return error;
    states.push_back({sortLevels(matmul, alone[i])});
    progress.update(i + 1, matmuls.size());
  }
  return llvm::Error::success();
}

llvm::Error AutoSearch::measureNow() {
  std::vector<unsigned> forms;
  for (const State &state : states)
    forms.push_back(state.get().form);
  auto measured = meter.measure(forms);
  if (!measured)
    return measured.takeError();
  ++numRuns;
  metrics = *measured;
  return llvm::Error::success();
}

/// Takes the step that removes the most noise for a byte, of those that cost
/// `bytesLeft` at most; false when there is none.
bool AutoSearch::upgrade(int64_t bytesLeft) {
  State *best = nullptr;
  size_t bestLevel = 0;
  double most = -1;
  for (State &state : states)
    for (size_t next = state.now + 1; next < state.levels.size(); ++next) {
      double gain = state.get().noise - state.levels[next].noise;
      // Of all that is no number, too.
      if (std::isnan(gain))
        continue;
      int64_t bytes = state.levels[next].bytes - state.get().bytes;
      double rate = gain / std::max<int64_t>(bytes, 1);
      if (rate <= most || bytes > bytesLeft)
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
llvm::Error AutoSearch::giveBack(double budget) {
  struct Step {
    State *state;
    double bytesPerNoise;
  };
  std::vector<Step> steps;
  for (State &state : states)
    if (state.now > 0) {
      const Level &now = state.get(), &before = state.levels[state.now - 1];
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
    if (isHopeless || !(getNoise(metrics) <= budget))
      ++step.state->now;
    else
      accepted = metrics;
  }
  metrics = accepted;
  return llvm::Error::success();
}

llvm::Error AutoSearch::reachNoise(double noise) {
  if (llvm::Error error = measureNow())
    return error;
  while (!(getNoise(metrics) <= noise)) {
    double ratio = getNoise(metrics) / std::max(predict(), 1e-30);
    if (!std::isfinite(ratio))
      ratio = 1;
    // At least one step, or nothing would change.
    bool changed = false;
    do {
      if (!upgrade(std::numeric_limits<int64_t>::max()))
        break;
      changed = true;
    } while (predict() * ratio > noise);
    if (!changed)
      return llvm::Error::success();
    if (llvm::Error error = measureNow())
      return error;
  }
  return giveBack(noise);
}

/// Weights that take no bytes less than as floats, for a diagnostic.
std::string AutoSearch::listFloats() const {
  constexpr unsigned most = 4;
  std::string text;
  unsigned count = 0;
  for (auto [matmul, state] : llvm::zip_equal(meter.getMatmuls(), states))
    if (const Level &least = state.levels.front();
        least.form == 0 && least.bytes != 0 && ++count <= most)
      text += (text.empty() ? "" : ", ") + matmul.shape.name + ": " +
              std::to_string(least.bytes);
  if (text.empty())
    return text;
  return " (as floats " + text + (count > most ? ", ..." : "") + ")";
}

llvm::Error AutoSearch::spendBytes(int64_t bytes) {
  if (int64_t least = countLeastBytes(); least > bytes)
    return llvm::createStringError(
        "--max-bytes: expected " + llvm::Twine(least) +
        " or more, which the weights take at least" + listFloats() +
        ", found " + llvm::Twine(bytes));
  // Small steps at good rates may leave no room for a large one: that is tried
  // first, too, for every matmul and level. Sums of noise choose, no runs.
  std::vector<size_t> best;
  double least = std::numeric_limits<double>::infinity();
  auto spendFrom = [&](State *first, size_t level) {
    for (State &state : states)
      state.now = &state == first ? level : 0;
    if (countBytes() > bytes)
      return;
    while (upgrade(bytes - countBytes()))
      ;
    if (!best.empty() && !(predict() < least))
      return;
    least = predict();
    best.clear();
    for (const State &state : states)
      best.push_back(state.now);
  };
  spendFrom(nullptr, 0);
  for (State &state : states)
    for (size_t level = 1; level < state.levels.size(); ++level)
      spendFrom(&state, level);
  for (auto [state, level] : llvm::zip_equal(states, best))
    state.now = level;
  return measureNow();
}
