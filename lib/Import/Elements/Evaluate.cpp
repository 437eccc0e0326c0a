//===- Evaluate.cpp - elements that are known at compile time -------------===//

#include "quant/Import/Elements/Evaluate.h"

#include "ElementArithmetic.h"

#include "quant/Dialect/Quant/Utils/Constants.h"

#include "llvm/Support/MathExtras.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace quantmlir;

ElementGrid ElementGrid::all(ArrayRef<int64_t> shape) {
  return {SmallVector<int64_t>(shape), SmallVector<int64_t>(shape.size(), 1)};
}

int64_t ElementGrid::size() const { return llvm::product_of(sizes); }

//===----------------------------------------------------------------------===//
// What can be evaluated
//===----------------------------------------------------------------------===//

static bool isNumber(Type type) {
  return isa<Float16Type, BFloat16Type, Float32Type, Float64Type, IndexType>(
             type) ||
         (type.isInteger() && type.getIntOrFloatBitWidth() <= 64);
}

/// Floats of few bits are read from constants, and widened; nothing that
/// computes one is evaluated, since rounding to them is the program's own
/// (OCP MX, IEEE, saturating or not).
static bool isReadOnly(const Element *element) {
  return isa<FloatType>(element->type) &&
         element->type.getIntOrFloatBitWidth() <= 8 &&
         (element->kind == Element::Kind::Tensor ||
          element->kind == Element::Kind::Constant);
}

/// A tensor of constants that can be read element by element.
static bool isReadable(Value tensor) {
  return FloatConstant::getStoredFloats(tensor).has_value() ||
         IntConstant::get(tensor).has_value();
}

static bool isConstantElement(Elements &elements, const Element *element,
                              llvm::DenseMap<const Element *, bool> &known) {
  element = elements.resolve(element);
  auto [it, isNew] = known.try_emplace(element, false);
  if (!isNew)
    return it->second;
  if (!isNumber(element->type) && !isReadOnly(element))
    return false;
  bool isConstant = false;
  switch (element->kind) {
  case Element::Kind::Scalar:
    break;
  case Element::Kind::Constant:
    isConstant = isa<IntegerAttr, FloatAttr>(element->constant);
    break;
  case Element::Kind::Index:
    isConstant = true;
    break;
  case Element::Kind::Tensor:
    isConstant = isReadable(element->value);
    break;
  case Element::Kind::Gather:
    isConstant = isReadable(element->value);
    [[fallthrough]];
  case Element::Kind::Operation:
    if (element->kind == Element::Kind::Operation)
      isConstant = true;
    for (const Element *operand : element->operands)
      isConstant = isConstant && isConstantElement(elements, operand, known);
    break;
  }
  return known[element] = isConstant;
}

bool quantmlir::isConstantElement(Elements &elements, const Element *element) {
  llvm::DenseMap<const Element *, bool> known;
  return ::isConstantElement(elements, element, known);
}

//===----------------------------------------------------------------------===//
// Instructions
//===----------------------------------------------------------------------===//

namespace {

/// Values of one instruction at the points of a block.
struct Lanes {
  std::vector<int64_t> ints;
  std::vector<double> floats;
};

struct Instruction {
  const Element *element = nullptr;
  /// Of an instruction on coordinates.
  AffineExpr expr;
  SmallVector<unsigned, 3> operands;
  bool isFloat = false;
  unsigned width = 64;
  /// Of a tensor that is read: where its elements are.
  std::optional<FloatConstant> floatData;
  std::optional<IntConstant> intData;
  SmallVector<int64_t> strides, sizes;
};

/// An element as a list of instructions, operands first.
class Program {
public:
  Program(Elements &elements, const Element *root) : elements(elements) {
    add(root);
  }
  /// Evaluates `count` points of `grid` from `first` on.
  const Lanes &run(const ElementGrid &grid, int64_t first, int64_t count);

private:
  unsigned add(const Element *element);
  unsigned add(AffineExpr expr);
  void addRead(Instruction &instruction, Value tensor);
  void runAffine(const Instruction &instruction, Lanes &result);
  void runRead(const Instruction &instruction, Lanes &result);
  void runIntegers(const Instruction &instruction, Lanes &result);
  void runFloats(const Instruction &instruction, Lanes &result);
  void runMixed(const Instruction &instruction, Lanes &result);
  const Lanes &operand(const Instruction &instruction, unsigned i) {
    return registers[instruction.operands[i]];
  }

  Elements &elements;
  std::vector<Instruction> instructions;
  std::vector<Lanes> registers;
  llvm::DenseMap<const Element *, unsigned> ofElement;
  llvm::DenseMap<AffineExpr, unsigned> ofExpr;
  /// The coordinates of the block's points.
  std::vector<std::vector<int64_t>> coordinates;
  int64_t count = 0;
};

} // namespace

static unsigned getWidth(Type type) {
  return type.isIndex() ? 64 : type.getIntOrFloatBitWidth();
}

unsigned Program::add(AffineExpr expr) {
  auto known = ofExpr.find(expr);
  if (known != ofExpr.end())
    return known->second;
  Instruction made;
  made.expr = expr;
  if (auto binary = dyn_cast<AffineBinaryOpExpr>(expr))
    made.operands = {add(binary.getLHS()), add(binary.getRHS())};
  instructions.push_back(std::move(made));
  return ofExpr[expr] = instructions.size() - 1;
}

void Program::addRead(Instruction &instruction, Value tensor) {
  instruction.floatData = FloatConstant::getStoredFloats(tensor);
  if (!instruction.floatData)
    instruction.intData = IntConstant::get(tensor);
  auto type = cast<RankedTensorType>(tensor.getType());
  instruction.sizes.assign(type.getShape().begin(), type.getShape().end());
  int64_t stride = 1;
  for (int64_t size : llvm::reverse(type.getShape())) {
    instruction.strides.push_back(stride);
    stride *= size;
  }
  std::reverse(instruction.strides.begin(), instruction.strides.end());
}

unsigned Program::add(const Element *element) {
  element = elements.resolve(element);
  auto known = ofElement.find(element);
  if (known != ofElement.end())
    return known->second;
  Instruction made;
  made.element = element;
  made.isFloat = isa<FloatType>(element->type);
  made.width = getWidth(element->type);
  for (AffineExpr index : element->indices)
    made.operands.push_back(add(index));
  for (const Element *operand : element->operands)
    made.operands.push_back(add(operand));
  if (element->kind == Element::Kind::Tensor ||
      element->kind == Element::Kind::Gather)
    addRead(made, element->value);
  instructions.push_back(std::move(made));
  return ofElement[element] = instructions.size() - 1;
}

//===----------------------------------------------------------------------===//
// Running
//===----------------------------------------------------------------------===//

void Program::runAffine(const Instruction &instruction, Lanes &result) {
  AffineExpr expr = instruction.expr;
  if (auto dim = dyn_cast<AffineDimExpr>(expr)) {
    result.ints = coordinates[dim.getPosition()];
    return;
  }
  if (auto constant = dyn_cast<AffineConstantExpr>(expr)) {
    result.ints.assign(count, constant.getValue());
    return;
  }
  const std::vector<int64_t> &a = operand(instruction, 0).ints,
                             &b = operand(instruction, 1).ints;
  for (int64_t i = 0; i < count; ++i) {
    switch (expr.getKind()) {
    case AffineExprKind::Add:
      result.ints[i] = a[i] + b[i];
      break;
    case AffineExprKind::Mul:
      result.ints[i] = a[i] * b[i];
      break;
    case AffineExprKind::FloorDiv:
      result.ints[i] = b[i] ? llvm::divideFloorSigned(a[i], b[i]) : 0;
      break;
    case AffineExprKind::CeilDiv:
      result.ints[i] = b[i] ? llvm::divideCeilSigned(a[i], b[i]) : 0;
      break;
    default:
      result.ints[i] = b[i] ? llvm::mod(a[i], b[i]) : 0;
      break;
    }
  }
}

void Program::runRead(const Instruction &instruction, Lanes &result) {
  std::vector<int64_t> where(count, 0);
  for (unsigned dim = 0; dim < instruction.strides.size(); ++dim) {
    const std::vector<int64_t> &index = operand(instruction, dim).ints;
    int64_t stride = instruction.strides[dim], size = instruction.sizes[dim];
    // What lies outside is undefined; it must not be read all the same.
    for (int64_t i = 0; i < count; ++i)
      where[i] += std::clamp<int64_t>(index[i], 0, size - 1) * stride;
  }
  if (instruction.floatData)
    for (int64_t i = 0; i < count; ++i)
      result.floats[i] = (*instruction.floatData)[where[i]];
  else
    for (int64_t i = 0; i < count; ++i)
      result.ints[i] = (*instruction.intData)[where[i]];
}

void Program::runIntegers(const Instruction &instruction, Lanes &result) {
  const Element &element = *instruction.element;
  const std::vector<int64_t> &a = operand(instruction, 0).ints;
  unsigned from = getWidth(element.operands[0]->type);
  using Code = ElementOpcode;
  switch (element.opcode) {
  case Code::ExtSI:
  case Code::IndexCast:
  case Code::TruncI:
    for (int64_t i = 0; i < count; ++i)
      result.ints[i] = wrap(a[i], instruction.width);
    return;
  case Code::ExtUI:
  case Code::IndexCastUI:
    for (int64_t i = 0; i < count; ++i)
      result.ints[i] = wrap(unsignedOf(a[i], from), instruction.width);
    return;
  case Code::CmpI:
    for (int64_t i = 0; i < count; ++i)
      result.ints[i] = compareIntegers(element.predicate, a[i],
                                       operand(instruction, 1).ints[i], from);
    return;
  default:
    for (int64_t i = 0; i < count; ++i)
      result.ints[i] =
          computeInteger(element.opcode, a[i], operand(instruction, 1).ints[i],
                         instruction.width);
  }
}

void Program::runFloats(const Instruction &instruction, Lanes &result) {
  const Element &element = *instruction.element;
  const std::vector<double> &a = operand(instruction, 0).floats;
  const std::vector<double> &b =
      instruction.operands.size() > 1 ? operand(instruction, 1).floats : a;
  if (element.opcode == ElementOpcode::Fma) {
    const std::vector<double> &c = operand(instruction, 2).floats;
    for (int64_t i = 0; i < count; ++i)
      result.floats[i] =
          element.type.isF32()
              ? std::fma(static_cast<float>(a[i]), static_cast<float>(b[i]),
                         static_cast<float>(c[i]))
              : roundTo(std::fma(a[i], b[i], c[i]), element.type);
    return;
  }
  for (int64_t i = 0; i < count; ++i)
    result.floats[i] =
        roundTo(computeFloat(element.opcode, a[i], b[i]), element.type);
}

/// From one kind of number to the other, and choices.
void Program::runMixed(const Instruction &instruction, Lanes &result) {
  const Element &element = *instruction.element;
  using Code = ElementOpcode;
  unsigned from = getWidth(element.operands[0]->type);
  const Lanes &a = operand(instruction, 0);
  for (int64_t i = 0; i < count; ++i) {
    switch (element.opcode) {
    case Code::SIToFP:
      result.floats[i] =
          element.type.isF32()
              ? static_cast<float>(a.ints[i])
              : roundTo(static_cast<double>(a.ints[i]), element.type);
      break;
    case Code::UIToFP: {
      uint64_t value = unsignedOf(a.ints[i], from);
      result.floats[i] =
          element.type.isF32()
              ? static_cast<float>(value)
              : roundTo(static_cast<double>(value), element.type);
      break;
    }
    case Code::FPToSI:
    case Code::FPToUI:
      result.ints[i] = convertToInteger(a.floats[i], instruction.width);
      break;
    case Code::CmpF:
      result.ints[i] = wrap(compareFloats(element.predicate, a.floats[i],
                                          operand(instruction, 1).floats[i]),
                            1);
      break;
    default: {
      const Lanes &chosen = operand(instruction, a.ints[i] ? 1 : 2);
      if (instruction.isFloat)
        result.floats[i] = chosen.floats[i];
      else
        result.ints[i] = chosen.ints[i];
      break;
    }
    }
  }
}

const Lanes &Program::run(const ElementGrid &grid, int64_t first,
                          int64_t points) {
  count = points;
  coordinates.assign(grid.sizes.size(), std::vector<int64_t>(count));
  for (int64_t i = 0; i < count; ++i) {
    int64_t rest = first + i;
    for (int64_t dim = grid.sizes.size() - 1; dim >= 0; --dim) {
      coordinates[dim][i] = rest % grid.sizes[dim] * grid.steps[dim];
      rest /= grid.sizes[dim];
    }
  }
  registers.resize(instructions.size());
  for (auto [instruction, result] : llvm::zip(instructions, registers)) {
    if (instruction.isFloat)
      result.floats.resize(count);
    else
      result.ints.resize(count);
    const Element *element = instruction.element;
    if (!element) {
      runAffine(instruction, result);
      continue;
    }
    switch (element->kind) {
    case Element::Kind::Constant:
      if (auto real = dyn_cast<FloatAttr>(element->constant))
        result.floats.assign(count, real.getValueAsDouble());
      else
        result.ints.assign(
            count,
            wrap(cast<IntegerAttr>(element->constant).getValue().getSExtValue(),
                 instruction.width));
      break;
    case Element::Kind::Index:
      result.ints = operand(instruction, 0).ints;
      break;
    case Element::Kind::Tensor:
    case Element::Kind::Gather:
      runRead(instruction, result);
      break;
    case Element::Kind::Scalar:
      llvm_unreachable("no constant");
    case Element::Kind::Operation: {
      bool takesFloat = isa<FloatType>(element->operands.back()->type);
      if (element->is(ElementOpcode::Select) ||
          takesFloat != instruction.isFloat)
        runMixed(instruction, result);
      else if (instruction.isFloat)
        runFloats(instruction, result);
      else
        runIntegers(instruction, result);
      break;
    }
    }
  }
  return registers.back();
}

/// Points of a block: what its instructions hold stays in the cache.
static constexpr int64_t kBlock = 1024;

static void evaluate(Elements &elements, const Element *element,
                     const ElementGrid &grid,
                     llvm::function_ref<void(int64_t, const Lanes &)> take) {
  Program program(elements, element);
  for (int64_t first = 0, size = grid.size(); first < size; first += kBlock)
    take(first, program.run(grid, first, std::min(kBlock, size - first)));
}

void quantmlir::evaluateIntegers(
    Elements &elements, const Element *element, const ElementGrid &grid,
    llvm::function_ref<void(int64_t, ArrayRef<int64_t>)> take) {
  bool isFloat = isa<FloatType>(element->type);
  std::vector<int64_t> whole;
  evaluate(elements, element, grid, [&](int64_t first, const Lanes &lanes) {
    if (!isFloat)
      return take(first, lanes.ints);
    whole.clear();
    for (double value : lanes.floats)
      whole.push_back(std::fabs(value) < 0x1p63 && value == std::trunc(value)
                          ? static_cast<int64_t>(value)
                          : std::numeric_limits<int64_t>::min());
    take(first, whole);
  });
}

void quantmlir::evaluateFloats(
    Elements &elements, const Element *element, const ElementGrid &grid,
    llvm::function_ref<void(int64_t, ArrayRef<double>)> take) {
  evaluate(elements, element, grid, [&](int64_t first, const Lanes &lanes) {
    take(first, lanes.floats);
  });
}

std::vector<double> quantmlir::evaluateAll(Elements &elements,
                                           const Element *element,
                                           const ElementGrid &grid) {
  std::vector<double> values(grid.size());
  bool isFloat = isa<FloatType>(element->type);
  evaluate(elements, element, grid, [&](int64_t first, const Lanes &lanes) {
    if (isFloat)
      llvm::copy(lanes.floats, values.begin() + first);
    else
      llvm::copy(lanes.ints, values.begin() + first);
  });
  return values;
}
