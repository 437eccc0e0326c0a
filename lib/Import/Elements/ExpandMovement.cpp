//===- ExpandMovement.cpp - elements behind data movement -----------------===//
//
// Where an element of a reshaped, sliced, padded, concatenated or looked up
// tensor comes from.
//
//===----------------------------------------------------------------------===//

#include "quant/Import/Elements/Element.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/SmallBitVector.h"

using namespace mlir;
using namespace quantmlir;

//===----------------------------------------------------------------------===//
// Reshapes and slices
//===----------------------------------------------------------------------===//

/// Coordinates in the tensor of `sizes` of what lies at `linear` of it; the
/// first size that is not 1 is not needed, those after it must be static.
static LogicalResult delinearizeInto(AffineExpr linear, ArrayRef<int64_t> sizes,
                                     SmallVectorImpl<AffineExpr> &indices) {
  while (sizes.size() > 1 && sizes.front() == 1) {
    indices.push_back(getAffineConstantExpr(0, linear.getContext()));
    sizes = sizes.drop_front();
  }
  int64_t stride = 1;
  SmallVector<AffineExpr> reversed;
  for (int64_t i = sizes.size() - 1; i >= 0; --i) {
    AffineExpr index = linear.floorDiv(stride);
    if (i != 0) {
      // An empty tensor has no elements to ask for.
      if (ShapedType::isDynamic(sizes[i]) || sizes[i] == 0)
        return failure();
      index = index % sizes[i];
      stride *= sizes[i];
    }
    reversed.push_back(index);
  }
  indices.append(reversed.rbegin(), reversed.rend());
  return success();
}

/// The coordinates of `op`'s source by `indices` of its result.
static LogicalResult getSourceIndices(Operation *op,
                                      ArrayRef<AffineExpr> indices,
                                      SmallVectorImpl<AffineExpr> &source) {
  MLIRContext *context = op->getContext();
  if (isa<tensor::CastOp>(op)) {
    source.append(indices.begin(), indices.end());
    return success();
  }
  if (auto collapse = dyn_cast<tensor::CollapseShapeOp>(op)) {
    for (auto [dim, group] :
         llvm::enumerate(collapse.getReassociationIndices())) {
      SmallVector<int64_t> sizes;
      for (int64_t inner : group) {
        if (inner < 0 || inner >= collapse.getSrcType().getRank())
          return failure();
        sizes.push_back(collapse.getSrcType().getDimSize(inner));
      }
      if (failed(delinearizeInto(indices[dim], sizes, source)))
        return failure();
    }
    // A tensor without dimensions is one of unit dimensions.
    if (indices.empty())
      source.append(collapse.getSrcType().getRank(),
                    getAffineConstantExpr(0, context));
    return success();
  }
  if (auto expand = dyn_cast<tensor::ExpandShapeOp>(op)) {
    for (const ReassociationIndices &group : expand.getReassociationIndices()) {
      AffineExpr linear = getAffineConstantExpr(0, context);
      for (int64_t dim : group) {
        // Upstream's verifier reads the numbers of dimensions as 32 bits.
        if (dim < 0 || dim >= expand.getResultType().getRank())
          return failure();
        int64_t size = expand.getResultType().getDimSize(dim);
        // Those before have one element alone.
        bool isFirst = linear == getAffineConstantExpr(0, context);
        if (!isFirst && ShapedType::isDynamic(size))
          return failure();
        linear = (isFirst ? linear : linear * size) + indices[dim];
      }
      source.push_back(linear);
    }
    return success();
  }
  auto slice = dyn_cast<tensor::ExtractSliceOp>(op);
  // Sizes that are not known may be smaller than the source's: its elements
  // would be taken for the whole of it.
  if (!slice || !slice.getSourceType().hasStaticShape() ||
      !slice.getType().hasStaticShape())
    return failure();
  llvm::SmallBitVector dropped = slice.getDroppedDims();
  unsigned next = 0;
  for (int64_t dim = 0, e = slice.getSourceType().getRank(); dim < e; ++dim) {
    if (slice.isDynamicOffset(dim) || slice.isDynamicStride(dim))
      return failure();
    AffineExpr index =
        dropped.test(dim) ? getAffineConstantExpr(0, context) : indices[next++];
    source.push_back(index * slice.getStaticStride(dim) +
                     slice.getStaticOffset(dim));
  }
  return success();
}

const Element *Elements::expandMovement(const Element *element, Operation *op) {
  auto scalar = [&](Value value) {
    Element made{Element::Kind::Scalar, element->type};
    made.value = value;
    TypedAttr constant;
    if (matchPattern(value, m_Constant(&constant)))
      return getConstant(constant);
    return make(std::move(made));
  };
  // What was never written is any number.
  if (isa<tensor::EmptyOp>(op) && element->type.isIntOrFloat())
    return getConstant(Builder(context).getZeroAttr(element->type));
  if (auto splat = dyn_cast<tensor::SplatOp>(op))
    return scalar(splat.getInput());
  if (auto from = dyn_cast<tensor::FromElementsOp>(op))
    return from.getElements().size() == 1 ? scalar(from.getElements().front())
                                          : nullptr;
  if (!isa<tensor::CastOp, tensor::CollapseShapeOp, tensor::ExpandShapeOp,
           tensor::ExtractSliceOp>(op))
    return nullptr;
  SmallVector<AffineExpr> indices;
  if (failed(getSourceIndices(op, element->indices, indices)))
    return nullptr;
  return getTensor(op->getOperand(0), indices);
}

//===----------------------------------------------------------------------===//
// Tensors that are put together
//===----------------------------------------------------------------------===//

/// `inside` where every index of a tensor of `whole` sizes lies in its piece,
/// else `outside`. Reading `inside` elsewhere gives any value: it is not
/// chosen.
const Element *
Elements::getWithin(const Element *inside, const Element *outside,
                    ArrayRef<AffineExpr> indices, ArrayRef<int64_t> offsets,
                    ArrayRef<int64_t> sizes, ArrayRef<int64_t> whole) {
  Type boolean = IntegerType::get(context, 1), index = IndexType::get(context);
  auto choose = [&](arith::CmpIPredicate predicate, AffineExpr expr,
                    int64_t bound, const Element *chosen) {
    const Element *number = getConstant(IntegerAttr::get(index, bound));
    Element compare{Element::Kind::Operation, boolean};
    compare.opcode = ElementOpcode::CmpI;
    compare.predicate = static_cast<int64_t>(predicate);
    compare.operands = {getIndex(expr), number};
    return getOperation(ElementOpcode::Select, chosen->type,
                        {make(std::move(compare)), chosen, outside});
  };
  const Element *chosen = inside;
  for (auto [expr, offset, size, all] :
       llvm::zip_equal(indices, offsets, sizes, whole)) {
    if (offset + size != all)
      chosen = choose(arith::CmpIPredicate::slt, expr, offset + size, chosen);
    if (offset > 0)
      chosen = choose(arith::CmpIPredicate::sge, expr, offset, chosen);
  }
  return chosen;
}

const Element *Elements::expandChoice(const Element *element, Operation *op) {
  auto shift = [&](ArrayRef<int64_t> offsets) {
    SmallVector<AffineExpr> moved;
    for (auto [expr, offset] : llvm::zip_equal(element->indices, offsets))
      moved.push_back(expr - offset);
    return moved;
  };
  int64_t rank = element->indices.size();
  if (auto concat = dyn_cast<tensor::ConcatOp>(op)) {
    SmallVector<int64_t> offsets(rank, 0), sizes;
    const Element *chosen = nullptr;
    int64_t dim = concat.getDim(), end = concat.getResultType().getDimSize(dim);
    // From the last one on: it is what is left where no other is chosen.
    for (Value input : llvm::reverse(concat.getInputs())) {
      // The sizes are those that are known before they are forgotten.
      while (auto cast = input.getDefiningOp<tensor::CastOp>())
        input = cast.getSource();
      auto type = dyn_cast<RankedTensorType>(input.getType());
      if (!type || !type.hasStaticShape())
        return nullptr;
      end -= type.getDimSize(dim);
      offsets[dim] = end;
      const Element *piece = getTensor(input, shift(offsets));
      chosen =
          chosen ? getWithin(piece, chosen, element->indices, offsets,
                             type.getShape(), concat.getResultType().getShape())
                 : piece;
    }
    return chosen;
  }
  if (auto pad = dyn_cast<tensor::PadOp>(op)) {
    Value padding = pad.getConstantPaddingValue();
    TypedAttr constant;
    if (!padding || !matchPattern(padding, m_Constant(&constant)) ||
        ShapedType::isDynamicShape(pad.getStaticLow()) ||
        !pad.getSourceType().hasStaticShape())
      return nullptr;
    return getWithin(getTensor(pad.getSource(), shift(pad.getStaticLow())),
                     getConstant(constant), element->indices,
                     pad.getStaticLow(), pad.getSourceType().getShape(),
                     pad.getResultType().getShape());
  }
  auto insert = dyn_cast<tensor::InsertSliceOp>(op);
  if (!insert || !insert.hasUnitStride() ||
      ShapedType::isDynamicShape(insert.getStaticOffsets()) ||
      insert.getSourceType().getRank() != rank ||
      !insert.getSourceType().hasStaticShape())
    return nullptr;
  return getWithin(
      getTensor(insert.getSource(), shift(insert.getStaticOffsets())),
      getTensor(insert.getDest(), element->indices), element->indices,
      insert.getStaticOffsets(), insert.getSourceType().getShape(),
      insert.getDestType().getShape());
}

//===----------------------------------------------------------------------===//
// What is looked up by index
//===----------------------------------------------------------------------===//

/// `expr` with numbers for its coordinates, which are not negative.
const Element *Elements::substitute(AffineExpr expr,
                                    ArrayRef<const Element *> coordinates) {
  Type index = IndexType::get(context);
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return getConstant(IntegerAttr::get(index, constant.getValue()));
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return coordinates[dim.getPosition()];
  auto binary = cast<AffineBinaryOpExpr>(expr);
  ElementOpcode opcode =
      expr.getKind() == AffineExprKind::Add        ? ElementOpcode::AddI
      : expr.getKind() == AffineExprKind::Mul      ? ElementOpcode::MulI
      : expr.getKind() == AffineExprKind::FloorDiv ? ElementOpcode::DivSI
                                                   : ElementOpcode::RemSI;
  return getOperation(opcode, index,
                      {substitute(binary.getLHS(), coordinates),
                       substitute(binary.getRHS(), coordinates)});
}

/// `element` of other coordinates where those are `coordinates`.
const Element *Elements::substitute(const Element *element,
                                    ArrayRef<const Element *> coordinates) {
  Element made = *element;
  for (const Element *&operand : made.operands)
    operand = substitute(operand, coordinates);
  if (element->kind == Element::Kind::Index)
    return substitute(element->indices.front(), coordinates);
  if (element->kind == Element::Kind::Tensor) {
    made.kind = Element::Kind::Gather;
    for (AffineExpr expr : element->indices)
      made.operands.push_back(substitute(expr, coordinates));
    made.indices.clear();
  }
  return make(std::move(made));
}

const Element *Elements::expandGather(const Element *element) {
  auto type = dyn_cast<RankedTensorType>(element->value.getType());
  if (!type)
    return nullptr;
  Elements source(context, type.getShape());
  const Element *next = source.expand(source.getRoot(element->value));
  if (!next)
    return nullptr;
  SmallVector<const Element *> coordinates;
  for (const Element *operand : element->operands)
    coordinates.push_back(operand->type.isIndex()
                              ? operand
                              : getOperation(ElementOpcode::IndexCast,
                                             IndexType::get(context),
                                             {operand}));
  return substitute(next, coordinates);
}
