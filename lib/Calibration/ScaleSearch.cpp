//===- ScaleSearch.cpp - the scale of the least squared error -------------===//
//
// A scale below the abs-max one clips a few large values and rounds all others
// finer: at 4 bits that is a good trade. The range is shrunk in equal steps,
// the best step is refined between its neighbours, and the least error wins;
// what cannot be compared (NaN, overflow) keeps the abs-max scale.
//
// Two's complement has one integer more below 0 than above it. Full-range
// scales turn that end to either side: with the zero point -1 the integers
// stand for -(2^(b-1) - 1) to 2^(b-1) steps.
//
//===----------------------------------------------------------------------===//

#include "WeightRuns.h"

#include "llvm/Support/ErrorHandling.h"

using namespace llvm;
using namespace quantmlir;

/// The range is tried at 1, 1 - kStep, ... down to kSmallest of its width.
static constexpr double kStep = 0.04;
static constexpr double kSmallest = 0.2;
/// Halvings of the step around the best one.
static constexpr unsigned kRefinements = 3;

namespace {
struct Candidate {
  reference::QParams params;
  double error;
};
} // namespace

static reference::QParams shrink(const reference::Observer &range,
                                 double fraction, const WeightScheme &scheme) {
  reference::Observer smaller;
  smaller.min = static_cast<float>(range.min * fraction);
  smaller.max = static_cast<float>(range.max * fraction);
  return chooseQParams(smaller, scheme);
}

/// The best range; `isMirrored` gives a symmetric scheme's ranges the zero
/// point -1.
static Candidate search(ArrayRef<float> values, ArrayRef<float> importance,
                        const WeightScheme &scheme,
                        const reference::Observer &range, bool isMirrored) {
  auto getCandidate = [&](double fraction) -> Candidate {
    reference::QParams params = shrink(range, fraction, scheme);
    if (isMirrored)
      params.zeroPoint = -1;
    return {params, getSquaredError(values, importance, params, scheme.getMin(),
                                    scheme.getMax())};
  };
  double bestFraction = 1;
  Candidate best = getCandidate(bestFraction);
  auto attempt = [&](double fraction) {
    Candidate candidate = getCandidate(fraction);
    if (!(candidate.error < best.error))
      return;
    best = candidate;
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

/// The value of the largest magnitude is the integer farthest from 0, on the
/// side of its sign.
static reference::QParams chooseFullRange(const reference::Observer &range,
                                          const WeightScheme &scheme) {
  reference::QParams params =
      reference::chooseSymmetric(range, -scheme.getMin());
  params.zeroPoint = range.max > -range.min ? -1 : 0;
  return params;
}

SmallVector<reference::QParams>
quantmlir::getCandidates(ArrayRef<float> values, const WeightScheme &scheme) {
  reference::Observer range;
  observeRun(values, range);
  SmallVector<reference::QParams> candidates;
  for (double fraction = 1; fraction >= kSmallest; fraction -= kStep)
    candidates.push_back(shrink(range, fraction, scheme));
  if (scheme.scaleSearch == WeightScheme::ScaleSearch::FullRangeMSE)
    for (size_t i = 0, e = candidates.size(); i < e; ++i)
      candidates.push_back({candidates[i].scale, -1});
  return candidates;
}

reference::QParams quantmlir::chooseQParams(ArrayRef<float> values,
                                            ArrayRef<float> importance,
                                            const WeightScheme &scheme) {
  reference::Observer range;
  observeRun(values, range);
  auto searchRange = [&](bool isMirrored) {
    return search(values, importance, scheme, range, isMirrored);
  };
  switch (scheme.scaleSearch) {
  case WeightScheme::ScaleSearch::AbsMean: // of WeightGrid.h
  case WeightScheme::ScaleSearch::AbsMax:
    return chooseQParams(range, scheme);
  case WeightScheme::ScaleSearch::MSE:
    return searchRange(/*isMirrored=*/false).params;
  case WeightScheme::ScaleSearch::FullRange:
    return chooseFullRange(range, scheme);
  case WeightScheme::ScaleSearch::FullRangeMSE: {
    Candidate plain = searchRange(/*isMirrored=*/false);
    Candidate mirrored = searchRange(/*isMirrored=*/true);
    return mirrored.error < plain.error ? mirrored.params : plain.params;
  }
  }
  llvm_unreachable("all searches are above");
}
