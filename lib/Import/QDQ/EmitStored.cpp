//===- EmitStored.cpp - stored integers and their parameters --------------===//

#include "StoredTensors.h"

#include "quant/Import/Elements/EmitElement.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace quantmlir;

/// The tensor that `ints` are read from as `value` reshapes it: by the same
/// reshapes, which move nothing. Null where they are moved in other ways.
static Value reshapeAlike(OpBuilder &builder, Value value,
                          const Element *ints) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type)
    return {};
  Operation *def = value.getDefiningOp();
  if (isa_and_nonnull<tensor::ExpandShapeOp, tensor::CollapseShapeOp>(def)) {
    Value source = reshapeAlike(builder, def->getOperand(0), ints);
    if (!source)
      return {};
    Type element = getElementTypeOrSelf(source.getType());
    if (source == def->getOperand(0))
      return value;
    IRMapping mapping;
    mapping.map(def->getOperand(0), source);
    Operation *moved = builder.clone(*def, mapping);
    moved->getResult(0).setType(type.clone(element));
    return moved->getResult(0);
  }
  Elements elements(builder.getContext(), type.getShape());
  std::optional<StoredElement> stored;
  const Element *root = elements.getRoot(value);
  if (value != ints->value)
    stored = matchStored(elements, root);
  const Element *here = stored ? stored->stored : root;
  while (here && here->value != ints->value)
    here = elements.expand(here);
  bool isWhole = here && here->indices == root->indices &&
                 cast<RankedTensorType>(ints->value.getType()).getShape() ==
                     type.getShape();
  return isWhole ? ints->value : Value();
}

/// Integers that the program computes: as it stores them, or by the op that
/// quantizes.
Value quantmlir::emitGivenInts(const ElementSite &site,
                               const StoredElement &stored,
                               ArrayRef<int64_t> dims) {
  const Element *ints = stored.stored;
  bool isStored = isStoredType(ints->type);
  if (!isStored || ints->kind != Element::Kind::Tensor)
    if (std::optional<QuantizedElement> quantized =
            matchQuantized(site.elements, ints))
      return dims.size() == site.sizes.size()
                 ? emitQuantized(site, ints, *quantized)
                 : Value();
  if (!isStored)
    return {};
  if (site.root && ints->kind == Element::Kind::Tensor &&
      dims.size() == site.sizes.size()) {
    // Movement in front of the arithmetic is moved on as one.
    while (const Element *source = site.elements.expand(ints)) {
      if (source->kind != Element::Kind::Tensor)
        break;
      ints = source;
    }
    if (Value moved = reshapeAlike(site.builder, site.root, ints))
      return moved;
  }
  return emitElement(site.builder, site.loc, ints, dims, site.sizes);
}

/// Bits of the program's own storage; computed integers are stored in 8.
unsigned quantmlir::getStoredBits(const StoredElement &stored) {
  return isStoredType(stored.stored->type)
             ? stored.stored->type.getIntOrFloatBitWidth()
             : 8;
}

/// Says which zero points the integers have.
void quantmlir::refuseZero(const ElementSite &site, const Storage &storage,
                           const std::string &found) {
  StorageRange range = storage.getRange();
  if (site.reason)
    *site.reason = "expected a zero point in [" + std::to_string(range.min) +
                   ", " + std::to_string(range.max) + "], as the " +
                   (storage.isUnsigned ? "unsigned" : "signed") +
                   " integers that it belongs to, found " + found;
}

/// Whether a zero point that is known at run time only is read as the integers
/// of `storage` are: else it may lie out of their range.
static bool isReadAlike(const ElementSite &site, const ElementZero &zero,
                        const Storage &storage) {
  const Element *element = site.elements.resolve(zero.value);
  using Code = ElementOpcode;
  while (element->is(Code::SIToFP) || element->is(Code::TruncI) ||
         ((element->is(Code::ExtSI) || element->is(Code::ExtUI)) &&
          !isStoredType(element->operands[0]->type)))
    element = site.elements.resolve(element->operands[0]);
  bool isUnsigned = element->is(Code::ExtUI) || element->is(Code::UIToFP);
  bool isByte = (isUnsigned || element->is(Code::ExtSI)) &&
                isStoredType(element->operands[0]->type);
  if (!isByte)
    return true;
  unsigned bits = element->operands[0]->type.getIntOrFloatBitWidth();
  if (isUnsigned == storage.isUnsigned && bits <= storage.bits)
    return true;
  refuseZero(site, storage,
             isUnsigned ? "an unsigned byte of the run time"
                        : "a signed byte of the run time");
  return false;
}

/// The product of `factors`, of which all but one are numbers that scale
/// exactly (powers of two, as formats of few bits have them); null where they
/// are not, or where one is divided by.
static const Element *getOneFactor(Elements &elements,
                                   ArrayRef<ElementFactor> factors) {
  const Element *product = nullptr;
  for (const ElementFactor &factor : factors) {
    if (factor.isDivisor)
      return nullptr;
    if (!product) {
      product = factor.value;
      continue;
    }
    auto isExact = [&](const Element *value) {
      auto number = dyn_cast_or_null<FloatAttr>(elements.getNumber(value));
      return number && number.getValue().getExactLog2() != INT_MIN;
    };
    if (product->type != factor.value->type ||
        (!isExact(product) && !isExact(factor.value)))
      return nullptr;
    product = elements.getOperation(ElementOpcode::MulF, product->type,
                                    {product, factor.value});
  }
  return product;
}

/// The same for integers that are not known either, or are known and need no
/// change.
static std::optional<StoredTensor> emitRunTimeStored(const ElementSite &site,
                                                     const StoredElement &s) {
  Elements &elements = site.elements;
  unsigned bits = getStoredBits(s);
  const Element *factor = getOneFactor(elements, s.factors);
  if (s.isNegated || (!s.factors.empty() && !factor) ||
      (bits != 8 && bits != 4) ||
      !llvm::all_of(s.zeros, [&](const ElementZero &zero) {
        return isReadAlike(site, zero, {bits, s.isUnsigned, 0});
      }))
    return std::nullopt;
  std::optional<ElementParameters> parameters =
      emitRunTimeParameters(site, factor, s.zeros);
  if (!parameters)
    return std::nullopt;
  StoredTensor result;
  result.isUnsigned = s.isUnsigned;
  llvm::SmallBitVector dependence = getDependence(elements, s.stored);
  for (int64_t dim = 0, e = elements.getShape().size(); dim < e; ++dim)
    if (dependence.test(dim) || elements.getShape()[dim] == 1 ||
        llvm::is_contained(parameters->dims, dim)) {
      if (llvm::is_contained(parameters->dims, dim))
        result.axes.push_back(result.dims.size());
      result.dims.push_back(dim);
    }
  result.ints = emitGivenInts(site, s, result.dims);
  result.scale = parameters->scale;
  result.zeroPoint = parameters->zeroPoint;
  if (!result.ints)
    return std::nullopt;
  return result;
}

std::optional<StoredTensor> quantmlir::emitStored(const ElementSite &site,
                                                  const StoredElement &stored) {
  if (std::optional<ConstantParameters> parameters =
          evaluateParameters(site.elements, stored))
    return emitConstantStored(site, stored, std::move(*parameters));
  return emitRunTimeStored(site, stored);
}
