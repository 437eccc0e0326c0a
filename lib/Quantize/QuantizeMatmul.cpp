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
#include "quant/Import/VerifyReshapes.h"
#include "quant/Quantize/Passes.h"
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
  QuantQuantizeMatmulPass(const QuantizeRequest &request,
                          std::vector<MatmulOutcome> *outcomes)
      : results(outcomes) {
    setRequest(request);
  }

  LogicalResult initializeOptions(
      StringRef text,
      function_ref<LogicalResult(const Twine &)> errorHandler) override;
  void runOnOperation() override;

private:
  void setRequest(const QuantizeRequest &asked);
  LogicalResult loadSelection(ModuleOp module);
  FailureOr<std::optional<QuantScheme>> chooseScheme(Operation *op,
                                                     std::string &reason);
  FailureOr<SchemeRewriter *> getRewriter(const QuantScheme &scheme);
  FailureOr<SchemeRewriter *> getScheme(Operation *op, std::string &reason);
  MatmulOutcome &addOutcome(Operation *op);
  void leave(linalg::LinalgOp op, MatmulOutcome &outcome);
  void finish(MatmulOutcome &outcome, SchemeRewriter &rewriter,
              QuantScheme applied);
  LogicalResult quantizeActivations(ModuleOp module);
  LogicalResult quantize(linalg::LinalgOp op);
  void count();
  void warnOfUnusedRules();

  QuantizeRequest request;
  std::vector<MatmulPattern> included, excluded;
  Recipe rules;
  /// One for each scheme, by what it prints.
  llvm::StringMap<std::shared_ptr<SchemeRewriter>> rewriters;
  /// Of every float matmul; they go to `results`, if anybody wants them.
  std::vector<MatmulOutcome> outcomes;
  std::vector<MatmulOutcome> *results;
};

} // namespace

std::unique_ptr<Pass>
quantmlir::createQuantQuantizeMatmulPass(const QuantizeRequest &request,
                                         std::vector<MatmulOutcome> *outcomes) {
  return std::make_unique<QuantQuantizeMatmulPass>(request, outcomes);
}

//===----------------------------------------------------------------------===//
// What is asked for
//===----------------------------------------------------------------------===//

LogicalResult QuantQuantizeMatmulPass::initializeOptions(
    StringRef text, function_ref<LogicalResult(const Twine &)> errorHandler) {
  auto parsed = QuantizeRequest::parse(text);
  if (!parsed)
    return errorHandler(llvm::toString(parsed.takeError()));
  setRequest(*parsed);
  return success();
}

/// The options only show the request to who prints a pipeline.
void QuantQuantizeMatmulPass::setRequest(const QuantizeRequest &asked) {
  request = asked;
  const QuantScheme &scheme = request.scheme;
  weightFormat = scheme.weight.format;
  weightBits = scheme.weight.bits;
  activationBits = scheme.activationBits;
  weights = scheme.weight.granularity;
  groupSize = scheme.weight.groupSize;
  weightSymmetric = scheme.weight.symmetric;
  weightScale = scheme.weight.scaleSearch;
  scaleType = scheme.weight.scaleType;
  rounding = scheme.weight.rounding;
  damping = scheme.weight.damping;
  activationOrder = scheme.weight.activationOrder;
  stats = scheme.stats;
  activations = scheme.activations;
  blockSize = scheme.blockSize;
  activationScales = scheme.activationScales;
  observer = scheme.observer;
  attention = scheme.attention;
  symmetric = scheme.symmetric;
  rotation = scheme.rotation;
  rotationSeed = scheme.rotationSeed;
  include = ArrayRef<std::string>(request.include);
  exclude = ArrayRef<std::string>(request.exclude);
  recipe = request.recipe;
  report = request.report;
}

//===----------------------------------------------------------------------===//
// Which matmul gets which scheme
//===----------------------------------------------------------------------===//

/// Reads `include`, `exclude` and `recipe`.
LogicalResult QuantQuantizeMatmulPass::loadSelection(ModuleOp module) {
  auto fail = [&](llvm::Error error) {
    return emitError(module.getLoc()) << llvm::toString(std::move(error));
  };
  for (auto [texts, patterns] : {std::make_pair(&request.include, &included),
                                 {&request.exclude, &excluded}}) {
    auto created = createPatterns(*texts);
    if (!created)
      return fail(created.takeError());
    *patterns = std::move(*created);
  }
  if (request.recipe.empty())
    return success();
  auto read = Recipe::read(request.recipe, request.scheme);
  if (!read)
    return fail(read.takeError());
  rules = std::move(*read);
  std::string hash = getModelHash(module);
  if (!rules.model.empty() && rules.model != hash)
    return emitError(module.getLoc())
           << "recipe '" << request.recipe
           << "': it is for another program: expected "
           << "model " << hash << ", found " << rules.model;
  return success();
}

/// Whether one of `patterns` fits `op`. All are asked: each notes that it did.
static bool fitsAny(std::vector<MatmulPattern> &patterns, Operation *op) {
  return llvm::count_if(
      patterns, [&](MatmulPattern &pattern) { return pattern.matches(op); });
}

/// How `op` is quantized; nothing, with the reason, when it stays in float.
FailureOr<std::optional<QuantScheme>>
QuantQuantizeMatmulPass::chooseScheme(Operation *op, std::string &reason) {
  std::optional<QuantScheme> scheme = request.scheme;
  if (auto own = op->getAttrOfType<StringAttr>(kSchemeAttr)) {
    auto parsed = QuantScheme::parseOrNone(own, request.scheme);
    if (!parsed) {
      emitError(op->getLoc()) << "attribute '" << kSchemeAttr
                              << "': " << llvm::toString(parsed.takeError());
      return failure();
    }
    scheme = std::move(*parsed);
  } else {
    bool isIncluded = included.empty() || fitsAny(included, op);
    bool isExcluded = fitsAny(excluded, op);
    if (!isIncluded || isExcluded) {
      reason = "include and exclude leave it out";
      return {std::nullopt};
    }
    if (const Recipe::Rule *rule = rules.find(op))
      scheme = rule->scheme;
  }
  if (!scheme)
    reason = "the recipe leaves it in float";
  return scheme;
}

/// What quantizes by `scheme`, the same for equal ones.
FailureOr<SchemeRewriter *>
QuantQuantizeMatmulPass::getRewriter(const QuantScheme &scheme) {
  std::shared_ptr<SchemeRewriter> &rewriter = rewriters[scheme.str()];
  if (!rewriter) {
    rewriter = std::make_shared<SchemeRewriter>(scheme);
    if (failed(rewriter->prepare(getOperation())))
      return failure();
  }
  return rewriter.get();
}

/// Who quantizes `op`; null, with the reason, when it stays in float.
FailureOr<SchemeRewriter *>
QuantQuantizeMatmulPass::getScheme(Operation *op, std::string &reason) {
  FailureOr<std::optional<QuantScheme>> scheme = chooseScheme(op, reason);
  if (failed(scheme))
    return failure();
  return *scheme ? getRewriter(**scheme) : nullptr;
}

/// What becomes of `op`, which may be gone when that is known.
MatmulOutcome &QuantQuantizeMatmulPass::addOutcome(Operation *op) {
  outcomes.push_back({op->getLoc(), getMatmulName(op).str()});
  return outcomes.back();
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
void QuantQuantizeMatmulPass::leave(linalg::LinalgOp op,
                                    MatmulOutcome &outcome) {
  StringRef reason = outcome.reason;
  if (Operation *imported = importWeight(op)) {
    outcome.kind = MatmulOutcome::Kind::ActivationsFloat;
    // Activations are float if nobody asks for more.
    if (!outcome.asAsked) {
      noteReason(imported, kSchemeDroppedAttr, reason);
      emitRemark(outcome.location) << "activations stay in float: " << reason;
    }
    return;
  }
  noteReason(op, outcome.asAsked ? kLeftAsAskedAttr : kLeftAttr, reason);
  emitRemark(outcome.location) << "matmul stays in float: " << reason;
}

/// Notes that a matmul was quantized by `rewriter`, and says where it could not
/// do all of the scheme.
void QuantQuantizeMatmulPass::finish(MatmulOutcome &outcome,
                                     SchemeRewriter &rewriter,
                                     QuantScheme applied) {
  outcome.kind = MatmulOutcome::Kind::Quantized;
  outcome.scheme = std::move(applied);
  outcome.missing = rewriter.takeMissing();
  if (!outcome.missing.empty())
    emitRemark(outcome.location) << outcome.missing;
}

/// Products that were imported with their weight in integers: their groups
/// stay, their activations get the scheme's.
LogicalResult QuantQuantizeMatmulPass::quantizeActivations(ModuleOp module) {
  SmallVector<ScaledMatmulOp> candidates;
  module.walk([&](ScaledMatmulOp op) {
    if (!op.hasIntegerLhs())
      candidates.push_back(op);
  });
  for (ScaledMatmulOp op : candidates) {
    MatmulOutcome &outcome = addOutcome(op);
    FailureOr<SchemeRewriter *> rewriter = getScheme(op, outcome.reason);
    if (failed(rewriter))
      return failure();
    FailureOr<QuantScheme> applied = failure();
    if (*rewriter)
      applied = (*rewriter)->quantizeActivations(op, outcome.reason);
    if (succeeded(applied)) {
      finish(outcome, **rewriter, std::move(*applied));
      continue;
    }
    outcome.kind = MatmulOutcome::Kind::ActivationsFloat;
    outcome.asAsked = !*rewriter;
    if (outcome.asAsked)
      continue;
    noteReason(op, kSchemeDroppedAttr, outcome.reason);
    emitRemark(outcome.location)
        << "activations stay in float: " << outcome.reason;
  }
  return success();
}

/// A contraction of floats; others are none of this pass's.
LogicalResult QuantQuantizeMatmulPass::quantize(linalg::LinalgOp op) {
  std::string reason;
  // Matched only now: a rewriting before may have changed the operands.
  FailureOr<Contraction> contraction = matchContraction(op, reason);
  bool isUnusual =
      failed(contraction) && !reason.empty() &&
      isa<FloatType>(getElementTypeOrSelf(op.getDpsInits().front().getType()));
  if (!isUnusual && (failed(contraction) || !contraction->isFloat()))
    return success();
  MatmulOutcome &outcome = addOutcome(op);
  outcome.reason = std::move(reason);
  FailureOr<SchemeRewriter *> rewriter = nullptr;
  if (!isUnusual)
    rewriter = getScheme(op, outcome.reason);
  if (failed(rewriter))
    return failure();
  FailureOr<QuantScheme> applied = failure();
  if (*rewriter)
    applied = (*rewriter)->rewrite(*contraction, outcome.reason);
  if (succeeded(applied)) {
    finish(outcome, **rewriter, std::move(*applied));
    return success();
  }
  outcome.asAsked = !isUnusual && !*rewriter;
  leave(op, outcome);
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
    warn("recipe '" + request.recipe + "'", rule.pattern);
}

void QuantQuantizeMatmulPass::runOnOperation() {
  ModuleOp module = getOperation();
  if (failed(verifyReshapes(module)))
    return signalPassFailure();
  if (!request.recipe.empty() || !request.include.empty() ||
      !request.exclude.empty())
    nameMatmuls(module);
  // Statistics that are not of the program are an error, even if no matmul
  // asks for them.
  if (failed(getRewriter(request.scheme)) || failed(loadSelection(module)))
    return signalPassFailure();
  if (request.scheme.isStatic() && failed(convertQuantCasts(getOperation())))
    return signalPassFailure();

  sliceLookups(getOperation());
  SmallVector<linalg::LinalgOp> candidates;
  module.walk([&](linalg::LinalgOp op) {
    if (op.getNumReductionLoops() != 0)
      candidates.push_back(op);
  });
  // Statistics are proven to be of the program as it is before any rewriting.
  for (linalg::LinalgOp op : candidates) {
    std::string reason;
    FailureOr<Contraction> contraction = matchContraction(op, reason);
    if (succeeded(contraction) && contraction->isFloat() &&
        failed(getScheme(op, reason)))
      return signalPassFailure();
  }
  if (failed(quantizeActivations(module)))
    return signalPassFailure();
  for (linalg::LinalgOp op : candidates)
    if (failed(quantize(op)))
      return signalPassFailure();
  fuseBias(module);
  warnOfUnusedRules();
  count();
}

/// Into the statistics, a remark that release builds of LLVM have too, and the
/// hands of who asked.
void QuantQuantizeMatmulPass::count() {
  int64_t seen = outcomes.size();
  int64_t quantized =
      llvm::count_if(outcomes, [](const MatmulOutcome &outcome) {
        return outcome.kind == MatmulOutcome::Kind::Quantized;
      });
  numMatmuls += seen;
  numQuantized += quantized;
  numSkipped += seen - quantized;
  if (request.report)
    getOperation()->emitRemark()
        << quantized << " of " << seen << " float matmuls quantized, "
        << seen - quantized << " left in float";
  if (results)
    *results = std::move(outcomes);
  outcomes.clear();
}
