//===- AutoSearch.h - which form each matmul takes --------------*- C++ -*-===//

#ifndef QUANT_LIB_RUNTIME_SEARCH_AUTOSEARCH_H
#define QUANT_LIB_RUNTIME_SEARCH_AUTOSEARCH_H

#include "quant/Runtime/Search/Sensitivity.h"

#include <map>

namespace quantmlir {

/// Forms that are alternatives to those of other families: of each matmul those
/// of the best family count.
struct FormFamily {
  /// The number of the variant that decides which is the best, from 1 on, and
  /// those that are measured in the best one only.
  unsigned form;
  std::vector<unsigned> others;
};

/// Searches over sums: the errors that single matmuls make add up nearly, as
/// long as they are small and independent.
class AutoSearch {
public:
  explicit AutoSearch(FormMeter &meter) : meter(meter) {}

  /// What a matmul can be, the fewest bytes first, each with less noise than
  /// the one before it; float is last.
  struct Level {
    unsigned form;
    int64_t bytes;
    double noise;
  };
  struct State {
    std::vector<Level> levels;
    size_t now = 0;

    const Level &get() const { return levels[now]; }
  };

  /// Measures each matmul alone, in the forms of each set of families.
  llvm::Error measureLevels(llvm::ArrayRef<std::vector<FormFamily>> families,
                            ProgressStage &progress);
  /// As few bytes as `noise` (relative to the signal) allows: starts from the
  /// fewest, buys, and gives back what is not needed. Every accepted choice was
  /// run.
  llvm::Error reachNoise(double noise);
  /// As little noise as `bytes` allow.
  llvm::Error spendBytes(int64_t bytes);

  llvm::ArrayRef<State> getStates() const { return states; }
  /// Of the last choice that was run.
  const Metrics &getMetrics() const { return metrics; }
  int64_t getNumRuns() const { return numRuns; }
  int64_t countBytes() const;
  /// Of the fewest that there are.
  int64_t countLeastBytes() const;

private:
  llvm::Error measureAlone(size_t matmul, unsigned form);
  llvm::Error measureBest(size_t matmul, llvm::ArrayRef<FormFamily> families);
  llvm::Error measureNow();
  bool upgrade(int64_t bytesLeft);
  llvm::Error giveBack(double budget);
  double predict() const;
  std::string listFloats() const;

  FormMeter &meter;
  std::vector<State> states;
  /// The noise of each form that was measured alone, by matmul.
  std::vector<std::map<unsigned, double>> alone;
  Metrics metrics;
  int64_t numRuns = 0;
};

/// Noise relative to the signal; 0 for +inf, and +inf for NaN.
double getNoise(const Metrics &metrics);

} // namespace quantmlir

#endif // QUANT_LIB_RUNTIME_SEARCH_AUTOSEARCH_H
