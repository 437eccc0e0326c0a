//===- ChosenWeight.cpp - a weight that is one of several -----------------===//

#include "quant/Import/Contraction/ChosenWeight.h"

#include "quant/Dialect/Quant/IR/NarrowConstant.h"
#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Import/Contraction/MatmulEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/ReshapeOpsUtils.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace quantmlir;

/// The dimension of which `slice` has one index of the run time, all others
/// being whole; none where it is another slice.
static std::optional<int64_t> getChosenDim(tensor::ExtractSliceOp slice) {
  RankedTensorType type = slice.getSourceType();
  if (!type.hasStaticShape() || !slice.getType().hasStaticShape() ||
      !slice.hasUnitStride())
    return std::nullopt;
  std::optional<int64_t> chosen;
  for (int64_t dim = 0, rank = type.getRank(); dim < rank; ++dim) {
    if (slice.isDynamicOffset(dim)) {
      if (chosen || slice.getStaticSize(dim) != 1)
        return std::nullopt;
      chosen = dim;
    } else if (slice.getStaticSize(dim) != type.getDimSize(dim)) {
      return std::nullopt;
    }
  }
  return chosen;
}

std::optional<ChosenWeight>
quantmlir::matchChosenWeight(const LoopTensor &weight) {
  auto slice = weight.value.getDefiningOp<tensor::ExtractSliceOp>();
  std::optional<int64_t> chosen =
      slice ? getChosenDim(slice) : std::optional<int64_t>();
  if (!chosen)
    return std::nullopt;
  llvm::SmallBitVector dropped = slice.getDroppedDims();
  LoopTensor all{slice.getSource(), {}};
  int64_t next = 0;
  for (int64_t dim = 0, e = slice.getSourceType().getRank(); dim < e; ++dim) {
    int64_t loop = dropped.test(dim) ? kUnitDim : weight.loops[next++];
    all.loops.push_back(dim == *chosen ? kChosenDim : loop);
  }
  all = traceMovement(all);
  if (!all.isConstant() || !llvm::is_contained(all.loops, kChosenDim))
    return std::nullopt;
  return ChosenWeight{std::move(all), slice.getDynamicOffset(*chosen)};
}

//===----------------------------------------------------------------------===//
// Slices
//===----------------------------------------------------------------------===//

Value quantmlir::emitSlice(OpBuilder &builder, Location loc, Value source,
                           ArrayRef<int64_t> shape,
                           ArrayRef<OpFoldResult> offsets,
                           ArrayRef<OpFoldResult> sizes) {
  auto emit = [&](Value from, ArrayRef<int64_t> shape,
                  ArrayRef<OpFoldResult> sizes) -> Value {
    auto type = cast<RankedTensorType>(from.getType());
    SmallVector<OpFoldResult> strides(type.getRank(), builder.getIndexAttr(1));
    return tensor::ExtractSliceOp::create(
        builder, loc, RankedTensorType::get(shape, type.getElementType()), from,
        offsets, sizes, strides);
  };
  Value bytes = getPackedBytes(source);
  auto sourceType = cast<RankedTensorType>(source.getType());
  int64_t length = bytes ? sourceType.getShape().back() : 0;
  if (!bytes || shape.empty() || shape.back() != length ||
      getConstantIntValue(sizes.back()) != length)
    return emit(source, shape, sizes);
  int64_t rowBytes = cast<RankedTensorType>(bytes.getType()).getShape().back();
  SmallVector<int64_t> packed(shape);
  SmallVector<OpFoldResult> packedSizes(sizes);
  packed.back() = rowBytes;
  packedSizes.back() = builder.getIndexAttr(rowBytes);
  Value slice = emit(bytes, packed, packedSizes);
  return unpackBytes(builder, loc,
                     RankedTensorType::get(shape, sourceType.getElementType()),
                     slice);
}

Value quantmlir::emitChosen(OpBuilder &builder, Location loc, Value all,
                            Value index) {
  if (!all)
    return {};
  auto type = cast<RankedTensorType>(all.getType());
  SmallVector<OpFoldResult> offsets(type.getRank(), builder.getIndexAttr(0)),
      sizes = tensor::getMixedSizes(builder, loc, all);
  offsets.front() = index;
  sizes.front() = builder.getIndexAttr(1);
  Value chosen = emitSlice(builder, loc, all, type.getShape().drop_front(),
                           offsets, sizes);
  eraseDeadChain(all.getDefiningOp());
  return chosen;
}

//===----------------------------------------------------------------------===//
// Lookups
//===----------------------------------------------------------------------===//

namespace {

/// A `linalg.generic` that looks up one index of a dimension of a tensor.
class Lookup {
public:
  explicit Lookup(linalg::GenericOp op)
      : op(op), block(op.getBlock()), sizes(op.getStaticLoopRanges()) {}

  bool match();
  Value emit();

private:
  bool matchIndices();
  bool isFixed(Value value);
  Value emitFixed(OpBuilder &builder, Value value, IRMapping &emitted);

  linalg::GenericOp op;
  Block *block;
  SmallVector<int64_t> sizes;
  tensor::ExtractOp extract;
  int64_t dim = -1;
};

} // namespace

/// Whether `value`, in the body, is the same number in all iterations.
bool Lookup::isFixed(Value value) {
  if (auto argument = dyn_cast<BlockArgument>(value);
      argument && argument.getOwner() == block) {
    OpOperand *operand = op.getMatchingOpOperand(argument);
    return op.isDpsInput(operand) &&
           llvm::all_of(op.getMatchingIndexingMap(operand).getResults(),
                        [&](AffineExpr expr) {
                          auto loop = dyn_cast<AffineDimExpr>(expr);
                          return loop ? sizes[loop.getPosition()] == 1
                                      : isa<AffineConstantExpr>(expr);
                        });
  }
  Operation *def = value.getDefiningOp();
  if (!def || def->getBlock() != block)
    return value.getParentBlock() != block;
  if (auto index = dyn_cast<linalg::IndexOp>(def))
    return sizes[index.getDim()] == 1;
  return def->getNumRegions() == 0 && isMemoryEffectFree(def) &&
         llvm::all_of(def->getOperands(),
                      [&](Value operand) { return isFixed(operand); });
}

/// `value`, which is fixed, before the op.
Value Lookup::emitFixed(OpBuilder &builder, Value value, IRMapping &emitted) {
  if (value.getParentBlock() != block || emitted.contains(value))
    return emitted.lookupOrDefault(value);
  auto zero = [&]() -> Value {
    return arith::ConstantIndexOp::create(builder, op.getLoc(), 0);
  };
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    OpOperand *operand = op.getMatchingOpOperand(argument);
    SmallVector<Value> at;
    for (AffineExpr expr : op.getMatchingIndexingMap(operand).getResults()) {
      auto constant = dyn_cast<AffineConstantExpr>(expr);
      at.push_back(constant ? arith::ConstantIndexOp::create(
                                  builder, op.getLoc(), constant.getValue())
                            : zero());
    }
    // A scalar operand is the number itself.
    Value number = operand->get();
    if (isa<RankedTensorType>(number.getType()))
      number = tensor::ExtractOp::create(builder, op.getLoc(), number, at);
    emitted.map(value, number);
    return number;
  }
  Operation *def = value.getDefiningOp();
  if (isa<linalg::IndexOp>(def)) {
    emitted.map(value, zero());
    return emitted.lookup(value);
  }
  for (Value operand : def->getOperands())
    emitFixed(builder, operand, emitted);
  builder.clone(*def, emitted);
  return emitted.lookup(value);
}

/// Whether one index is fixed, and the others are the result's dimensions that
/// are more than one, in order.
bool Lookup::matchIndices() {
  auto type = dyn_cast<RankedTensorType>(extract.getTensor().getType());
  // What is left must be a matrix at least: numbers are no weights.
  if (!type || type.getRank() < 3 || !type.hasStaticShape())
    return false;
  int64_t next = 0;
  for (auto [i, index] : llvm::enumerate(extract.getIndices())) {
    while (next < static_cast<int64_t>(sizes.size()) && sizes[next] == 1)
      ++next;
    auto loop = index.getDefiningOp<linalg::IndexOp>();
    bool isNext = loop && static_cast<int64_t>(loop.getDim()) == next &&
                  sizes[next] == type.getDimSize(i);
    if (isNext) {
      ++next;
      continue;
    }
    // The first index of a dimension of one is all of it.
    if (type.getDimSize(i) == 1)
      continue;
    if (dim >= 0 || !isFixed(index))
      return false;
    dim = i;
  }
  return dim >= 0 && llvm::all_of(ArrayRef<int64_t>(sizes).drop_front(next),
                                  [](int64_t size) { return size == 1; });
}

bool Lookup::match() {
  if (op->getNumResults() != 1 || op.getNumReductionLoops() != 0 ||
      !op.hasPureTensorSemantics() || ShapedType::isDynamicShape(sizes) ||
      !op.getIndexingMapsArray().back().isIdentity() ||
      !llvm::all_of(
          *block, [](Operation &inner) { return isMemoryEffectFree(&inner); }))
    return false;
  extract =
      block->getTerminator()->getOperand(0).getDefiningOp<tensor::ExtractOp>();
  return extract && extract.getTensor().getParentBlock() != block &&
         matchIndices();
}

Value Lookup::emit() {
  OpBuilder builder(op);
  Location loc = op.getLoc();
  IRMapping emitted;
  auto type = cast<RankedTensorType>(extract.getTensor().getType());
  SmallVector<OpFoldResult> offsets(type.getRank(), builder.getIndexAttr(0)),
      lengths = getAsIndexOpFoldResult(builder.getContext(), type.getShape());
  lengths[dim] = builder.getIndexAttr(1);
  offsets[dim] = emitFixed(builder, extract.getIndices()[dim], emitted);
  // The two may differ in their dimensions of one.
  SmallVector<int64_t> shape(type.getShape());
  shape.erase(shape.begin() + dim);
  llvm::erase(shape, 1);
  auto sliced = RankedTensorType::get(shape, type.getElementType());
  Value slice =
      emitSlice(builder, loc, extract.getTensor(), shape, offsets, lengths);
  auto wanted = cast<RankedTensorType>(op->getResult(0).getType());
  if (wanted == sliced)
    return slice;
  auto groups = getReassociationIndicesForReshape(sliced, wanted);
  return groups ? Value(tensor::ExpandShapeOp::create(builder, loc, wanted,
                                                      slice, *groups))
                : Value();
}

void quantmlir::sliceLookups(Operation *root) {
  SmallVector<linalg::GenericOp> candidates;
  root->walk([&](linalg::GenericOp op) { candidates.push_back(op); });
  for (linalg::GenericOp op : candidates) {
    Lookup lookup(op);
    if (!lookup.match())
      continue;
    Value slice = lookup.emit();
    if (!slice)
      continue;
    op->getResult(0).replaceAllUsesWith(slice);
    eraseDeadChain(op);
  }
}
