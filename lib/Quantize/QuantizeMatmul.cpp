//===- QuantizeMatmul.cpp - float contractions into integer ones ----------===//
//
// `quant-quantize-matmul`: finds every float contraction, asks which scheme it
// gets, and leaves the rest to SchemeRewriter. What stays in float gets a
// remark with the reason.
//
//===----------------------------------------------------------------------===//

#include "SchemeRewriter.h"

#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Dialect/Quant/Utils/LeftReason.h"
#include "quant/Import/Contraction/ChosenWeight.h"
#include "quant/Import/Contraction/ContractionMatcher.h"
#include "quant/Import/Contraction/FuseBias.h"
#include "quant/Import/Contraction/NamedMatmuls.h"
#include "quant/Import/Linalg/ImportContraction.h"
#include "quant/Import/MatmulNames.h"
#include "quant/Import/QuantCasts/QuantCasts.h"
#include "quant/Quantize/Recipe.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"

namespace quantmlir {
#define GEN_PASS_DEF_QUANTQUANTIZEMATMULPASS
#include "quant/Quantize/Passes.h.inc"
} // namespace quantmlir

using namespace mlir;
using namespace quantmlir;

namespace {

struct QuantQuantizeMatmulPass
    : quantmlir::impl::QuantQuantizeMatmulPassBase<QuantQuantizeMatmulPass> {
  using Base::Base;

  void runOnOperation() override;

private:
  QuantQuantizeMatmulPassOptions getOptions() const;
  LogicalResult loadSelection(ModuleOp module);
  FailureOr<std::shared_ptr<SchemeRewriter>>
  createScheme(ModuleOp module, StringRef options, Location loc);
  FailureOr<SchemeRewriter *> getScheme(ModuleOp module, Operation *op,
                                        std::string &reason);
  void leave(linalg::LinalgOp op, bool asAsked, StringRef reason);
  LogicalResult quantizeActivations(ModuleOp module, int64_t &seen,
                                    int64_t &quantized);
  void warnOfUnusedRules();

  std::vector<MatmulPattern> included, excluded;
  Recipe rules;
  /// The pass's own scheme; those of rules and of `quant.scheme`, by their
  /// options.
  std::shared_ptr<SchemeRewriter> ownScheme;
  llvm::StringMap<std::shared_ptr<SchemeRewriter>> schemes;
};

} // namespace

QuantQuantizeMatmulPassOptions QuantQuantizeMatmulPass::getOptions() const {
  QuantQuantizeMatmulPassOptions options;
  options.weightBits = weightBits;
  options.activationBits = activationBits;
  options.weights = weights;
  options.groupSize = groupSize;
  options.weightSymmetric = weightSymmetric;
  options.weightScale = weightScale;
  options.rounding = rounding;
  options.damping = damping;
  options.activationOrder = activationOrder;
  options.stats = stats;
  options.activations = activations;
  options.observer = observer;
  options.attention = attention;
  options.symmetric = symmetric;
  return options;
}

//===----------------------------------------------------------------------===//
// Which matmul gets which scheme
//===----------------------------------------------------------------------===//

/// Reads `include`, `exclude` and `recipe`.
LogicalResult QuantQuantizeMatmulPass::loadSelection(ModuleOp module) {
  auto fail = [&](llvm::Error error) {
    return emitError(module.getLoc()) << llvm::toString(std::move(error));
  };
  for (auto [texts, patterns] :
       {std::make_pair(&include, &included), {&exclude, &excluded}}) {
    auto created =
        createPatterns(SmallVector<std::string>(texts->begin(), texts->end()));
    if (!created)
      return fail(created.takeError());
    *patterns = std::move(*created);
  }
  if (recipe.empty())
    return success();
  auto read = Recipe::read(recipe);
  if (!read)
    return fail(read.takeError());
  rules = std::move(*read);
  std::string hash = getModelHash(module);
  if (!rules.model.empty() && rules.model != hash)
    return emitError(module.getLoc())
           << "recipe '" << recipe << "': it is for another program: expected "
           << "model " << hash << ", found " << rules.model;
  return success();
}

/// The scheme that has the pass's own options with `text` on top.
FailureOr<std::shared_ptr<SchemeRewriter>>
QuantQuantizeMatmulPass::createScheme(ModuleOp module, StringRef text,
                                      Location loc) {
  QuantQuantizeMatmulPass parsed;
  parsed.copyOptionValuesFrom(this);
  // Enumerations complain on their own, without a call of `onError`.
  auto onError = [&](const Twine &message) {
    if (!message.isTriviallyEmpty())
      emitError(loc) << message;
    return failure();
  };
  if (failed(parsed.initializeOptions(text, onError))) {
    emitError(loc) << "cannot read the scheme '" << text << "'";
    return failure();
  }
  auto scheme = std::make_shared<SchemeRewriter>(parsed.getOptions());
  if (failed(scheme->prepare(module, loc)))
    return failure();
  return scheme;
}

/// Whether one of `patterns` fits `op`. All are asked: each notes that it did.
static bool fitsAny(std::vector<MatmulPattern> &patterns, Operation *op) {
  return llvm::count_if(
      patterns, [&](MatmulPattern &pattern) { return pattern.matches(op); });
}

/// Whose options `op` is quantized with; null, with the reason, when it stays
/// in float.
FailureOr<SchemeRewriter *>
QuantQuantizeMatmulPass::getScheme(ModuleOp module, Operation *op,
                                   std::string &reason) {
  std::string text;
  if (auto own = op->getAttrOfType<StringAttr>(kSchemeAttr)) {
    text = own.getValue().str();
  } else {
    bool isIncluded = included.empty() || fitsAny(included, op);
    bool isExcluded = fitsAny(excluded, op);
    if (!isIncluded || isExcluded) {
      reason = "include and exclude leave it out";
      return nullptr;
    }
    std::optional<size_t> rule = rules.find(op);
    if (!rule)
      return ownScheme.get();
    text = rules.rules[*rule].options;
  }
  if (StringRef(text).trim() == kNoScheme) {
    reason = "the recipe leaves it in float";
    return nullptr;
  }
  auto known = schemes.find(text);
  if (known != schemes.end())
    return known->second.get();
  auto created = createScheme(module, text, op->getLoc());
  if (failed(created))
    return failure();
  return (schemes[text] = std::move(*created)).get();
}

/// `op` with the integers that the program gives for its weight, if it does.
/// Returns the op in its place, or null.
static Operation *importWeight(linalg::LinalgOp op) {
  // The ops that are emitted stand between these.
  Operation *before = op->getPrevNode(), *after = op->getNextNode();
  std::string ignored;
  if (failed(importContraction(op, /*weightOnly=*/true, ignored)))
    return nullptr;
  for (Operation *emitted = after->getPrevNode(); emitted != before;
       emitted = emitted->getPrevNode())
    if (isa<ScaledMatmulOp, MatmulOp>(emitted))
      return emitted;
  return nullptr;
}

/// Says why `op` is not quantized, and keeps the integers that it has anyway.
void QuantQuantizeMatmulPass::leave(linalg::LinalgOp op, bool asAsked,
                                    StringRef reason) {
  ++numSkipped;
  Location loc = op->getLoc();
  if (Operation *imported = importWeight(op)) {
    // Activations are float if nobody asks for more.
    if (!asAsked) {
      noteReason(imported, kSchemeDroppedAttr, reason);
      emitRemark(loc) << "activations stay in float: " << reason;
    }
    return;
  }
  noteReason(op, asAsked ? kLeftAsAskedAttr : kLeftAttr, reason);
  emitRemark(loc) << "matmul stays in float: " << reason;
}

/// Products that were imported with their weight in integers: their groups
/// stay, their activations get the scheme's.
LogicalResult QuantQuantizeMatmulPass::quantizeActivations(ModuleOp module,
                                                           int64_t &seen,
                                                           int64_t &quantized) {
  SmallVector<ScaledMatmulOp> candidates;
  module.walk([&](ScaledMatmulOp op) {
    if (!op.hasIntegerLhs())
      candidates.push_back(op);
  });
  for (ScaledMatmulOp op : candidates) {
    ++numMatmuls;
    ++seen;
    std::string reason;
    Location loc = op.getLoc();
    FailureOr<SchemeRewriter *> scheme = getScheme(module, op, reason);
    if (failed(scheme))
      return failure();
    if (*scheme && succeeded((*scheme)->quantizeActivations(op, reason))) {
      ++numQuantized;
      ++quantized;
      continue;
    }
    ++numSkipped;
    if (!*scheme)
      continue;
    noteReason(op, kSchemeDroppedAttr, reason);
    emitRemark(loc) << "activations stay in float: " << reason;
  }
  return success();
}

void QuantQuantizeMatmulPass::warnOfUnusedRules() {
  auto warn = [&](const Twine &where, const MatmulPattern &pattern) {
    if (!pattern.wasUsed())
      emitWarning(getOperation().getLoc())
          << where << ": no matmul fits '" << pattern.getText() << "'";
  };
  for (const MatmulPattern &pattern : included)
    warn("include", pattern);
  for (const MatmulPattern &pattern : excluded)
    warn("exclude", pattern);
  for (const Recipe::Rule &rule : rules.rules)
    warn("recipe '" + std::string(recipe) + "'", rule.pattern);
}

void QuantQuantizeMatmulPass::runOnOperation() {
  ModuleOp module = getOperation();
  if (!recipe.empty() || !include.empty() || !exclude.empty())
    nameMatmuls(module);
  ownScheme = std::make_shared<SchemeRewriter>(getOptions());
  if (failed(ownScheme->prepare(module, module.getLoc())) ||
      failed(loadSelection(module)))
    return signalPassFailure();
  if (ownScheme->wantsStatic() && failed(convertQuantCasts(getOperation())))
    return signalPassFailure();

  sliceLookups(getOperation());
  // The statistics are compiled out of release builds: these are not.
  int64_t seen = 0, quantized = 0;
  SmallVector<linalg::LinalgOp> candidates;
  getOperation()->walk([&](linalg::LinalgOp op) {
    if (op.getNumReductionLoops() != 0)
      candidates.push_back(op);
  });
  // Statistics are proven to be of the program as it is before any rewriting.
  for (linalg::LinalgOp op : candidates) {
    std::string reason;
    FailureOr<Contraction> contraction = matchContraction(op, reason);
    if (succeeded(contraction) && contraction->isFloat() &&
        failed(getScheme(module, op, reason)))
      return signalPassFailure();
  }
  if (failed(quantizeActivations(module, seen, quantized)))
    return signalPassFailure();
  for (linalg::LinalgOp op : candidates) {
    std::string reason;
    // Matched only now: a rewriting before may have changed the operands.
    FailureOr<Contraction> contraction = matchContraction(op, reason);
    bool isUnusual = failed(contraction) && !reason.empty() &&
                     isa<FloatType>(getElementTypeOrSelf(
                         op.getDpsInits().front().getType()));
    if (!isUnusual && (failed(contraction) || !contraction->isFloat()))
      continue;
    ++numMatmuls;
    ++seen;
    FailureOr<SchemeRewriter *> scheme = ownScheme.get();
    if (!isUnusual)
      scheme = getScheme(module, op, reason);
    if (failed(scheme))
      return signalPassFailure();
    if (isUnusual || !*scheme ||
        failed((*scheme)->rewrite(*contraction, reason))) {
      leave(op, /*asAsked=*/!isUnusual && !*scheme, reason);
      continue;
    }
    ++numQuantized;
    ++quantized;
  }
  fuseBias(module);
  warnOfUnusedRules();
  if (report)
    getOperation()->emitRemark()
        << quantized << " of " << seen << " float matmuls quantized, "
        << seen - quantized << " left in float";
}
