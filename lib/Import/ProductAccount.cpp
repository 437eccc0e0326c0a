//===- ProductAccount.cpp - what became of every product ------------------===//

#include "quant/Import/ProductAccount.h"

#include "quant/Dialect/Quant/IR/CachedAttention.h"
#include "quant/Dialect/Quant/IR/FloatAttention.h"
#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Dialect/Quant/Utils/LeftReason.h"
#include "quant/Import/Contraction/ContractionMatcher.h"
#include "quant/Import/Contraction/StoredSource.h"
#include "quant/Import/Contraction/WeightChoice.h"
#include "quant/Import/Convolution/ConvolutionToMatmul.h"
#include "quant/Import/Passes.h"
#include "quant/Target/IR/PackedMatmul.h"

#include "mlir/Dialect/MLProgram/IR/MLProgram.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/Support/InterleavedRange.h"

namespace quantmlir {
#define GEN_PASS_DEF_QUANTACCOUNTPRODUCTSPASS
#include "quant/Import/Passes.h.inc"
} // namespace quantmlir

using namespace mlir;
using namespace quantmlir;

int64_t ProductAccount::getNumLeft() const {
  return llvm::count_if(
      entries, [](const AccountEntry &entry) { return entry.isLeft(); });
}

std::string AccountEntry::getText() const {
  const char *what = isConvolution ? "convolution" : "matmul";
  switch (kind) {
  case AccountKind::LeftFloat:
    return std::string(what) + " stays in float: " + reason;
  case AccountKind::LeftInteger:
    return std::string("quantized ") + what + " is not imported: " + reason;
  case AccountKind::SchemeDropped:
    return "activations stay in float: " + reason;
  case AccountKind::SchemePartly:
    return "quantized by a part of the scheme: " + reason;
  case AccountKind::EveryCall:
    return "quantized in every call: " + reason;
  }
  llvm_unreachable("all kinds are listed");
}

//===----------------------------------------------------------------------===//
// Where values come from
//===----------------------------------------------------------------------===//

/// Whether `op` reads a global that nothing writes to.
static bool readsConstantGlobal(Operation *op) {
  if (isa<ml_program::GlobalLoadConstOp>(op))
    return true;
  auto load = dyn_cast<ml_program::GlobalLoadOp>(op);
  if (!load)
    return false;
  auto global = SymbolTable::lookupNearestSymbolFrom<ml_program::GlobalOp>(
      op, load.getGlobalAttr());
  return global && !global.getIsMutable();
}

/// All values that are computed from constants and sizes known at compile time.
static DenseSet<Value> findConstants(ModuleOp module) {
  DenseSet<Value> constants;
  module.walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (op->getNumResults() == 0)
      return;
    bool isConstant =
        op->hasTrait<OpTrait::ConstantLike>() || readsConstantGlobal(op);
    if (!isConstant) {
      if (!isMemoryEffectFree(op) ||
          (op->getNumOperands() == 0 && !isa<tensor::EmptyOp>(op)))
        return;
      llvm::SetVector<Value> captured;
      getUsedValuesDefinedAbove(op->getRegions(), captured);
      auto isKnown = [&](Value value) { return constants.contains(value); };
      isConstant = llvm::all_of(op->getOperands(), isKnown) &&
                   llvm::all_of(captured, isKnown);
    }
    if (isConstant)
      constants.insert(op->result_begin(), op->result_end());
  });
  return constants;
}

/// What a weight is that a program does not give as a constant.
static std::string describeSource(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (isa<ml_program::GlobalLoadOp>(op))
      return "the weight is a variable (ml_program.global)";
    bool isMoved =
        isa<linalg::TransposeOp, linalg::BroadcastOp, linalg::CopyOp>(op) ||
        op->getName().getDialectNamespace() == "tensor";
    if (!isMoved || op->getNumOperands() == 0)
      return "the right-hand side, which is taken as the weight, is computed";
    value = op->getOperand(0);
  }
  bool isArgument = isa<FunctionOpInterface>(
      cast<BlockArgument>(value).getOwner()->getParentOp());
  return isArgument
             ? "the weight is a function argument"
             : "the right-hand side, which is taken as the weight, is computed";
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

namespace {

class Accountant {
public:
  Accountant(ModuleOp module, bool isSchemeAsked)
      : isSchemeAsked(isSchemeAsked), constants(findConstants(module)) {}

  void visit(Operation *op);
  ProductAccount account;

private:
  void visitInteger(Operation *op, Value weight);
  void visitLinalg(linalg::LinalgOp op);
  void visitAttention(FloatAttentionOp op);
  void visitQuantize(QuantizeOp op);
  void explain(linalg::LinalgOp op, AccountEntry &entry,
               const std::string &unusual);
  bool isGivenInIntegers(linalg::LinalgOp op, Type &stored);

  bool isSchemeAsked;
  DenseSet<Value> constants;
};

} // namespace

void Accountant::visit(Operation *op) {
  if (auto matmul = dyn_cast<MatmulOp>(op))
    return visitInteger(op, matmul.getRhs());
  if (auto matmul = dyn_cast<ScaledMatmulOp>(op))
    return visitInteger(op, matmul.getRhs());
  if (isa<qtarget::PackedMatmulOp>(op))
    ++account.numInteger;
  else if (isa<CachedAttentionOp>(op))
    account.numInteger += 2;
  else if (auto attention = dyn_cast<FloatAttentionOp>(op))
    visitAttention(attention);
  else if (auto quantize = dyn_cast<QuantizeOp>(op))
    visitQuantize(quantize);
  else if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op))
    visitLinalg(linalgOp);
}

void Accountant::visitInteger(Operation *op, Value weight) {
  ++account.numInteger;
  AccountEntry entry{op->getLoc()};
  for (auto [attribute, kind] :
       {std::make_pair(kSchemeDroppedAttr, AccountKind::SchemeDropped),
        {kSchemePartlyAttr, AccountKind::SchemePartly}}) {
    StringRef reason = getReason(op, attribute);
    if (reason.empty())
      continue;
    entry.kind = kind;
    entry.reason = reason.str();
    entry.wasSaid = true;
    account.entries.push_back(entry);
  }
  // A product of activations has batches, and is quantized as asked for.
  auto quantize =
      traceMovement(
          {weight, llvm::to_vector(llvm::seq<int64_t>(
                       0, cast<RankedTensorType>(weight.getType()).getRank()))})
          .value.getDefiningOp<QuantizeOp>();
  if (!quantize || quantize.getResult().getType().getRank() > 2 ||
      constants.contains(quantize.getInput()))
    return;
  entry.kind = AccountKind::EveryCall;
  entry.reason = describeSource(quantize.getInput());
  entry.wasSaid = false;
  account.entries.push_back(entry);
}

/// Two products, of which the program says that they are of floats.
void Accountant::visitAttention(FloatAttentionOp op) {
  AccountEntry entry{op->getLoc()};
  entry.kind = AccountKind::LeftFloat;
  entry.asAsked = true;
  entry.reason = isSchemeAsked ? "quant.float_attention is of floats"
                               : "no scheme was asked for";
  account.entries.insert(account.entries.end(), 2, entry);
}

void Accountant::visitQuantize(QuantizeOp op) {
  if (!constants.contains(op.getInput()))
    return;
  AccountEntry entry{op->getLoc()};
  entry.kind = AccountKind::EveryCall;
  entry.reason = "what is made of constants alone did not fold";
  account.entries.push_back(std::move(entry));
}

void Accountant::visitLinalg(linalg::LinalgOp op) {
  if (op.getNumReductionLoops() == 0)
    return;
  std::string unusual;
  FailureOr<Contraction> contraction = matchContraction(op, unusual);
  AccountEntry entry{op->getLoc()};
  entry.isConvolution = failed(contraction) && isConvolution(op);
  if (failed(contraction) && unusual.empty() && !entry.isConvolution)
    return;
  bool isFloat = isa<FloatType, ComplexType>(
      getElementTypeOrSelf(op.getDpsInits().front().getType()));
  entry.kind = isFloat ? AccountKind::LeftFloat : AccountKind::LeftInteger;
  std::string none;
  if (succeeded(contraction))
    entry.hasWeight = succeeded(chooseWeight(*contraction, none)) ||
                      constants.contains(contraction->lhs.value) ||
                      constants.contains(contraction->rhs.value);
  explain(op, entry, unusual);
  account.entries.push_back(std::move(entry));
}

/// Whether the program gives integers for what `op` multiplies: for the weight
/// from constants, or for both operands.
bool Accountant::isGivenInIntegers(linalg::LinalgOp op, Type &stored) {
  SmallVector<Value> operands = op.getDpsInputs();
  bool areBoth = operands.size() >= 2;
  for (Value operand : ArrayRef(operands).take_front(2)) {
    Type found = findStoredType(operand);
    if (found)
      stored = found;
    if (found && constants.contains(operand))
      return true;
    areBoth &= bool(found);
  }
  return areBoth;
}

/// Finds the reason: what was noted, or else what can be seen.
void Accountant::explain(linalg::LinalgOp op, AccountEntry &entry,
                         const std::string &unusual) {
  entry.wasSaid = true;
  if (StringRef noted = getReason(op, kLeftAttr); !noted.empty()) {
    entry.reason = noted.str();
    return;
  }
  if (StringRef noted = getReason(op, kLeftAsAskedAttr); !noted.empty()) {
    entry.reason = noted.str();
    entry.asAsked = true;
    return;
  }
  entry.wasSaid = false;
  llvm::raw_string_ostream reason(entry.reason);
  Type stored;
  bool isGiven = isGivenInIntegers(op, stored);
  bool isOtherWidth = isGiven && !stored.isInteger(8) && !stored.isInteger(4);
  if (entry.kind == AccountKind::LeftInteger) {
    SmallVector<Type> found;
    for (Value operand : op.getDpsInputs())
      found.push_back(getElementTypeOrSelf(operand.getType()));
    found.truncate(std::min<size_t>(found.size(), 2));
    if (isGiven && !isOtherWidth)
      reason << "its integers of " << stored
             << " are widened in a form that is not recognized";
    else if (isOtherWidth && !llvm::is_contained(found, stored))
      reason << "expected integers of i8 or i4, found " << stored
             << ", widened";
    else
      reason << "expected operands of i8 or i4, found "
             << llvm::interleaved(found, " and ");
  } else if (isGiven) {
    std::string why;
    if (entry.isConvolution)
      why = explainConvolution(op);
    if (!why.empty())
      reason << why;
    else if (isOtherWidth)
      reason << "expected integers of i8 or i4, found " << stored
             << ", dequantized";
    else
      reason << "it multiplies integers of " << stored
             << " that are dequantized in a form that is not recognized";
  } else if (!isSchemeAsked) {
    entry.asAsked = true;
    reason << "no scheme was asked for";
    if (stored)
      reason << ", and one operand alone is made of integers, of " << stored;
  } else {
    reason << (unusual.empty() ? "it was made after matmuls were quantized"
                               : unusual);
  }
}

ProductAccount quantmlir::accountProducts(ModuleOp module, bool isSchemeAsked) {
  Accountant accountant(module, isSchemeAsked);
  module.walk([&](Operation *op) { accountant.visit(op); });
  return std::move(accountant.account);
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

namespace {
struct QuantAccountProductsPass
    : quantmlir::impl::QuantAccountProductsPassBase<QuantAccountProductsPass> {
  using Base::Base;
  QuantAccountProductsPass(QuantAccountProductsPassOptions options,
                           ProductAccount *result)
      : Base(std::move(options)), result(result) {}

  void runOnOperation() override {
    ProductAccount account = accountProducts(getOperation(), asked);
    bool isFaulty = false;
    for (const AccountEntry &entry : account.entries) {
      numLeft += entry.isLeft();
      numEveryCall += entry.kind == AccountKind::EveryCall;
      bool isError = strict && !entry.asAsked;
      isFaulty |= isError;
      // Not by the op, which would print it, weights and all.
      if (isError)
        emitError(entry.location) << entry.getText();
      else if (!entry.wasSaid)
        emitRemark(entry.location) << entry.getText();
    }
    numInteger += account.numInteger;
    if (summary) {
      int64_t left = account.getNumLeft();
      emitRemark(getOperation().getLoc())
          << "products: " << account.numInteger << " in integers + " << left
          << " left with reason = " << account.numInteger + left;
    }
    if (isFaulty)
      signalPassFailure();
    if (result)
      *result = std::move(account);
  }

  ProductAccount *result = nullptr;
};
} // namespace

std::unique_ptr<Pass> quantmlir::createQuantAccountProductsPass(
    QuantAccountProductsPassOptions options, ProductAccount *result) {
  return std::make_unique<QuantAccountProductsPass>(std::move(options), result);
}
