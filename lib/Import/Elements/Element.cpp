//===- Element.cpp - what one element of a tensor is made of --------------===//

#include "quant/Import/Elements/Element.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace quantmlir;

/// In the order of the enumeration.
static constexpr StringLiteral kOpcodeNames[] = {
    "arith.addi",     "arith.subi",       "arith.muli",         "arith.andi",
    "arith.ori",      "arith.xori",       "arith.shli",         "arith.shrui",
    "arith.shrsi",    "arith.divui",      "arith.divsi",        "arith.remui",
    "arith.remsi",    "arith.maxsi",      "arith.minsi",        "arith.maxui",
    "arith.minui",    "arith.cmpi",       "arith.extsi",        "arith.extui",
    "arith.trunci",   "arith.index_cast", "arith.index_castui", "arith.sitofp",
    "arith.uitofp",   "arith.fptosi",     "arith.fptoui",       "arith.addf",
    "arith.subf",     "arith.mulf",       "arith.divf",         "arith.negf",
    "math.absf",      "arith.maximumf",   "arith.minimumf",     "arith.maxnumf",
    "arith.minnumf",  "arith.cmpf",       "arith.extf",         "arith.truncf",
    "math.roundeven", "math.floor",       "math.ceil",          "math.fma",
    "arith.select",
};

StringRef quantmlir::getElementOpcodeName(ElementOpcode opcode) {
  return kOpcodeNames[static_cast<size_t>(opcode)];
}

std::optional<ElementOpcode> quantmlir::getElementOpcode(Operation *op) {
  static_assert(std::size(kOpcodeNames) ==
                static_cast<size_t>(ElementOpcode::Select) + 1);
  StringRef name = op->getName().getStringRef();
  const auto *it = llvm::find(kOpcodeNames, name);
  if (it == std::end(kOpcodeNames))
    return std::nullopt;
  return static_cast<ElementOpcode>(it - std::begin(kOpcodeNames));
}

//===----------------------------------------------------------------------===//
// Making
//===----------------------------------------------------------------------===//

Elements::Elements(MLIRContext *context, ArrayRef<int64_t> shape)
    : context(context), shape(shape) {}

const Element *Elements::make(Element element) {
  elements.push_back(std::move(element));
  return &elements.back();
}

const Element *Elements::getTensor(Value tensor, ArrayRef<AffineExpr> indices) {
  auto type = dyn_cast<RankedTensorType>(tensor.getType());
  if (!type)
    return nullptr;
  Element element{Element::Kind::Tensor, type.getElementType()};
  element.value = tensor;
  for (auto [dim, index] : llvm::enumerate(indices))
    element.indices.push_back(type.getDimSize(dim) == 1
                                  ? getAffineConstantExpr(0, context)
                                  : simplify(index));
  SmallVector<const Element *, 1> &known = ofTensor[tensor];
  for (const Element *other : known)
    if (other->indices == element.indices)
      return other;
  known.push_back(make(std::move(element)));
  return known.back();
}

const Element *Elements::getRoot(Value root) {
  SmallVector<AffineExpr> indices;
  for (unsigned dim = 0; dim < shape.size(); ++dim)
    indices.push_back(getAffineDimExpr(dim, context));
  return getTensor(root, indices);
}

const Element *Elements::getConstant(TypedAttr value) {
  Element element{Element::Kind::Constant, value.getType()};
  element.constant = value;
  return make(std::move(element));
}

const Element *Elements::getOperation(ElementOpcode opcode, Type type,
                                      ArrayRef<const Element *> operands) {
  Element element{Element::Kind::Operation, type};
  element.opcode = opcode;
  element.operands.assign(operands.begin(), operands.end());
  return make(std::move(element));
}

const Element *Elements::getIndex(AffineExpr expr) {
  Element made{Element::Kind::Index, IndexType::get(context)};
  made.indices.push_back(simplify(expr));
  return make(std::move(made));
}

AffineExpr Elements::simplify(AffineExpr expr) const {
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return shape[dim.getPosition()] == 1 ? getAffineConstantExpr(0, context)
                                         : expr;
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return expr;
  AffineExpr lhs = simplify(binary.getLHS()), rhs = simplify(binary.getRHS());
  auto divisor = dyn_cast<AffineConstantExpr>(rhs);
  bool isDivision = expr.getKind() == AffineExprKind::FloorDiv ||
                    expr.getKind() == AffineExprKind::Mod;
  if (isDivision && divisor && divisor.getValue() > 0) {
    SmallVector<std::optional<int64_t>> least, greatest;
    for (int64_t size : shape) {
      least.push_back(0);
      greatest.push_back(ShapedType::isDynamic(size)
                             ? std::optional<int64_t>()
                             : std::optional<int64_t>(size - 1));
    }
    auto getBound = [&](bool isUpper) {
      return getBoundForAffineExpr(lhs, shape.size(), 0, least, greatest,
                                   isUpper);
    };
    std::optional<int64_t> low = getBound(false), high = getBound(true);
    if (low && high && *low >= 0 && *high < divisor.getValue())
      return expr.getKind() == AffineExprKind::Mod
                 ? lhs
                 : getAffineConstantExpr(0, context);
  }
  return getAffineBinaryOpExpr(expr.getKind(), lhs, rhs);
}

//===----------------------------------------------------------------------===//
// Expanding: elementwise ops
//===----------------------------------------------------------------------===//

AffineExpr Elements::getAffine(const Element *element) const {
  if (element->kind == Element::Kind::Index)
    return element->indices.front();
  if (element->kind == Element::Kind::Constant)
    if (auto number = dyn_cast<IntegerAttr>(element->constant))
      return getAffineConstantExpr(number.getValue().getSExtValue(), context);
  if (element->kind != Element::Kind::Operation)
    return {};
  if (element->is(ElementOpcode::IndexCast) ||
      element->is(ElementOpcode::IndexCastUI))
    return getAffine(element->operands[0]);
  if (element->operands.size() != 2)
    return {};
  AffineExpr lhs = getAffine(element->operands[0]),
             rhs = getAffine(element->operands[1]);
  if (!lhs || !rhs)
    return {};
  auto constant = dyn_cast<AffineConstantExpr>(rhs);
  switch (element->opcode) {
  case ElementOpcode::AddI:
    return lhs + rhs;
  case ElementOpcode::SubI:
    return lhs - rhs;
  case ElementOpcode::MulI:
    return constant || isa<AffineConstantExpr>(lhs) ? lhs * rhs : AffineExpr();
  // Coordinates are not negative.
  case ElementOpcode::DivUI:
  case ElementOpcode::RemUI:
  case ElementOpcode::DivSI:
  case ElementOpcode::RemSI:
    if (!constant || constant.getValue() <= 0 || !isa<AffineDimExpr>(lhs))
      return {};
    return element->opcode == ElementOpcode::DivUI ||
                   element->opcode == ElementOpcode::DivSI
               ? lhs.floorDiv(constant.getValue())
               : lhs % constant.getValue();
  default:
    return {};
  }
}

const Element *Elements::getGather(Operation *extract, Body &body) {
  auto gather = cast<tensor::ExtractOp>(extract);
  SmallVector<const Element *> where;
  SmallVector<AffineExpr> affine;
  for (Value index : gather.getIndices()) {
    const Element *element = getScalar(index, body);
    if (!element)
      return nullptr;
    where.push_back(element);
    if (AffineExpr expr = getAffine(element))
      affine.push_back(expr);
  }
  if (affine.size() == where.size())
    return getTensor(gather.getTensor(), affine);
  Element made{Element::Kind::Gather, gather.getType()};
  made.value = gather.getTensor();
  made.operands.assign(where.begin(), where.end());
  return make(std::move(made));
}

const Element *Elements::getApplied(Operation *op, Body &body) {
  auto apply = cast<affine::AffineApplyOp>(op);
  AffineMap map = apply.getAffineMap();
  SmallVector<AffineExpr> operands;
  for (Value operand : apply.getMapOperands()) {
    const Element *element = getScalar(operand, body);
    AffineExpr expr = element ? getAffine(element) : AffineExpr();
    if (!expr)
      return nullptr;
    operands.push_back(expr);
  }
  ArrayRef<AffineExpr> all(operands);
  return getIndex(map.getResult(0).replaceDimsAndSymbols(
      all.take_front(map.getNumDims()), all.drop_front(map.getNumDims())));
}

/// `narrow`, an E2M1 number, widened to `type`. All of these are halves of
/// integers from -12 to 12 (OCP MX 1.0, table 5; -0 is 0 here), and as such
/// they are stored: `0.5 * float(int(2 * narrow))`.
const Element *Elements::getHalves(Type type, const Element *narrow) {
  auto number = [&](double value) {
    return getConstant(FloatAttr::get(type, value));
  };
  const Element *wide = getOperation(ElementOpcode::ExtF, type, {narrow});
  const Element *twice =
      getOperation(ElementOpcode::MulF, type, {wide, number(2)});
  const Element *ints = getOperation(ElementOpcode::FPToSI,
                                     IntegerType::get(context, 8), {twice});
  const Element *stored = getOperation(ElementOpcode::SIToFP, type, {ints});
  return getOperation(ElementOpcode::MulF, type, {stored, number(0.5)});
}

const Element *Elements::makeScalar(Value value, Body &body) {
  linalg::LinalgOp op = body.op;
  if (auto argument = dyn_cast<BlockArgument>(value);
      argument && argument.getOwner() == op.getBlock()) {
    OpOperand *operand = op.getMatchingOpOperand(argument);
    if (!isa<RankedTensorType>(operand->get().getType()))
      return getScalar(operand->get(), body);
    SmallVector<AffineExpr> indices;
    for (AffineExpr expr : op.getMatchingIndexingMap(operand).getResults())
      indices.push_back(expr.replaceDims(body.loops));
    return getTensor(operand->get(), indices);
  }
  TypedAttr constant;
  if (matchPattern(value, m_Constant(&constant)))
    return getConstant(constant);
  Operation *def = value.getDefiningOp();
  // Scalars are as much part of the arithmetic as what stands in the body.
  if (isa_and_nonnull<tensor::ExtractOp>(def))
    if (const Element *gather = getGather(def, body))
      return gather;
  if (auto apply = dyn_cast_or_null<affine::AffineApplyOp>(def))
    return getApplied(apply, body);
  if (auto index = dyn_cast_or_null<linalg::IndexOp>(def))
    return getIndex(body.loops[index.getDim()]);
  std::optional<ElementOpcode> opcode =
      def ? getElementOpcode(def) : std::nullopt;
  if (!opcode) {
    if (def && def->getBlock() == op.getBlock())
      return nullptr;
    Element made{Element::Kind::Scalar, value.getType()};
    made.value = value;
    return make(std::move(made));
  }
  Element made{Element::Kind::Operation, value.getType()};
  made.opcode = *opcode;
  if (auto compare = dyn_cast<arith::CmpIOp>(def))
    made.predicate = static_cast<int64_t>(compare.getPredicate());
  else if (auto compare = dyn_cast<arith::CmpFOp>(def))
    made.predicate = static_cast<int64_t>(compare.getPredicate());
  for (Value operand : def->getOperands()) {
    const Element *element = getScalar(operand, body);
    if (!element)
      return nullptr;
    made.operands.push_back(element);
  }
  if (made.is(ElementOpcode::ExtF) &&
      isa<Float4E2M1FNType>(made.operands.front()->type))
    return getHalves(made.type, made.operands.front());
  return make(std::move(made));
}

/// The element that `value`, in the body of an op or before it, is.
const Element *Elements::getScalar(Value value, Body &body) {
  auto known = body.made.find(value);
  if (known != body.made.end())
    return known->second;
  const Element *element = makeScalar(value, body);
  body.made[value] = element;
  return element;
}

const Element *Elements::expandLinalg(const Element *element,
                                      linalg::LinalgOp op, unsigned result) {
  if (op.getNumReductionLoops() != 0 || !op.hasPureTensorSemantics())
    return nullptr;
  AffineMap map = op.getMatchingIndexingMap(op.getDpsInitOperand(result));
  if (!map.isPermutation())
    return nullptr;
  SmallVector<AffineExpr> loops(op.getNumLoops());
  for (auto [dim, expr] : llvm::enumerate(map.getResults()))
    loops[cast<AffineDimExpr>(expr).getPosition()] = element->indices[dim];
  Body body;
  body.op = op;
  body.loops = loops;
  return getScalar(op.getBlock()->getTerminator()->getOperand(result), body);
}

const Element *Elements::getInBody(linalg::LinalgOp op, Value value) {
  SmallVector<AffineExpr> loops;
  for (unsigned dim = 0; dim < shape.size(); ++dim)
    loops.push_back(getAffineDimExpr(dim, context));
  Body body;
  body.op = op;
  body.loops = loops;
  return getScalar(value, body);
}

const Element *Elements::expand(const Element *element) {
  if (element->kind != Element::Kind::Tensor &&
      element->kind != Element::Kind::Gather)
    return nullptr;
  auto known = expanded.find(element);
  if (known != expanded.end())
    return known->second;
  const Element *result = nullptr;
  Operation *def = element->value.getDefiningOp();
  DenseElementsAttr constant;
  if (element->kind == Element::Kind::Gather)
    result = expandGather(element);
  else if (matchPattern(element->value, m_Constant(&constant))) {
    if (constant.getNumElements() == 1 &&
        constant.getElementType().isIntOrFloat())
      result = getConstant(constant.getSplatValue<TypedAttr>());
  } else if (auto linalgOp = dyn_cast_or_null<linalg::LinalgOp>(def)) {
    result = expandLinalg(element, linalgOp,
                          cast<OpResult>(element->value).getResultNumber());
  } else if (def) {
    result = expandMovement(element, def);
    if (!result)
      result = expandChoice(element, def);
  }
  expanded[element] = result;
  return result;
}

TypedAttr Elements::getNumber(const Element *element) {
  element = resolve(element);
  if (element->kind == Element::Kind::Constant)
    return element->constant;
  DenseElementsAttr splat;
  if (element->kind == Element::Kind::Tensor &&
      matchPattern(element->value, m_Constant(&splat)) && splat.isSplat() &&
      splat.getElementType().isIntOrFloat())
    return splat.getSplatValue<TypedAttr>();
  return {};
}

const Element *Elements::resolve(const Element *element) {
  while (const Element *next = expand(element))
    element = next;
  return element;
}
