//===- EmitElement.cpp - an element as a tensor again ---------------------===//

#include "quant/Import/Elements/EmitElement.h"

#include "quant/Import/Contraction/MatmulEmitter.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace quantmlir;

namespace {

/// Collects what the body reads, then makes the body.
class ElementEmitter {
public:
  ElementEmitter(OpBuilder &builder, Location loc, ArrayRef<int64_t> dims,
                 ArrayRef<OpFoldResult> sizes);

  Value emit(const Element *element);

private:
  /// By the coordinates `dims` alone; null where others are needed.
  AffineExpr localize(AffineExpr expr);
  bool collect(const Element *element);
  Value cutOff(Value tensor, ArrayRef<AffineExpr> indices);
  Value build(OpBuilder &b, const Element *element);
  Value buildIndex(OpBuilder &b, AffineExpr expr);

  OpBuilder &builder;
  Location loc;
  SmallVector<int64_t> dims;
  SmallVector<OpFoldResult> sizes;
  SmallVector<AffineExpr> replacements;
  SmallVector<Value> inputs;
  SmallVector<AffineMap> maps;
  DenseMap<const Element *, unsigned> inputOf;
  DenseMap<const Element *, Value> built;
  Block *body = nullptr;
};

} // namespace

ElementEmitter::ElementEmitter(OpBuilder &builder, Location loc,
                               ArrayRef<int64_t> dims,
                               ArrayRef<OpFoldResult> rootSizes)
    : builder(builder), loc(loc), dims(dims),
      replacements(rootSizes.size(), AffineExpr()) {
  for (auto [position, dim] : llvm::enumerate(dims)) {
    replacements[dim] = builder.getAffineDimExpr(position);
    sizes.push_back(rootSizes[dim]);
  }
}

AffineExpr ElementEmitter::localize(AffineExpr expr) {
  bool isLocal = true;
  expr.walk([&](AffineExpr part) {
    if (auto dim = dyn_cast<AffineDimExpr>(part))
      isLocal = isLocal && replacements[dim.getPosition()];
  });
  if (!isLocal)
    return {};
  SmallVector<AffineExpr> all(replacements);
  for (AffineExpr &replacement : all)
    if (!replacement)
      replacement = builder.getAffineConstantExpr(0);
  return expr.replaceDims(all);
}

/// The part of `tensor` that loops walk by `indices`, dimensions or 0: all of
/// it where it has their sizes.
Value ElementEmitter::cutOff(Value tensor, ArrayRef<AffineExpr> indices) {
  auto type = cast<RankedTensorType>(tensor.getType());
  SmallVector<OpFoldResult> offsets(type.getRank(), builder.getIndexAttr(0)),
      strides(type.getRank(), builder.getIndexAttr(1)),
      walked = tensor::getMixedSizes(builder, loc, tensor);
  bool isPart = false;
  for (auto [position, index] : llvm::enumerate(indices)) {
    auto dim = dyn_cast<AffineDimExpr>(index);
    std::optional<int64_t> size =
        dim ? getConstantIntValue(sizes[dim.getPosition()])
            : std::optional<int64_t>(1);
    if (!size || type.isDynamicDim(position) ||
        type.getDimSize(position) == *size)
      continue;
    isPart = true;
    walked[position] = builder.getIndexAttr(*size);
  }
  if (!isPart)
    return tensor;
  return tensor::ExtractSliceOp::create(builder, loc, tensor, offsets, walked,
                                        strides);
}

/// Whether `element` can be made; tensors that maps can walk become inputs.
bool ElementEmitter::collect(const Element *element) {
  if (inputOf.contains(element))
    return true;
  switch (element->kind) {
  case Element::Kind::Scalar:
    inputOf[element] = inputs.size();
    inputs.push_back(element->value);
    maps.push_back(AffineMap::get(dims.size(), 0, builder.getContext()));
    return true;
  case Element::Kind::Constant:
    return true;
  case Element::Kind::Index:
    return static_cast<bool>(localize(element->indices.front()));
  case Element::Kind::Operation:
  case Element::Kind::Gather:
    return llvm::all_of(element->operands, [&](const Element *operand) {
      return collect(operand);
    });
  case Element::Kind::Tensor:
    break;
  }
  SmallVector<AffineExpr> results;
  bool isWalked = true;
  for (AffineExpr index : element->indices) {
    AffineExpr local = localize(index);
    if (!local)
      return false;
    isWalked = isWalked && (isa<AffineDimExpr>(local) ||
                            local == builder.getAffineConstantExpr(0));
    results.push_back(local);
  }
  if (isWalked) {
    inputOf[element] = inputs.size();
    inputs.push_back(cutOff(element->value, results));
    maps.push_back(
        AffineMap::get(dims.size(), 0, results, builder.getContext()));
  }
  return true;
}

Value ElementEmitter::buildIndex(OpBuilder &b, AffineExpr expr) {
  SmallVector<OpFoldResult> loops;
  for (unsigned dim = 0; body && dim < dims.size(); ++dim)
    loops.push_back(linalg::IndexOp::create(b, loc, dim).getResult());
  OpFoldResult index =
      affine::makeComposedFoldedAffineApply(b, loc, localize(expr), loops);
  return getValueOrCreateConstantIndexOp(b, loc, index);
}

Value ElementEmitter::build(OpBuilder &b, const Element *element) {
  if (auto input = inputOf.find(element); body && input != inputOf.end())
    return body->getArgument(input->second);
  if (Value value = built.lookup(element))
    return value;
  Value value;
  SmallVector<Value> operands;
  for (const Element *operand : element->operands)
    operands.push_back(build(b, operand));
  switch (element->kind) {
  case Element::Kind::Constant:
    value = arith::ConstantOp::create(b, loc, element->constant);
    break;
  case Element::Kind::Index:
    value = buildIndex(b, element->indices.front());
    break;
  case Element::Kind::Tensor: {
    SmallVector<Value> indices;
    for (AffineExpr index : element->indices)
      indices.push_back(buildIndex(b, index));
    value = tensor::ExtractOp::create(b, loc, element->value, indices);
    break;
  }
  case Element::Kind::Gather:
    value = tensor::ExtractOp::create(b, loc, element->value, operands);
    break;
  case Element::Kind::Operation: {
    SmallVector<NamedAttribute> attributes;
    if (element->is(ElementOpcode::CmpI))
      attributes.push_back(b.getNamedAttr(
          "predicate", arith::CmpIPredicateAttr::get(
                           b.getContext(), static_cast<arith::CmpIPredicate>(
                                               element->predicate))));
    if (element->is(ElementOpcode::CmpF))
      attributes.push_back(b.getNamedAttr(
          "predicate", arith::CmpFPredicateAttr::get(
                           b.getContext(), static_cast<arith::CmpFPredicate>(
                                               element->predicate))));
    Operation *op =
        b.create(loc, b.getStringAttr(getElementOpcodeName(element->opcode)),
                 operands, element->type, attributes);
    value = op->getResult(0);
    break;
  }
  case Element::Kind::Scalar:
    value = element->value;
    break;
  }
  return built[element] = value;
}

Value ElementEmitter::emit(const Element *element) {
  if (!collect(element))
    return {};
  if (dims.empty())
    return tensor::FromElementsOp::create(
        builder, loc, RankedTensorType::get({}, element->type),
        build(builder, element));
  Value empty = tensor::EmptyOp::create(builder, loc, sizes, element->type);
  unsigned rank = dims.size();
  maps.push_back(builder.getMultiDimIdentityMap(rank));
  SmallVector<utils::IteratorType> kinds(rank, utils::IteratorType::parallel);
  auto op = linalg::GenericOp::create(
      builder, loc, TypeRange{empty.getType()}, inputs, empty, maps, kinds,
      [&](OpBuilder &b, Location, ValueRange) {
        body = b.getInsertionBlock();
        linalg::YieldOp::create(b, loc, build(b, element));
      });
  return op.getResult(0);
}

Value quantmlir::getWholeTensor(OpBuilder &builder, Location loc,
                                const Element *element, ArrayRef<int64_t> dims,
                                ArrayRef<OpFoldResult> sizes) {
  if (element->kind != Element::Kind::Tensor)
    return {};
  auto type = cast<RankedTensorType>(element->value.getType());
  LoopTensor tensor{element->value, {}};
  unsigned next = 0;
  auto isUnit = [&](int64_t dim) {
    return getConstantIntValue(sizes[dim]) == 1;
  };
  for (auto [position, index] : llvm::enumerate(element->indices)) {
    int64_t left = type.getRank() - position;
    auto dim = dyn_cast<AffineDimExpr>(index);
    if (!dim) {
      auto zero = dyn_cast<AffineConstantExpr>(index);
      if (!zero || zero.getValue() != 0 || type.getDimSize(position) != 1)
        return {};
      // A unit dimension of the root where there is one, else one to drop.
      bool isRoot = next < dims.size() && isUnit(dims[next]) &&
                    left <= static_cast<int64_t>(dims.size() - next);
      tensor.loops.push_back(isRoot ? dims[next++] : kUnitDim);
      continue;
    }
    // Only dimensions of size 1 may be missing in between: they would have to
    // be inserted.
    if (next >= dims.size() ||
        dim.getPosition() != static_cast<unsigned>(dims[next]))
      return {};
    // A piece of a larger tensor is not the whole of it.
    std::optional<int64_t> size = getConstantIntValue(sizes[dims[next]]);
    if (size && !type.isDynamicDim(position) &&
        type.getDimSize(position) != *size)
      return {};
    tensor.loops.push_back(dims[next++]);
  }
  if (next != dims.size())
    return {};
  dropUnitDims(builder, loc, tensor);
  return tensor.value;
}

Value quantmlir::emitElement(OpBuilder &builder, Location loc,
                             const Element *element, ArrayRef<int64_t> dims,
                             ArrayRef<OpFoldResult> sizes) {
  if (Value whole = getWholeTensor(builder, loc, element, dims, sizes))
    return whole;
  return ElementEmitter(builder, loc, dims, sizes).emit(element);
}
