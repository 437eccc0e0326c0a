//===- OutlineRepeats.cpp - one function of equal layers ------------------===//
//
// `quant-outline-repeats`. Exporters write the layers of a model one after the
// other. Everything below here takes time in proportion to the number of ops,
// LLVM's optimizer more than that.
//
//===----------------------------------------------------------------------===//

#include "quant/Conversion/Passes.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MPI/IR/MPI.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/SymbolTable.h"

#include "quant/Import/MatmulNames.h"

#include "Repeats.h"

#include "llvm/ADT/SetVector.h"

#include <map>

namespace quantmlir {
#define GEN_PASS_DEF_QUANTOUTLINEREPEATSPASS
#include "quant/Conversion/Passes.h.inc"
} // namespace quantmlir

using namespace mlir;
using namespace quantmlir;

/// Elements of the largest constant that the function has of its own.
constexpr int64_t kMaxOwnElements = 64;

/// Tensors that are written to, which a layer has of its own: were they given
/// to it, every layer would need a copy. And the communicator of a program that
/// is cut over ranks, which no function takes.
static bool isOwn(Operation *op) {
  if (auto fill = dyn_cast_or_null<linalg::FillOp>(op))
    return fill.hasPureTensorSemantics() &&
           isOwn(fill.getOutputs().front().getDefiningOp());
  return isa_and_nonnull<tensor::EmptyOp, mpi::CommWorldOp>(op);
}

static bool isOwn(Value value) { return isOwn(value.getDefiningOp()); }

static bool isConstant(Operation *op) {
  return op && op->getNumResults() == 1 &&
         op->hasTrait<OpTrait::ConstantLike>();
}

/// What may stand anywhere belongs to no layer.
static bool isLeaf(Operation *op) { return isConstant(op) || isOwn(op); }

/// Whether the layers use one constant, of which their function may have a
/// copy.
static bool isSmallConstant(ArrayRef<Value> inputs) {
  Operation *first = inputs.front().getDefiningOp();
  Attribute value;
  auto isSame = [&](Value input) {
    Attribute other;
    return matchPattern(input, m_Constant(&other)) && other == value;
  };
  if (!isConstant(first) || !matchPattern(first, m_Constant(&value)) ||
      !llvm::all_of(inputs, isSame))
    return false;
  auto elements = dyn_cast<ElementsAttr>(value);
  return !elements || elements.isSplat() ||
         elements.getNumElements() <= kMaxOwnElements;
}

/// What the op has besides its properties, but for the names of products, which
/// differ from layer to layer and have no meaning here.
static SmallVector<NamedAttribute> getDiscardable(Operation *op) {
  return llvm::filter_to_vector(op->getDiscardableAttrs(),
                                [](NamedAttribute attr) {
                                  return attr.getName() != kMatmulNameAttr &&
                                         attr.getName() != kMatmulOrdinalAttr;
                                });
}

static llvm::hash_code hashOp(Operation *op) {
  llvm::hash_code hash = llvm::hash_combine(op->getName(), op->hashProperties(),
                                            op->getNumRegions());
  for (NamedAttribute attr : getDiscardable(op))
    hash = llvm::hash_combine(hash, attr.getName(), attr.getValue());
  for (Type type : op->getOperandTypes())
    hash = llvm::hash_combine(hash, type);
  for (Type type : op->getResultTypes())
    hash = llvm::hash_combine(hash, type);
  for (Region &region : op->getRegions())
    for (Block &block : region)
      for (Operation &nested : block)
        hash = llvm::hash_combine(hash, hashOp(&nested));
  return hash;
}

namespace {

/// The ops of a layer, one after the other. What they use and do not make is
/// their input; inputs are listed use by use, those of an op before those of
/// the ops inside of it.
using Window = ArrayRef<Operation *>;

/// Compares a layer with the first one.
class WindowMatcher {
public:
  /// The values of the inputs of `other`, or failure where the layers differ.
  FailureOr<SmallVector<Value>> match(Window first, Window other);

private:
  bool matchOp(Operation *a, Operation *b);
  bool matchRegion(Region &a, Region &b);
  bool matchUse(Value a, Value b);
  void addMade(ValueRange a, ValueRange b);

  IRMapping made;
  DenseSet<Value> madeByOther;
  SmallVector<Value> inputs;
};

} // namespace

void WindowMatcher::addMade(ValueRange a, ValueRange b) {
  made.map(a, b);
  madeByOther.insert_range(b);
}

/// Both are made at the same place of their layers, or are inputs.
bool WindowMatcher::matchUse(Value a, Value b) {
  if (Value same = made.lookupOrNull(a))
    return same == b;
  if (a.getType() != b.getType() || madeByOther.contains(b) ||
      isOwn(a) != isOwn(b))
    return false;
  if (!isOwn(a)) {
    inputs.push_back(b);
    return true;
  }
  Operation *first = a.getDefiningOp(), *other = b.getDefiningOp();
  return first->getName() == other->getName() &&
         llvm::all_of(
             llvm::zip_equal(first->getOperands(), other->getOperands()),
             [&](auto pair) {
               return matchUse(std::get<0>(pair), std::get<1>(pair));
             });
}

bool WindowMatcher::matchRegion(Region &a, Region &b) {
  if (a.empty() || b.empty())
    return a.empty() && b.empty();
  if (!a.hasOneBlock() || !b.hasOneBlock() ||
      a.getArgumentTypes() != b.getArgumentTypes())
    return false;
  addMade(a.getArguments(), b.getArguments());
  auto &first = a.front().getOperations(), &other = b.front().getOperations();
  return first.size() == other.size() &&
         llvm::all_of(llvm::zip(first, other), [&](auto ops) {
           return matchOp(&std::get<0>(ops), &std::get<1>(ops));
         });
}

bool WindowMatcher::matchOp(Operation *a, Operation *b) {
  if (a->getName() != b->getName() ||
      a->getNumOperands() != b->getNumOperands() ||
      a->getNumRegions() != b->getNumRegions() || a->getNumSuccessors() ||
      b->getNumSuccessors() || a->getResultTypes() != b->getResultTypes() ||
      a->getPropertiesAsAttribute() != b->getPropertiesAsAttribute() ||
      getDiscardable(a) != getDiscardable(b))
    return false;
  for (auto [x, y] : llvm::zip(a->getOperands(), b->getOperands()))
    if (!matchUse(x, y))
      return false;
  addMade(a->getResults(), b->getResults());
  return llvm::all_of(
      llvm::zip(a->getRegions(), b->getRegions()), [&](auto regions) {
        return matchRegion(std::get<0>(regions), std::get<1>(regions));
      });
}

FailureOr<SmallVector<Value>> WindowMatcher::match(Window first, Window other) {
  for (auto [a, b] : llvm::zip_equal(first, other))
    if (!matchOp(a, b))
      return failure();
  return std::move(inputs);
}

namespace {

/// Makes one function of layers that are known to be equal.
class LayerOutliner {
public:
  LayerOutliner(func::FuncOp parent, SmallVector<Window> windows,
                SmallVector<SmallVector<Value>> inputs)
      : parent(parent), windows(std::move(windows)), inputs(std::move(inputs)) {
  }

  void outline(SymbolTable &symbols);

private:
  void sortInputs();
  void findResults();
  func::FuncOp declareFunction();
  Value getInFunction(OpBuilder &b, Value value);
  void connect(OpBuilder &b, Operation *original, Operation *op);
  func::FuncOp createFunction();
  void replaceByCall(unsigned window, func::FuncOp function);

  func::FuncOp parent;
  SmallVector<Window> windows;
  /// For each window its inputs.
  SmallVector<SmallVector<Value>> inputs;

  /// An input of all layers that the function has of its own has no number.
  SmallVector<std::optional<unsigned>> argumentOfInput;
  /// The first input of those that are one argument.
  SmallVector<unsigned> arguments;
  /// (op, number) of what is used outside of a layer.
  SmallVector<std::pair<unsigned, unsigned>> results;
  /// Those that are written to a tensor which the caller gives.
  SmallVector<unsigned> destinations;
  /// What the function has for values of the first layer, and of leaves.
  IRMapping made;
  DenseMap<Operation *, Operation *> copies;
  unsigned nextInput = 0;
  /// Results of layers that are calls already.
  IRMapping replaced;
};

} // namespace

/// Inputs that agree in every layer are one argument.
void LayerOutliner::sortInputs() {
  std::map<SmallVector<const void *>, unsigned> known;
  for (unsigned i = 0; i != inputs.front().size(); ++i) {
    SmallVector<Value> values;
    for (ArrayRef<Value> window : inputs)
      values.push_back(window[i]);
    if (isSmallConstant(values)) {
      argumentOfInput.push_back(std::nullopt);
      continue;
    }
    SmallVector<const void *> key;
    for (Value value : values)
      key.push_back(value.getAsOpaquePointer());
    auto [it, isNew] = known.try_emplace(key, arguments.size());
    if (isNew)
      arguments.push_back(i);
    argumentOfInput.push_back(it->second);
  }
}

/// Whether `value` is of known size and of the layer's own: nothing that it was
/// given is changed in place.
static bool isNew(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || !type.hasStaticShape())
    return false;
  while (Operation *op = value.getDefiningOp()) {
    if (isOwn(op))
      return true;
    if (isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp, tensor::CastOp>(op))
      value = op->getOperand(0);
    else if (auto insert = dyn_cast<tensor::InsertSliceOp>(op))
      value = insert.getDest();
    else if (auto destination = dyn_cast<DestinationStyleOpInterface>(op))
      value = destination.getTiedOpOperand(cast<OpResult>(value))->get();
    else
      return false;
  }
  return false;
}

void LayerOutliner::findResults() {
  llvm::SetVector<std::pair<unsigned, unsigned>> found;
  for (Window window : windows) {
    DenseSet<Operation *> inside(window.begin(), window.end());
    Block *block = window.front()->getBlock();
    for (auto [i, op] : llvm::enumerate(window))
      for (OpResult result : op->getResults())
        if (llvm::any_of(result.getUsers(), [&](Operation *user) {
              return !inside.contains(block->findAncestorOpInBlock(*user));
            }))
          found.insert({i, result.getResultNumber()});
  }
  results = found.takeVector();
  llvm::sort(results);
  for (auto [i, result] : llvm::enumerate(results))
    if (isNew(windows.front()[result.first]->getResult(result.second)))
      destinations.push_back(i);
}

func::FuncOp LayerOutliner::declareFunction() {
  OpBuilder b(parent);
  SmallVector<Type> argumentTypes, resultTypes;
  for (unsigned input : arguments)
    argumentTypes.push_back(inputs.front()[input].getType());
  for (auto [op, number] : results)
    resultTypes.push_back(windows.front()[op]->getResult(number).getType());
  for (unsigned result : destinations)
    argumentTypes.push_back(resultTypes[result]);
  auto function = func::FuncOp::create(
      b, parent.getLoc(), parent.getName().str() + "_layer",
      b.getFunctionType(argumentTypes, resultTypes));
  function.setPrivate();
  function.setNoInline(true);
  function.addEntryBlock();
  return function;
}

/// What stands for `value` of the first layer in the function. Reads the
/// inputs in the order in which WindowMatcher lists them.
Value LayerOutliner::getInFunction(OpBuilder &b, Value value) {
  if (Value inside = made.lookupOrNull(value))
    return inside;
  Operation *op = value.getDefiningOp();
  if (isOwn(value)) {
    IRMapping mapping;
    for (Value operand : op->getOperands())
      mapping.map(operand, getInFunction(b, operand));
    Operation *&copy = copies[op];
    if (!copy)
      copy = b.clone(*op, mapping);
    return copy->getResult(0);
  }
  if (std::optional<unsigned> argument = argumentOfInput[nextInput++])
    return b.getBlock()->getArgument(*argument);
  Operation *&copy = copies[op];
  if (!copy)
    copy = b.clone(*op);
  return copy->getResult(0);
}

/// `op` is one of the function already, what it uses is not. What is made for
/// it is made at `b`, before the op of the layer that holds it.
void LayerOutliner::connect(OpBuilder &b, Operation *original, Operation *op) {
  for (auto [from, to] :
       llvm::zip_equal(original->getOperands(), op->getOpOperands()))
    to.set(getInFunction(b, from));
  made.map(original->getResults(), op->getResults());
  for (auto [from, to] :
       llvm::zip_equal(original->getRegions(), op->getRegions()))
    for (auto [first, block] : llvm::zip_equal(from, to)) {
      made.map(first.getArguments(), block.getArguments());
      for (auto [inner, copy] : llvm::zip_equal(first, block))
        connect(b, &inner, &copy);
    }
}

func::FuncOp LayerOutliner::createFunction() {
  func::FuncOp function = declareFunction();
  OpBuilder b = OpBuilder::atBlockEnd(&function.front());
  for (Operation *op : windows.front()) {
    Operation *copy = op->clone();
    connect(b, op, copy);
    b.insert(copy);
    copy->walk([](Operation *nested) {
      nested->removeDiscardableAttr(kMatmulNameAttr);
      nested->removeDiscardableAttr(kMatmulOrdinalAttr);
    });
  }
  SmallVector<Value> returned;
  for (auto [op, number] : results)
    returned.push_back(made.lookup(windows.front()[op]->getResult(number)));
  ValueRange given = function.getArguments().take_back(destinations.size());
  for (auto [result, destination] : llvm::zip_equal(destinations, given))
    returned[result] = bufferization::MaterializeInDestinationOp::create(
                           b, parent.getLoc(), returned[result], destination)
                           .getResult();
  func::ReturnOp::create(b, parent.getLoc(), returned);
  return function;
}

void LayerOutliner::replaceByCall(unsigned window, func::FuncOp function) {
  Operation *last = windows[window].back();
  OpBuilder b(last);
  SmallVector<Value> operands;
  for (unsigned input : arguments)
    operands.push_back(replaced.lookupOrDefault(inputs[window][input]));
  for (unsigned result : destinations) {
    auto type = cast<RankedTensorType>(function.getResultTypes()[result]);
    operands.push_back(tensor::EmptyOp::create(
        b, last->getLoc(), type.getShape(), type.getElementType()));
  }
  auto call = func::CallOp::create(b, last->getLoc(), function, operands);
  call.setNoInline(true);
  for (auto [place, result] : llvm::zip_equal(results, call.getResults())) {
    Value old = windows[window][place.first]->getResult(place.second);
    replaced.map(old, result);
    old.replaceAllUsesWith(result);
  }
}

void LayerOutliner::outline(SymbolTable &symbols) {
  sortInputs();
  findResults();
  func::FuncOp function = createFunction();
  symbols.insert(function);
  for (unsigned window = 0; window != windows.size(); ++window)
    replaceByCall(window, function);
  for (Window window : llvm::reverse(windows))
    for (Operation *op : llvm::reverse(window))
      op->erase();
  for (Operation &op :
       llvm::make_early_inc_range(llvm::reverse(parent.front())))
    if (isLeaf(&op) && op.use_empty())
      op.erase();
}

/// For each op how many results of the ops before it are used by it or later.
static SmallVector<unsigned> countLive(ArrayRef<Operation *> ops) {
  DenseMap<Operation *, unsigned> place;
  for (auto [i, op] : llvm::enumerate(ops))
    place[op] = i;
  SmallVector<int> change(ops.size() + 2, 0);
  for (auto [i, op] : llvm::enumerate(ops))
    for (Value result : op->getResults()) {
      unsigned last = i;
      for (Operation *user : result.getUsers()) {
        Operation *ancestor = op->getBlock()->findAncestorOpInBlock(*user);
        auto found = place.find(ancestor);
        // The terminator is no op of the list.
        last = std::max<unsigned>(last, found == place.end() ? ops.size()
                                                             : found->second);
      }
      ++change[i + 1];
      --change[last + 1];
    }
  SmallVector<unsigned> live;
  int now = 0;
  for (unsigned i = 0; i != ops.size(); ++i)
    live.push_back(now += change[i]);
  return live;
}

namespace {
struct QuantOutlineRepeatsPass
    : quantmlir::impl::QuantOutlineRepeatsPassBase<QuantOutlineRepeatsPass> {
  using Base::Base;

  void runOnOperation() override {
    SymbolTable symbols(getOperation());
    for (auto function : llvm::to_vector(getOperation().getOps<func::FuncOp>()))
      if (llvm::hasSingleElement(function.getBody()))
        while (outlineOnce(function, symbols))
          ;
  }

private:
  /// Whether `function` had layers.
  bool outlineOnce(func::FuncOp function, SymbolTable &symbols);
};
} // namespace

bool QuantOutlineRepeatsPass::outlineOnce(func::FuncOp function,
                                          SymbolTable &symbols) {
  SmallVector<Operation *> ops;
  SmallVector<int> classes;
  DenseMap<size_t, int> classOfHash;
  for (Operation &op : function.front().without_terminator()) {
    if (isLeaf(&op))
      continue;
    ops.push_back(&op);
    // A call is a layer that was found.
    bool isCall = isa<func::CallOp>(op);
    classes.push_back(
        isCall ? -1
               : classOfHash
                     .try_emplace(size_t(hashOp(&op)), int(classOfHash.size()))
                     .first->second);
  }
  Repeat repeat = findRepeat(classes, countLive(ops), minOps, minRepeats);
  SmallVector<Window> windows;
  SmallVector<SmallVector<Value>> inputs;
  for (unsigned i = 0; i != repeat.count; ++i) {
    Window window =
        ArrayRef(ops).slice(repeat.start + i * repeat.size, repeat.size);
    // Equal ops may be connected otherwise: then the layers before it remain.
    FailureOr<SmallVector<Value>> values =
        WindowMatcher().match(i ? windows.front() : window, window);
    if (failed(values))
      break;
    windows.push_back(window);
    inputs.push_back(std::move(*values));
  }
  if (windows.size() < std::max<size_t>(minRepeats, 2))
    return false;
  numFunctions += 1;
  numLayers += windows.size();
  LayerOutliner(function, std::move(windows), std::move(inputs))
      .outline(symbols);
  return true;
}
