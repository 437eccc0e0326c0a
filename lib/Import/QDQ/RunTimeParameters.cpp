//===- RunTimeParameters.cpp - scales and zero points of the run time -----===//

#include "StoredTensors.h"

#include "quant/Dialect/Quant/Utils/Constants.h"
#include "quant/Import/Elements/EmitElement.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <cmath>

using namespace mlir;
using namespace quantmlir;

/// `element`, an operation, with what it reads taken from before it was
/// repeated along other coordinates than `dims`; null where that is not known.
static const Element *readBeforeRepeats(Elements &elements,
                                        const Element *element,
                                        ArrayRef<int64_t> dims) {
  using Kind = Element::Kind;
  if (element->kind == Kind::Constant || element->kind == Kind::Scalar)
    return element;
  if (element->kind == Kind::Tensor) {
    bool isLocal = true;
    for (AffineExpr index : element->indices)
      index.walk([&](AffineExpr part) {
        if (auto dim = dyn_cast<AffineDimExpr>(part))
          isLocal = isLocal && llvm::is_contained(dims, dim.getPosition());
      });
    if (isLocal)
      return element;
    const Element *source = elements.expand(element);
    return source ? readBeforeRepeats(elements, source, dims) : nullptr;
  }
  if (element->kind != Kind::Operation || element->is(ElementOpcode::CmpF) ||
      element->is(ElementOpcode::CmpI))
    return nullptr;
  SmallVector<const Element *> operands;
  for (const Element *operand : element->operands)
    if (const Element *read = readBeforeRepeats(elements, operand, dims))
      operands.push_back(read);
    else
      return nullptr;
  return elements.getOperation(element->opcode, element->type, operands);
}

/// `element`, one number or one for each index of `dims`, as a tensor of
/// `type`'s elements.
static Value emitRunTime(const ElementSite &site, const Element *element,
                         ArrayRef<int64_t> dims, Type type) {
  OpBuilder &builder = site.builder;
  if (dims.empty() && element->kind == Element::Kind::Scalar &&
      element->type == type)
    return tensor::FromElementsOp::create(
        builder, site.loc, RankedTensorType::get({}, type), element->value);
  if (element->type != type) {
    // Scales of f16 and bf16 are widened; nothing else is converted.
    if (!isa<FloatType>(type) || !isa<FloatType>(element->type) ||
        element->type.getIntOrFloatBitWidth() >= 32)
      return {};
    element = site.elements.getOperation(ElementOpcode::ExtF, type, {element});
  }
  // A tensor that repeats a parameter is over more than the parameter is.
  while (true) {
    if (Value value = emitElement(builder, site.loc, element, dims, site.sizes))
      return value;
    if (element->kind == Element::Kind::Operation) {
      element = readBeforeRepeats(site.elements, element, dims);
      return element ? emitElement(builder, site.loc, element, dims, site.sizes)
                     : Value();
    }
    element = site.elements.expand(element);
    if (!element)
      return {};
  }
}

/// A zero point in i32: what it was before it was widened or converted.
static const Element *getIntegerZero(Elements &elements,
                                     const Element *element) {
  element = elements.resolve(element);
  Type i32 = IntegerType::get(element->type.getContext(), 32);
  using Code = ElementOpcode;
  if (element->is(Code::SIToFP) || element->is(Code::UIToFP)) {
    const Element *operand = element->operands[0];
    if (element->is(Code::UIToFP) && operand->type.getIntOrFloatBitWidth() < 32)
      return elements.getOperation(Code::ExtUI, i32, {operand});
    return element->is(Code::UIToFP) ? nullptr
                                     : getIntegerZero(elements, operand);
  }
  if (!element->type.isInteger())
    return nullptr;
  unsigned width = element->type.getIntOrFloatBitWidth();
  if (width == 32)
    return element;
  return elements.getOperation(width > 32 ? Code::TruncI : Code::ExtSI, i32,
                               {element});
}

/// The coordinates that `parameters` vary along; none twice the root's own.
static SmallVector<int64_t> getDims(Elements &elements,
                                    ArrayRef<const Element *> parameters) {
  llvm::SmallBitVector all(elements.getShape().size());
  for (const Element *parameter : parameters)
    if (parameter)
      all |= getDependence(elements, parameter);
  SmallVector<int64_t> dims;
  for (unsigned dim : all.set_bits())
    dims.push_back(dim);
  return dims;
}

/// Whether a computed parameter over `dims` is one at all: as many of them as
/// there are elements are an operand of their own.
static bool isParameter(Elements &elements, ArrayRef<int64_t> dims) {
  int64_t numDims = llvm::count_if(elements.getShape(),
                                   [](int64_t size) { return size != 1; });
  return dims.empty() || static_cast<int64_t>(dims.size()) < numDims ||
         static_cast<size_t>(numDims) < elements.getShape().size();
}

/// One scale and at most one zero point that are computed by the program.
std::optional<ElementParameters>
quantmlir::emitRunTimeParameters(const ElementSite &site, const Element *scale,
                                 ArrayRef<ElementZero> zeros) {
  Elements &elements = site.elements;
  OpBuilder &builder = site.builder;
  if (zeros.size() > 1 ||
      (zeros.size() == 1 &&
       (zeros.front().isNegated || zeros.front().numFactors != 0)))
    return std::nullopt;
  const Element *zero = nullptr;
  if (!zeros.empty()) {
    const Element *given = zeros.front().value;
    zero = getIntegerZero(elements, given);
    // Constants may be floats or wider than 32 bits, as long as they fit.
    bool isConstant = isConstantElement(elements, given);
    bool isExact = zero && !zero->is(ElementOpcode::TruncI);
    if ((!zero && !isConstant) ||
        (!isExact && isConstant && !hasWholeValues(elements, given)))
      return std::nullopt;
    if (!zero)
      zero = elements.getOperation(ElementOpcode::FPToSI, builder.getI32Type(),
                                   {given});
  }
  ElementParameters parameters;
  parameters.dims = getDims(elements, {scale, zero});
  if (!isParameter(elements, parameters.dims))
    return std::nullopt;
  if (scale) {
    parameters.scale =
        emitRunTime(site, scale, parameters.dims, builder.getF32Type());
    std::optional<FloatConstant> constant =
        FloatConstant::get(parameters.scale);
    if (!parameters.scale ||
        (constant && !llvm::all_of(constant->getStored(), [](float value) {
           return std::isfinite(value) && value > 0;
         })))
      return std::nullopt;
  }
  if (zero) {
    parameters.zeroPoint =
        emitRunTime(site, zero, parameters.dims, builder.getI32Type());
    if (!parameters.zeroPoint)
      return std::nullopt;
  }
  return parameters;
}
