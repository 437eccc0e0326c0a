//===- SwitchMatmuls.cpp - choose each matmul's form at run time ----------===//

#include "quant/Instrument/SwitchMatmuls.h"

#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Instrument/InstrumentMatmuls.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;
using namespace quantmlir;

//===----------------------------------------------------------------------===//
// Outlining
//===----------------------------------------------------------------------===//

namespace {

/// Copies what a matmul needs into its function.
class Outliner {
public:
  explicit Outliner(Operation *contraction) : contraction(contraction) {}

  func::FuncOp outline(ModuleOp module, StringRef name);
  ArrayRef<Value> getArguments() const { return arguments.getArrayRef(); }

private:
  bool isConstantTree(Value value);
  void collect(Value value);

  Operation *contraction;
  /// Ops to copy, operands first, and values to pass.
  SetVector<Operation *> copied;
  SetVector<Value> arguments;
};

} // namespace

/// What `op` is computed from: its operands, and what its regions use of what is
/// outside.
static SmallVector<Value> getUsedValues(Operation *op) {
  llvm::SetVector<Value> used(op->operand_begin(), op->operand_end());
  getUsedValuesDefinedAbove(op->getRegions(), used);
  return used.takeVector();
}

/// Whether `value` comes from constants and sizes alone.
bool Outliner::isConstantTree(Value value) {
  Operation *op = value.getDefiningOp();
  if (value.getType().isIndex())
    return true;
  if (!op)
    return false;
  if (op->hasTrait<OpTrait::ConstantLike>() || isa<tensor::EmptyOp>(op))
    return true;
  if ((!isMemoryEffectFree(op) || !op->getRegions().empty()) &&
      !isa<linalg::LinalgOp>(op))
    return false;
  return llvm::all_of(getUsedValues(op),
                      [&](Value used) { return isConstantTree(used); });
}

/// Whether `value` is what quantizing looks through: moved data, or integers
/// with the scales that the program gives.
static bool isLookedThrough(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type)
    return false;
  LoopTensor tensor{value,
                    llvm::to_vector(llvm::seq<int64_t>(0, type.getRank()))};
  return isa_and_nonnull<QuantizeOp, DequantizeOp>(value.getDefiningOp()) ||
         lookThroughMovement(tensor);
}

void Outliner::collect(Value value) {
  Operation *op = value.getDefiningOp();
  bool isKept =
      op && (op->hasTrait<OpTrait::ConstantLike>() || isLookedThrough(value));
  if (!isKept && (value.getType().isIndex() || !isConstantTree(value))) {
    arguments.insert(value);
    return;
  }
  if (copied.contains(op))
    return;
  for (Value used : getUsedValues(op))
    collect(used);
  copied.insert(op);
}

func::FuncOp Outliner::outline(ModuleOp module, StringRef name) {
  for (Value used : getUsedValues(contraction))
    collect(used);
  copied.insert(contraction);
  OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
  Location loc = contraction->getLoc();
  auto function = func::FuncOp::create(
      builder, loc, name,
      builder.getFunctionType(ValueRange(getArguments()).getTypes(),
                              contraction->getResultTypes()));
  function.setPrivate();
  // One function a matmul, whatever the pipeline does with other calls.
  function.setNoInline(true);
  Block *body = function.addEntryBlock();
  builder.setInsertionPointToStart(body);
  IRMapping mapping;
  mapping.map(getArguments(), body->getArguments());
  for (Operation *op : copied)
    builder.clone(*op, mapping);
  func::ReturnOp::create(builder, loc,
                         mapping.lookup(contraction->getResult(0)));
  return function;
}

std::vector<OutlinedMatmul> quantmlir::outlineMatmuls(ModuleOp module) {
  std::vector<OutlinedMatmul> outlined;
  for (NamedMatmul &matmul : collectNamedMatmuls(module)) {
    Operation *op = matmul.contraction.op;
    OutlinedMatmul entry;
    entry.shape = matmul.getShape();
    entry.location = matmul.getLocation();
    entry.activations = matmul.contraction.lhs.value;
    entry.hasConstantWeight = matmul.hasConstantWeight;
    Outliner outliner(op);
    entry.function = outliner.outline(
        module, "quant_outlined_" + std::to_string(outlined.size()));
    outlined.push_back(std::move(entry));
    OpBuilder builder(op);
    outlined.back().call =
        func::CallOp::create(builder, op->getLoc(), outlined.back().function,
                             outliner.getArguments());
  }
  // A matmul's activations may be another's result: replaced only now.
  for (OutlinedMatmul &entry : outlined) {
    Operation *op = entry.call->getNextNode();
    Value result = entry.call.getResult(0);
    for (OutlinedMatmul &other : outlined)
      if (other.activations == op->getResult(0))
        other.activations = result;
    op->getResult(0).replaceAllUsesWith(result);
    op->erase();
  }
  return outlined;
}

//===----------------------------------------------------------------------===//
// Variants
//===----------------------------------------------------------------------===//

OwningOpRef<ModuleOp>
quantmlir::copyOutlined(ArrayRef<OutlinedMatmul> matmuls) {
  ModuleOp parent = matmuls.front().function->getParentOfType<ModuleOp>();
  OwningOpRef<ModuleOp> copy = ModuleOp::create(parent.getLoc());
  (*copy)->setAttrs(parent->getAttrs());
  OpBuilder builder = OpBuilder::atBlockEnd(copy->getBody());
  for (const OutlinedMatmul &matmul : matmuls) {
    func::FuncOp function = matmul.function;
    Operation *clone = builder.clone(*function.getOperation());
    cast<func::FuncOp>(clone).setPublic();
  }
  return copy;
}

std::string quantmlir::getVariantName(const OutlinedMatmul &matmul,
                                      unsigned number) {
  return (func::FuncOp(matmul.function).getSymName() + "_" + Twine(number))
      .str();
}

void quantmlir::adoptVariant(ModuleOp module, ModuleOp copy,
                             ArrayRef<OutlinedMatmul> matmuls,
                             unsigned number) {
  for (const OutlinedMatmul &matmul : matmuls) {
    func::FuncOp outlined = matmul.function;
    auto variant = copy.lookupSymbol<func::FuncOp>(outlined.getSymName());
    variant->remove();
    variant.setSymName(getVariantName(matmul, number));
    variant.setPrivate();
    module.push_back(variant);
  }
}

//===----------------------------------------------------------------------===//
// Switches
//===----------------------------------------------------------------------===//

int64_t SwitchObservation::getId(unsigned numVariants) const {
  return matmul * (numVariants + 2) + (kind == Activations ? 0
                                       : kind == Result    ? 1
                                                           : 1 + variant);
}

SwitchObservation SwitchObservation::fromId(int64_t id, unsigned numVariants) {
  int64_t part = id % (numVariants + 2);
  SwitchObservation observation;
  observation.matmul = id / (numVariants + 2);
  observation.kind = part == 0 ? Activations : part == 1 ? Result : Shadow;
  observation.variant = part < 2 ? 0 : part - 1;
  return observation;
}

static func::FuncOp declareChooser(ModuleOp module) {
  OpBuilder builder = OpBuilder::atBlockBegin(module.getBody());
  Type i64 = builder.getI64Type();
  auto function =
      func::FuncOp::create(builder, module.getLoc(), kChooseFunction,
                           builder.getFunctionType({i64}, {i64}));
  function.setPrivate();
  return function;
}

/// Gives the value that stands for the call.
static Value insertSwitch(ModuleOp module, OutlinedMatmul &matmul,
                          int64_t index, func::FuncOp chooser,
                          unsigned numVariants) {
  func::CallOp call = matmul.call;
  Location loc = call.getLoc();
  OpBuilder builder(call);
  auto observe = [&](Value tensor, SwitchObservation::Kind kind,
                     unsigned variant = 0) {
    insertObservation(
        builder, loc, tensor,
        SwitchObservation{index, kind, variant}.getId(numVariants));
  };
  auto callVariant = [&](unsigned number) {
    auto callee = module.lookupSymbol<func::FuncOp>(
        number ? getVariantName(matmul, number)
               : matmul.function.getSymName().str());
    return func::CallOp::create(builder, loc, callee, call.getOperands())
        .getResult(0);
  };
  observe(matmul.activations, SwitchObservation::Activations);
  Value number = arith::ConstantIntOp::create(builder, loc, index, 64);
  Value choice =
      func::CallOp::create(builder, loc, chooser, number).getResult(0);
  choice =
      arith::IndexCastOp::create(builder, loc, builder.getIndexType(), choice);
  SmallVector<int64_t> cases;
  for (unsigned i = 1; i <= numVariants + 1; ++i)
    cases.push_back(i);
  auto select = scf::IndexSwitchOp::create(builder, loc, call.getResultTypes(),
                                           choice, cases, cases.size());
  auto fill = [&](Region &region, unsigned form) {
    OpBuilder::InsertionGuard guard(builder);
    builder.createBlock(&region);
    bool isShadow = form > numVariants;
    Value result = callVariant(isShadow ? 0 : form);
    for (unsigned i = 1; isShadow && i <= numVariants; ++i)
      observe(callVariant(i), SwitchObservation::Shadow, i);
    scf::YieldOp::create(builder, loc, result);
  };
  fill(select.getDefaultRegion(), 0);
  for (unsigned i = 1; i <= numVariants + 1; ++i)
    fill(select.getCaseRegions()[i - 1], i);
  observe(select.getResult(0), SwitchObservation::Result);
  call.getResult(0).replaceAllUsesWith(select.getResult(0));
  return select.getResult(0);
}

void quantmlir::insertSwitches(ModuleOp module,
                               MutableArrayRef<OutlinedMatmul> matmuls,
                               unsigned numVariants) {
  func::FuncOp chooser = declareChooser(module);
  for (auto [i, matmul] : llvm::enumerate(matmuls)) {
    Value result = matmul.call.getResult(0);
    Value chosen = insertSwitch(module, matmul, i, chooser, numVariants);
    // Uses follow by themselves, what was noted does not.
    for (OutlinedMatmul &other : matmuls.drop_front(i + 1))
      if (other.activations == result)
        other.activations = chosen;
    matmul.call.erase();
  }
}
