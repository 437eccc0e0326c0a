//===- SinkDequantize.cpp - move stored integers, not floats --------------===//
//
// What only moves elements commutes with a dequantize whose axes it keeps:
// reshapes, lookups by index, the padding of a convolution (with the zero
// point, which stands for 0) and the copy of its windows. The integers then
// reach the contraction.
//
//===----------------------------------------------------------------------===//

#include "quant/Import/QuantCasts/QuantCasts.h"

#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Dialect/Quant/Utils/Constants.h"
#include "quant/Import/Contraction/ChosenWeight.h"
#include "quant/Import/Contraction/MatmulEmitter.h"
#include "quant/Import/Contraction/StoredSource.h"
#include "quant/Import/Elements/Gather.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace quantmlir;

static bool isCopy(linalg::LinalgOp op) {
  return op.getNumDpsInputs() == 1 && op.getNumDpsInits() == 1 &&
         op.getNumReductionLoops() == 0 && op.hasPureTensorSemantics() &&
         op.getBlock()->getTerminator()->getOperand(0) ==
             op.getBlock()->getArgument(0);
}

static bool isReshape(Operation *op) {
  return isa<tensor::CollapseShapeOp, tensor::ExpandShapeOp>(op);
}

/// Whether the body of `op` reads tensors by index.
static bool isLookup(linalg::GenericOp op) {
  return !op.getBlock()->getOps<tensor::ExtractOp>().empty();
}

/// The ops in `root` that move elements, in order. Copies by a projected
/// permutation are looked through where they are read: they are among them if
/// what they give is moved on in another way.
static SmallVector<Operation *> findMovements(Operation *root) {
  SmallVector<Operation *> candidates;
  root->walk([&](Operation *op) {
    auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
    auto generic = dyn_cast<linalg::GenericOp>(op);
    if (isReshape(op) ||
        isa<tensor::PadOp, tensor::ExtractSliceOp, tensor::ConcatOp>(op) ||
        (linalgOp && isCopy(linalgOp)) || (generic && isLookup(generic)))
      candidates.push_back(op);
  });
  llvm::DenseSet<Operation *> moved;
  for (Operation *op : llvm::reverse(candidates)) {
    auto copy = dyn_cast<linalg::LinalgOp>(op);
    bool isPermutation =
        copy && isCopy(copy) &&
        copy.getIndexingMapsArray().front().isProjectedPermutation(
            /*allowZeroInResults=*/true);
    if (!isPermutation || llvm::any_of(op->getUsers(), [&](Operation *user) {
          return isReshape(user) ||
                 isa<tensor::ExtractOp, tensor::ExtractSliceOp, tensor::PadOp,
                     tensor::ConcatOp>(user) ||
                 (moved.contains(user) && isa<linalg::LinalgOp>(user));
        }))
      moved.insert(op);
  }
  llvm::erase_if(candidates,
                 [&](Operation *op) { return !moved.contains(op); });
  return candidates;
}

//===----------------------------------------------------------------------===//
// Axes
//===----------------------------------------------------------------------===//

/// The dimension of `group` that is not of size 1; the first one where all are.
/// None where there are several.
static std::optional<int64_t> getOwnDim(RankedTensorType type,
                                        ArrayRef<int64_t> group) {
  std::optional<int64_t> own;
  for (int64_t dim : group) {
    if (type.getDimSize(dim) == 1)
      continue;
    if (own)
      return std::nullopt;
    own = dim;
  }
  return own ? own : std::optional<int64_t>(group.front());
}

/// Where `slice` has dimension `axis`; none where it does not have all of it.
static std::optional<int64_t> getSlicedAxis(tensor::ExtractSliceOp slice,
                                            int64_t axis) {
  llvm::SmallBitVector dropped = slice.getDroppedDims();
  int64_t size = slice.getSourceType().getDimSize(axis);
  if (dropped.test(axis) || ShapedType::isDynamic(size) ||
      slice.getStaticSizes()[axis] != size)
    return std::nullopt;
  return axis - llvm::count_if(dropped.set_bits(),
                               [&](unsigned dim) { return dim < axis; });
}

/// Where dimension `axis` stands after `op`; none where it is no dimension of
/// its own there.
static std::optional<int64_t> getMovedAxis(Operation *op, int64_t axis) {
  if (auto expand = dyn_cast<tensor::ExpandShapeOp>(op))
    return getOwnDim(expand.getResultType(),
                     expand.getReassociationIndices()[axis]);
  if (auto collapse = dyn_cast<tensor::CollapseShapeOp>(op)) {
    for (auto [dim, group] :
         llvm::enumerate(collapse.getReassociationIndices()))
      if (getOwnDim(collapse.getSrcType(), group) == axis)
        return dim;
    return std::nullopt;
  }
  if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op))
    return getSlicedAxis(slice, axis);
  auto copy = cast<linalg::LinalgOp>(op);
  AffineExpr walked = copy.getIndexingMapsArray().front().getResult(axis);
  return copy.getIndexingMapsArray().back().getResultPosition(walked);
}

/// The axes of `op` after `movement`, in the same order; none where they are
/// not ascending dimensions of their own.
static std::optional<SmallVector<int64_t>> getMovedAxes(Operation *movement,
                                                        DequantizeOp op) {
  SmallVector<int64_t> axes;
  for (int64_t axis : op.getAxes()) {
    std::optional<int64_t> moved = getMovedAxis(movement, axis);
    if (!moved || (!axes.empty() && *moved <= axes.back()))
      return std::nullopt;
    axes.push_back(*moved);
  }
  return axes;
}

//===----------------------------------------------------------------------===//
// Movements
//===----------------------------------------------------------------------===//

/// `op` after a `slice` that has one index of some of its axes, as of experts:
/// that of the parameters, too, which do not have the axis any more. Null where
/// it has some other part of an axis, or all of each.
static Value chooseParameters(tensor::ExtractSliceOp slice, DequantizeOp op) {
  OpBuilder builder(slice);
  Location loc = slice.getLoc();
  SmallVector<int64_t> kept, shape;
  SmallVector<OpFoldResult> offsets, sizes;
  for (int64_t axis : op.getAxes()) {
    std::optional<int64_t> moved = getSlicedAxis(slice, axis);
    if (!moved && slice.getStaticSize(axis) != 1)
      return {};
    offsets.push_back(slice.getMixedOffsets()[axis]);
    sizes.push_back(slice.getMixedSizes()[axis]);
    if (!moved)
      continue;
    kept.push_back(*moved);
    shape.push_back(slice.getSourceType().getDimSize(axis));
  }
  if (!slice.hasUnitStride() || kept.size() == op.getAxes().size())
    return {};
  auto choose = [&](Value tensor, ArrayRef<int64_t> shape,
                    ArrayRef<OpFoldResult> offsets,
                    ArrayRef<OpFoldResult> sizes) {
    return tensor ? emitSlice(builder, loc, tensor, shape, offsets, sizes)
                  : Value();
  };
  Value ints = choose(op.getInput(), slice.getType().getShape(),
                      slice.getMixedOffsets(), slice.getMixedSizes());
  Value scale = choose(op.getScale(), shape, offsets, sizes),
        zero = choose(op.getZeroPoint(), shape, offsets, sizes);
  return DequantizeOp::create(builder, loc, slice.getType(), ints, scale, zero,
                              builder.getDenseI64ArrayAttr(kept),
                              op.getIsUnsignedAttr());
}

/// A reshape or a slice of the integers.
static Value moveView(OpBuilder &builder, Operation *reshape, DequantizeOp op) {
  if (auto slice = dyn_cast<tensor::ExtractSliceOp>(reshape);
      slice && slice.hasUnitStride())
    return emitSlice(builder, slice.getLoc(), op.getInput(),
                     slice.getType().getShape(), slice.getMixedOffsets(),
                     slice.getMixedSizes());
  IRMapping mapping;
  mapping.map(op.getResult(), op.getInput());
  Operation *moved = builder.clone(*reshape, mapping);
  auto type = cast<RankedTensorType>(reshape->getResult(0).getType());
  moved->getResult(0).setType(
      type.clone(op.getInput().getType().getElementType()));
  return moved->getResult(0);
}

/// Pads with the zero points along axes that `pad` keeps, which are constants:
/// what has them all over gets the integers put in. Null where sizes are not
/// known.
static Value padWithZeroPoints(OpBuilder &builder, tensor::PadOp pad,
                               DequantizeOp op) {
  auto zeros = getConstantInts(op.getZeroPoint());
  RankedTensorType type = pad.getResultType();
  if (!zeros || !type.hasStaticShape())
    return {};
  Location loc = pad.getLoc();
  auto element = cast<IntegerType>(op.getInput().getType().getElementType());
  auto zeroType =
      cast<RankedTensorType>(op.getZeroPoint().getType()).clone(element);
  SmallVector<APInt> stored;
  for (int32_t zero : *zeros)
    stored.push_back(
        APInt(64, zero, /*isSigned=*/true).trunc(element.getWidth()));
  Value constant = arith::ConstantOp::create(
      builder, loc, DenseElementsAttr::get(zeroType, stored));
  SmallVector<int64_t> added;
  for (int64_t dim = 0, rank = type.getRank(); dim < rank; ++dim)
    if (!llvm::is_contained(op.getAxes(), dim))
      added.push_back(dim);
  Value empty = tensor::EmptyOp::create(builder, loc, type.getShape(), element);
  Value padding =
      linalg::BroadcastOp::create(builder, loc, constant, empty, added)
          ->getResult(0);
  SmallVector<OpFoldResult> strides(type.getRank(), builder.getIndexAttr(1));
  return tensor::InsertSliceOp::create(
      builder, loc, op.getInput(), padding, pad.getMixedLowPad(),
      tensor::getMixedSizes(builder, loc, op.getInput()), strides);
}

/// Pads with the zero point; null unless the program pads with 0.
static Value movePad(OpBuilder &builder, tensor::PadOp pad, DequantizeOp op) {
  Value padding = pad.getConstantPaddingValue();
  if (!padding || !matchPattern(padding, m_AnyZeroFloat()) ||
      llvm::any_of(op.getAxes(), [&](int64_t axis) {
        return pad.getPaddedDims().test(axis);
      }))
    return {};
  if (op.getZeroPoint() && !op.getAxes().empty())
    return padWithZeroPoints(builder, pad, op);
  int64_t zero = 0;
  if (op.getZeroPoint()) {
    auto constants = getConstantInts(op.getZeroPoint());
    if (!constants)
      return {};
    zero = constants->front();
  }
  auto element = cast<IntegerType>(op.getInput().getType().getElementType());
  auto type = cast<RankedTensorType>(pad.getType()).clone(element);
  APInt bits = APInt(64, zero, /*isSigned=*/true).trunc(element.getWidth());
  Value stored = arith::ConstantOp::create(
      builder, pad.getLoc(), builder.getIntegerAttr(element, bits));
  return tensor::PadOp::create(builder, pad.getLoc(), type, op.getInput(),
                               pad.getMixedLowPad(), pad.getMixedHighPad(),
                               stored);
}

static Value moveCopy(OpBuilder &builder, linalg::LinalgOp copy,
                      DequantizeOp op) {
  Location loc = copy.getLoc();
  Value empty = tensor::EmptyOp::create(
      builder, loc, tensor::getMixedSizes(builder, loc, copy.getDpsInits()[0]),
      op.getInput().getType().getElementType());
  return linalg::GenericOp::create(
             builder, loc, TypeRange{empty.getType()}, op.getInput(), empty,
             copy.getIndexingMapsArray(), copy.getIteratorTypesArray(),
             [](OpBuilder &b, Location l, ValueRange args) {
               linalg::YieldOp::create(b, l, args.front());
             })
      .getResult(0);
}

/// `parameter` over the dimensions `wanted` of the integers, in order, of which
/// `axes` are those that it has.
static Value spreadOver(OpBuilder &builder, Location loc, Value parameter,
                        ArrayRef<int64_t> axes, ArrayRef<int64_t> wanted,
                        RankedTensorType ints) {
  SmallVector<int64_t> shape, added;
  for (auto [position, dim] : llvm::enumerate(wanted)) {
    shape.push_back(ints.getDimSize(dim));
    if (!llvm::is_contained(axes, dim))
      added.push_back(position);
  }
  Value empty = tensor::EmptyOp::create(
      builder, loc, shape, getElementTypeOrSelf(parameter.getType()));
  return linalg::BroadcastOp::create(builder, loc, parameter, empty, added)
      ->getResult(0);
}

/// `op` behind a `collapse` that merges an axis with other dimensions: the axes
/// are those, too, and are merged likewise. Null where sizes are not known.
static Value mergeAxes(tensor::CollapseShapeOp collapse, DequantizeOp op) {
  if (!collapse.getSrcType().hasStaticShape() ||
      collapse.getType().getRank() == 0)
    return {};
  OpBuilder builder(collapse);
  Location loc = collapse.getLoc();
  SmallVector<int64_t> wanted, moved;
  SmallVector<ReassociationIndices> merged;
  for (auto [dim, group] :
       llvm::enumerate(collapse.getReassociationIndices())) {
    if (llvm::none_of(group, [&](int64_t inner) {
          return llvm::is_contained(op.getAxes(), inner);
        }))
      continue;
    merged.emplace_back();
    moved.push_back(dim);
    for (int64_t inner : group) {
      merged.back().push_back(wanted.size());
      wanted.push_back(inner);
    }
  }
  auto spread = [&](Value parameter) -> Value {
    if (!parameter)
      return {};
    Value over = spreadOver(builder, loc, parameter, op.getAxes(), wanted,
                            collapse.getSrcType());
    return tensor::CollapseShapeOp::create(builder, loc, over, merged);
  };
  Value scale = spread(op.getScale()), zero = spread(op.getZeroPoint());
  return DequantizeOp::create(
      builder, loc, collapse.getType(), moveView(builder, collapse, op), scale,
      zero, builder.getDenseI64ArrayAttr(moved), op.getIsUnsignedAttr());
}

/// A `slice` at an index of the run time, before dimensions that it has all of
/// are merged: groups of a weight. What it is otherwise stays.
static tensor::ExtractSliceOp sliceBeforeMerging(tensor::ExtractSliceOp slice) {
  auto collapse = slice.getSource().getDefiningOp<tensor::CollapseShapeOp>();
  if (!collapse || !collapse.getSrc().getDefiningOp<DequantizeOp>() ||
      slice.getOffsets().empty() || !slice.hasUnitStride())
    return slice;
  OpBuilder builder(slice);
  Location loc = slice.getLoc();
  RankedTensorType source = collapse.getSrcType();
  llvm::SmallBitVector dropped = slice.getDroppedDims();
  SmallVector<OpFoldResult> offsets, sizes,
      strides(source.getRank(), builder.getIndexAttr(1));
  SmallVector<ReassociationIndices> kept;
  SmallVector<int64_t> shape;
  // Not by upstream's getExpandedExtractSliceInfo, which takes no such offset
  // (22.1.8).
  for (auto [dim, group] :
       llvm::enumerate(collapse.getReassociationIndices())) {
    bool isWhole = getSlicedAxis(slice, dim).has_value();
    if ((group.size() != 1 && !isWhole) || slice.isDynamicSize(dim))
      return slice;
    if (!dropped.test(dim))
      kept.emplace_back();
    for (int64_t inner : group) {
      int64_t size =
          isWhole ? source.getDimSize(inner) : slice.getStaticSize(dim);
      offsets.push_back(isWhole ? builder.getIndexAttr(0)
                                : slice.getMixedOffsets()[dim]);
      sizes.push_back(builder.getIndexAttr(size));
      if (dropped.test(dim))
        continue;
      kept.back().push_back(shape.size());
      shape.push_back(size);
    }
  }
  auto chosen = tensor::ExtractSliceOp::create(
      builder, loc,
      RankedTensorType::get(shape, slice.getType().getElementType()),
      collapse.getSrc(), offsets, sizes, strides);
  slice.replaceAllUsesWith(tensor::CollapseShapeOp::create(
                               builder, loc, slice.getType(), chosen, kept)
                               .getResult());
  eraseDeadChain(slice);
  return chosen;
}

/// Whether two parameters, which may be null, are the same.
static bool isSameParameter(Value a, Value b) {
  Attribute first, second;
  return a == b || (a && b && matchPattern(a, m_Constant(&first)) &&
                    matchPattern(b, m_Constant(&second)) && first == second);
}

/// Integers that are put together, as a cache and what is new in it; null where
/// their parameters differ, or are along that dimension.
static Value moveConcat(tensor::ConcatOp concat, DequantizeOp op) {
  int64_t dim = concat.getDim();
  SmallVector<Value> pieces;
  for (Value input : concat.getInputs()) {
    auto piece = input.getDefiningOp<DequantizeOp>();
    if (!piece || piece.getAxes() != op.getAxes() ||
        llvm::is_contained(piece.getAxes(), dim) ||
        piece.getIsUnsigned() != op.getIsUnsigned() ||
        getElementTypeOrSelf(piece.getInput()) !=
            getElementTypeOrSelf(op.getInput()) ||
        !isSameParameter(piece.getScale(), op.getScale()) ||
        !isSameParameter(piece.getZeroPoint(), op.getZeroPoint()))
      return {};
    pieces.push_back(piece.getInput());
  }
  OpBuilder builder(concat);
  auto type =
      concat.getResultType().clone(op.getInput().getType().getElementType());
  Value ints =
      tensor::ConcatOp::create(builder, concat.getLoc(), type, dim, pieces);
  return DequantizeOp::create(builder, concat.getLoc(), concat.getResultType(),
                              ints, op.getScale(), op.getZeroPoint(),
                              op.getAxesAttr(), op.getIsUnsignedAttr());
}

/// `op` after `movement`; null where what it gives cannot be moved so.
static Value moveDequantize(Operation *movement, DequantizeOp op) {
  if (auto concat = dyn_cast<tensor::ConcatOp>(movement))
    return moveConcat(concat, op);
  OpBuilder builder(movement);
  std::optional<SmallVector<int64_t>> axes = llvm::to_vector(op.getAxes());
  Value moved;
  if (auto pad = dyn_cast<tensor::PadOp>(movement)) {
    moved = movePad(builder, pad, op);
  } else if (axes = getMovedAxes(movement, op); axes) {
    auto copy = dyn_cast<linalg::LinalgOp>(movement);
    moved =
        copy ? moveCopy(builder, copy, op) : moveView(builder, movement, op);
  }
  if (auto slice = dyn_cast<tensor::ExtractSliceOp>(movement); slice && !moved)
    return chooseParameters(slice, op);
  auto collapse = dyn_cast<tensor::CollapseShapeOp>(movement);
  if (!moved)
    // Groups of a weight are merged, too: those are split again.
    return collapse && isQuantizedHere(op.getInput()) ? mergeAxes(collapse, op)
                                                      : Value();
  return DequantizeOp::create(
      builder, movement->getLoc(), movement->getResult(0).getType(), moved,
      op.getScale(), op.getZeroPoint(), builder.getDenseI64ArrayAttr(*axes),
      op.getIsUnsignedAttr());
}

/// A lookup by constant indices in what `op` gives, done in its integers; null
/// where it is none, or has parameters along the dimension.
static Value moveGather(linalg::GenericOp lookup) {
  std::optional<GatheredTensor> gather = lookup->getNumResults() == 1
                                             ? matchGather(lookup.getResult(0))
                                             : std::nullopt;
  auto op = gather ? gather->source.getDefiningOp<DequantizeOp>() : nullptr;
  if (!op || llvm::is_contained(op.getAxes(), gather->dim))
    return {};
  OpBuilder builder(lookup);
  gather->source = op.getInput();
  Value moved = emitGather(builder, lookup.getLoc(), *gather);
  return DequantizeOp::create(builder, lookup.getLoc(),
                              lookup.getResult(0).getType(), moved,
                              op.getScale(), op.getZeroPoint(),
                              op.getAxesAttr(), op.getIsUnsignedAttr());
}

void quantmlir::sinkDequantize(Operation *root) {
  for (Operation *movement : findMovements(root)) {
    if (auto slice = dyn_cast<tensor::ExtractSliceOp>(movement))
      movement = sliceBeforeMerging(slice);
    auto generic = dyn_cast<linalg::GenericOp>(movement);
    bool looksUp = generic && isLookup(generic);
    auto op = movement->getNumOperands() == 0
                  ? DequantizeOp()
                  : movement->getOperand(0).getDefiningOp<DequantizeOp>();
    Value floats = looksUp ? moveGather(generic)
                   : op    ? moveDequantize(movement, op)
                           : Value();
    if (!floats)
      continue;
    movement->getResult(0).replaceAllUsesWith(floats);
    if (isOpTriviallyDead(movement))
      eraseDeadChain(movement);
  }
}
