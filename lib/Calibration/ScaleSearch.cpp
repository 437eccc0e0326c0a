//===- ScaleSearch.cpp - the scale of the least squared error -------------===//
//
// A scale below the abs-max one clips a few large values and rounds all others
// finer: at 4 bits that is a good trade. The range is shrunk in equal steps,
// the best step is refined between its neighbours, and the least error wins;
// what cannot be compared (NaN, overflow) keeps the abs-max scale.
//
//===----------------------------------------------------------------------===//

#include "WeightRuns.h"

using namespace llvm;
using namespace quantmlir;

/// The range is tried at 1, 1 - kStep, ... down to kSmallest of its width.
static constexpr double kStep = 0.04;
static constexpr double kSmallest = 0.2;
/// Halvings of the step around the best one.
static constexpr unsigned kRefinements = 3;

static reference::QParams shrink(const reference::Observer &range,
                                 double fraction, const WeightScheme &scheme) {
  reference::Observer smaller;
  smaller.min = static_cast<float>(range.min * fraction);
  smaller.max = static_cast<float>(range.max * fraction);
  return chooseQParams(smaller, scheme);
}

reference::QParams quantmlir::chooseQParams(ArrayRef<float> values,
                                            ArrayRef<float> importance,
                                            const WeightScheme &scheme) {
  reference::Observer range;
  observeRun(values, range);
  reference::QParams best = chooseQParams(range, scheme);
  if (scheme.scaleSearch == WeightScheme::ScaleSearch::AbsMax)
    return best;
  double bestFraction = 1;
  double least = getSquaredError(values, importance, best, scheme.getMin(),
                                 scheme.getMax());
  auto attempt = [&](double fraction) {
    reference::QParams params = shrink(range, fraction, scheme);
    double error = getSquaredError(values, importance, params, scheme.getMin(),
                                   scheme.getMax());
    if (!(error < least))
      return;
    least = error;
    best = params;
    bestFraction = fraction;
  };
  for (double fraction = 1 - kStep; fraction >= kSmallest; fraction -= kStep)
    attempt(fraction);
  double step = kStep;
  for (unsigned i = 0; i < kRefinements; ++i) {
    step /= 2;
    double center = bestFraction;
    attempt(center - step);
    if (center + step <= 1)
      attempt(center + step);
  }
  return best;
}
