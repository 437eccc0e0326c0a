//===- AutoScheme.cpp - a scheme for each matmul --------------------------===//

#include "quant/Runtime/Search/AutoScheme.h"

#include "AutoSearch.h"

#include "quant/Dialect/Quant/Utils/DiscardableAttrs.h"
#include "quant/Runtime/Search/MatmulStudy.h"

#include <cmath>

using namespace mlir;
using namespace quantmlir;

namespace {
/// What each matmul may be, and how the variants hang together.
struct Candidates {
  std::vector<QuantizeRequest> variants;
  /// Sets of families: in each the best one counts.
  std::vector<std::vector<FormFamily>> families;

  unsigned add(const QuantizeRequest &variant) {
    variants.push_back(variant);
    return variants.size();
  }
};
} // namespace

/// 4 and 8 bits, all else as it was asked for.
static Candidates getBitCandidates(const QuantizeRequest &base) {
  Candidates all;
  for (unsigned bits : {4, 8}) {
    QuantizeRequest variant = base;
    variant.scheme.weight.setBits(bits);
    all.add(variant);
  }
  all.families = {{{1, {2}}}};
  return all;
}

/// `bits` in groups of `group` elements, or with a scale for each channel. Few
/// bits are no use with scales that clip nothing.
static QuantizeRequest getVariant(const QuantizeRequest &base, unsigned bits,
                                  std::optional<int64_t> group) {
  using Search = WeightScheme::ScaleSearch;
  QuantizeRequest variant = base;
  WeightScheme &weight = variant.scheme.weight;
  weight.setBits(bits);
  weight.granularity = group ? WeightScheme::Granularity::Group
                             : WeightScheme::Granularity::Channel;
  if (group)
    weight.groupSize = *group;
  if (bits < 8 && weight.scaleSearch == Search::AbsMax)
    weight.scaleSearch = Search::MSE;
  return variant;
}

/// Bits and groups, without a rotation and with one: of few bits with the one
/// that is better for 4 bits in short groups. 3 and 6 bits are stored in 4 and
/// 8, so that they buy nothing.
static Candidates getAllCandidates(const QuantizeRequest &base,
                                   RunTarget target) {
  constexpr int64_t shortGroup = 32, longGroup = 128;
  Candidates all;
  all.families.resize(2);
  // Others keep 2 bits in 4.
  bool hasTwoBits = base.scheme.activations != ActivationScheme::Float &&
                    target != RunTarget::NVVM;
  std::vector<RotationScheme> rotations = {base.scheme.rotation};
  if (base.scheme.rotation == RotationScheme::None)
    rotations.push_back(RotationScheme::Hadamard32);
  for (RotationScheme rotation : rotations) {
    QuantizeRequest rotated = base;
    rotated.scheme.rotation = rotation;
    rotated.scheme.weight.format = WeightFormat::Int;
    FormFamily family;
    family.form = all.add(getVariant(rotated, 4, shortGroup));
    for (auto [bits, group] :
         {std::make_pair(2u, std::optional<int64_t>(longGroup)),
          {2u, shortGroup},
          {4u, longGroup}})
      if (bits != 2 || hasTwoBits)
        family.others.push_back(all.add(getVariant(rotated, bits, group)));
    all.families[0].push_back(std::move(family));
    all.families[1].push_back(
        {all.add(getVariant(rotated, 8, std::nullopt)), {}});
  }
  return all;
}

/// What was chosen for one matmul, and what it bought.
static AutoReport::Choice describeChoice(const SwitchedMatmul &matmul,
                                         const AutoSearch::State &state,
                                         const Candidates &candidates,
                                         WeightFormat format) {
  auto toDb = [](double noise) { return -10 * std::log10(noise); };
  const AutoSearch::Level &now = state.get(), &least = state.levels.front();
  AutoReport::Choice choice;
  choice.shape = matmul.shape;
  choice.bits = matmul.forms[now.form].weightBits;
  if (now.form) {
    choice.quantized = candidates.variants[now.form - 1].scheme;
    choice.hasOtherFormat = choice.quantized->weight.format != format;
  }
  choice.scheme = matmul.forms[now.form].scheme;
  choice.weightBytes = now.bytes;
  choice.leastBytes = least.bytes;
  choice.sqnr = toDb(now.noise);
  choice.leastSqnr = toDb(least.noise);
  return choice;
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
  report.wantedDb = options.minSqnr;
  report.maxBytes = options.maxBytes;
  report.numInputs = inputs.size();
  WalkResult given = module->walk([](Operation *op) {
    return op->hasAttr(kSchemeAttr) ? WalkResult::interrupt()
                                    : WalkResult::advance();
  });
  if (given.wasInterrupted())
    return llvm::createStringError("--auto: expected a program without '" +
                                   kSchemeAttr +
                                   "', which goes before any recipe");
  auto base = options.quantize.value_or(QuantizeRequest());
  Candidates candidates = options.automatic == AutoLevels::All
                              ? getAllCandidates(base, options.target)
                              : getBitCandidates(base);
  auto program = SwitchedProgram::create(std::move(module), signature,
                                         candidates.variants, options);
  if (!program)
    return program.takeError();
  progress.emplace("measuring each matmul alone", options.progress);
  auto meter = FormMeter::create(std::move(*program), inputs);
  if (!meter)
    return meter.takeError();
  AutoSearch search(*meter);
  if (llvm::Error error = search.measureLevels(candidates.families, *progress))
    return std::move(error);
  progress.emplace("choosing", options.progress);
  double noise = std::pow(10, -report.wantedDb.value_or(0) / 10);
  if (llvm::Error error = report.maxBytes ? search.spendBytes(*report.maxBytes)
                                          : search.reachNoise(noise))
    return std::move(error);

  report.metrics = search.getMetrics();
  if (!std::isfinite(getNoise(report.metrics)))
    return llvm::createStringError(
        "--auto: expected results whose SQNR is a number, found results that "
        "are not finite, or 0 in the float program");
  report.isMet = report.maxBytes || getNoise(report.metrics) <= noise;
  report.numRuns = search.getNumRuns();
  for (auto [matmul, state] :
       llvm::zip_equal(meter->getMatmuls(), search.getStates())) {
    report.choices.push_back(
        describeChoice(matmul, state, candidates, base.scheme.weight.format));
    report.weightBytes += report.choices.back().weightBytes;
    report.floatBytes += matmul.forms[0].weightBytes;
  }
  return report;
}
