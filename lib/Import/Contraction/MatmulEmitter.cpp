//===- MatmulEmitter.cpp - a contraction as quant.matmul ------------------===//
//
// Every operand is reshaped in the same three steps: unit dimensions that no
// loop walks are dropped, loops are put in the wanted order (a transpose, only
// if they are not), and the loops of one role are merged (a collapse_shape,
// only if they are several, or a unit dimension, if they are none). Constants
// change their layout at compile time; a mere reshape shares their blob.
//
//===----------------------------------------------------------------------===//

#include "quant/Import/Contraction/MatmulEmitter.h"

#include "quant/Dialect/Quant/IR/NarrowConstant.h"
#include "quant/Import/Contraction/ChosenWeight.h"
#include "quant/Import/Contraction/ConstantLayout.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/ReshapeOpsUtils.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace quantmlir;

//===----------------------------------------------------------------------===//
// Reshaping
//===----------------------------------------------------------------------===//

static RankedTensorType
getCollapsedType(RankedTensorType type, ArrayRef<ReassociationIndices> groups) {
  SmallVector<int64_t> shape;
  for (const ReassociationIndices &group : groups) {
    int64_t size = 1;
    for (int64_t dim : group)
      size = type.isDynamicDim(dim) || ShapedType::isDynamic(size)
                 ? ShapedType::kDynamic
                 : size * type.getDimSize(dim);
    shape.push_back(size);
  }
  return RankedTensorType::get(shape, type.getElementType());
}

static Value collapse(OpBuilder &builder, Location loc, Value value,
                      ArrayRef<ReassociationIndices> groups) {
  auto type = cast<RankedTensorType>(value.getType());
  if (static_cast<int64_t>(groups.size()) == type.getRank())
    return value;
  RankedTensorType collapsed = getCollapsedType(type, groups);
  if (Value constant = reshapeConstant(builder, loc, value, collapsed))
    return constant;
  return tensor::CollapseShapeOp::create(builder, loc, collapsed, value,
                                         groups);
}

static Value expand(OpBuilder &builder, Location loc, Value value,
                    ArrayRef<ReassociationIndices> groups,
                    ArrayRef<OpFoldResult> sizes) {
  auto type = cast<RankedTensorType>(value.getType());
  if (sizes.size() == groups.size())
    return value;
  SmallVector<int64_t> shape = decomposeMixedValues(sizes).first;
  auto expanded = RankedTensorType::get(shape, type.getElementType());
  if (Value constant = reshapeConstant(builder, loc, value, expanded))
    return constant;
  // Upstream's lowering of an expand_shape (expand-strided-metadata, 22.1.8)
  // crashes on a group with two dynamic sizes; a reshape says the same.
  bool isSplit = llvm::any_of(groups, [&](const ReassociationIndices &group) {
    return llvm::count_if(group, [&](int64_t dim) {
             return expanded.isDynamicDim(dim);
           }) > 1;
  });
  if (isSplit) {
    SmallVector<Value> values;
    for (OpFoldResult size : sizes)
      values.push_back(getValueOrCreateConstantIndexOp(builder, loc, size));
    Value sizeTensor = tensor::FromElementsOp::create(builder, loc, values);
    return tensor::ReshapeOp::create(builder, loc, expanded, value, sizeTensor);
  }
  // Operands may know different sizes; the op wants both sides to agree.
  RankedTensorType collapsed = getCollapsedType(expanded, groups);
  if (collapsed != type)
    value = tensor::CastOp::create(builder, loc, collapsed, value);
  return tensor::ExpandShapeOp::create(builder, loc, expanded, value, groups,
                                       sizes);
}

void quantmlir::dropUnitDims(OpBuilder &builder, Location loc,
                             LoopTensor &tensor) {
  SmallVector<ReassociationIndices> groups;
  ReassociationIndices group;
  SmallVector<int64_t> loops;
  for (auto [dim, loop] : llvm::enumerate(tensor.loops)) {
    group.push_back(dim);
    if (loop == kUnitDim)
      continue;
    groups.push_back(std::exchange(group, {}));
    loops.push_back(loop);
  }
  if (!groups.empty())
    llvm::append_range(groups.back(), group);
  tensor = {collapse(builder, loc, tensor.value, groups), std::move(loops)};
}

//===----------------------------------------------------------------------===//
// Layouts
//===----------------------------------------------------------------------===//

/// The members of `loops` in the order in which `tensor` has them.
static SmallVector<int64_t> orderAs(const LoopTensor &tensor,
                                    ArrayRef<int64_t> loops) {
  SmallVector<int64_t> ordered;
  for (int64_t loop : tensor.loops)
    if (llvm::is_contained(loops, loop))
      ordered.push_back(loop);
  return ordered;
}

/// The right-hand side in the order in which it is stored: that of the constant
/// that it is chosen from, if it is.
static LoopTensor getStoredRhs(const Contraction &c) {
  std::optional<ChosenWeight> chosen = matchChosenWeight(c.rhs);
  if (!chosen)
    return c.rhs;
  llvm::replace(chosen->all.loops, kChosenDim, kUnitDim);
  return chosen->all;
}

MatmulEmitter::MatmulEmitter(OpBuilder &builder, const Contraction &c,
                             int64_t outer)
    : builder(builder), contraction(c), loc(c.op->getLoc()),
      batch(orderAs(c.lhs, c.batch)), m(orderAs(c.lhs, c.m)),
      n(orderAs(getStoredRhs(c), c.n)), k(orderAs(getStoredRhs(c), c.k)) {
  std::stable_partition(k.begin(), k.end(),
                        [&](int64_t loop) { return loop == outer; });
  // [K, N] is taken as it is; everything else becomes [N, K].
  SmallVector<int64_t> plain(batch);
  llvm::append_range(plain, k);
  llvm::append_range(plain, n);
  SmallVector<int64_t> loops;
  llvm::copy_if(getStoredRhs(c).loops, std::back_inserter(loops),
                [](int64_t loop) { return loop != kUnitDim; });
  rhsTransposed = loops != plain;
}

Value MatmulEmitter::emitTransposed(LoopTensor &tensor,
                                    ArrayRef<int64_t> order) {
  SmallVector<int64_t> permutation;
  for (int64_t loop : order)
    permutation.push_back(llvm::find(tensor.loops, loop) -
                          tensor.loops.begin());
  if (llvm::is_sorted(permutation))
    return tensor.value;
  if (Value constant =
          transposeConstant(builder, loc, tensor.value, permutation))
    return constant;
  SmallVector<OpFoldResult> sizes,
      source = tensor::getMixedSizes(builder, loc, tensor.value);
  for (int64_t dim : permutation)
    sizes.push_back(source[dim]);
  Value empty = tensor::EmptyOp::create(builder, loc, sizes,
                                        tensor.getType().getElementType());
  auto op = linalg::TransposeOp::create(builder, loc, tensor.value, empty,
                                        permutation);
  return op->getResult(0);
}

Value MatmulEmitter::emitMatrix(LoopTensor tensor, ArrayRef<int64_t> first,
                                ArrayRef<int64_t> second) {
  dropUnitDims(builder, loc, tensor);
  // Loops of one step may be missing: they are unit dimensions, too.
  auto getPresent = [&](ArrayRef<int64_t> loops) {
    SmallVector<int64_t> present;
    llvm::copy_if(loops, std::back_inserter(present), [&](int64_t loop) {
      return llvm::is_contained(tensor.loops, loop);
    });
    return present;
  };
  SmallVector<int64_t> firstLoops = getPresent(first),
                       secondLoops = getPresent(second),
                       order = getPresent(batch);
  llvm::append_range(order, firstLoops);
  llvm::append_range(order, secondLoops);
  Value value = emitTransposed(tensor, order);

  // Merge the loops of a role; a role without loops is a unit dimension.
  SmallVector<ReassociationIndices> merged, inserted;
  int64_t dim = 0, outDim = 0;
  SmallVector<bool> isUnit;
  auto addGroup = [&](int64_t size) {
    isUnit.push_back(size == 0);
    if (size == 0)
      return;
    ReassociationIndices group;
    while (size--)
      group.push_back(dim++);
    merged.push_back(std::move(group));
  };
  for (int64_t loop : batch)
    addGroup(llvm::is_contained(order, loop));
  addGroup(firstLoops.size());
  addGroup(secondLoops.size());
  value = collapse(builder, loc, value, merged);

  SmallVector<OpFoldResult> mergedSizes =
      tensor::getMixedSizes(builder, loc, value);
  SmallVector<OpFoldResult> sizes;
  ReassociationIndices group;
  for (bool unit : isUnit) {
    group.push_back(outDim++);
    if (unit) {
      sizes.push_back(builder.getIndexAttr(1));
      continue;
    }
    sizes.push_back(mergedSizes[inserted.size()]);
    inserted.push_back(std::exchange(group, {}));
  }
  if (!inserted.empty())
    llvm::append_range(inserted.back(), group);
  return expand(builder, loc, value, inserted, sizes);
}

Value MatmulEmitter::emitLhs(const LoopTensor &lhs) {
  return emitMatrix(lhs, m, k);
}

Value MatmulEmitter::emitRhs(const LoopTensor &rhs) {
  return rhsTransposed ? emitRhsRows(rhs) : emitWeight(rhs, k, n);
}

Value MatmulEmitter::emitRhsRows(const LoopTensor &rhs) {
  return emitWeight(rhs, n, k);
}

Value MatmulEmitter::emitWeight(const LoopTensor &rhs, ArrayRef<int64_t> first,
                                ArrayRef<int64_t> second) {
  std::optional<ChosenWeight> chosen = matchChosenWeight(rhs);
  if (!chosen || !batch.empty())
    return emitMatrix(rhs, first, second);
  // The constant moves, at compile time, and is chosen from as it then is.
  batch.push_back(kChosenDim);
  Value all = emitMatrix(chosen->all, first, second);
  batch.clear();
  if (Value packed = packNarrowConstant(builder, all))
    all = packed;
  return emitChosen(builder, loc, all, chosen->index);
}

Value MatmulEmitter::emitAllRhs(const ChosenWeight &rhs) {
  assert(batch.empty() && "expected a weight without batch dimensions");
  batch.push_back(kChosenDim);
  Value all = emitRhs(rhs.all);
  batch.clear();
  return all;
}

Value MatmulEmitter::emitInit() { return emitMatrix(contraction.init, m, n); }

Value MatmulEmitter::emitBatchVector(const LoopTensor &vector,
                                     ArrayRef<int64_t> loops) {
  LoopTensor walked = vector;
  dropUnitDims(builder, loc, walked);
  if (walked.loops.empty())
    return walked.value;
  // As a matrix whose columns are absent, then without the column dimension.
  Value matrix = emitMatrix(walked, loops, {});
  SmallVector<ReassociationIndices> groups;
  int64_t rank = batch.size() + 2;
  for (int64_t dim = 0; dim + 1 < rank; ++dim)
    groups.push_back({dim});
  groups.back().push_back(rank - 1);
  return collapse(builder, loc, matrix, groups);
}

Value MatmulEmitter::emitRowVector(const LoopTensor &vector) {
  return emitBatchVector(vector, m);
}

bool MatmulEmitter::hasBatch(const LoopTensor &vector) const {
  return llvm::any_of(vector.loops, [&](int64_t loop) {
    return llvm::is_contained(batch, loop);
  });
}

Value MatmulEmitter::emitColumnVector(const LoopTensor &vector) {
  if (hasBatch(vector))
    return emitBatchVector(vector, n);
  LoopTensor ordered = vector;
  dropUnitDims(builder, loc, ordered);
  if (ordered.loops.empty())
    return ordered.value;
  SmallVector<int64_t> order;
  llvm::copy_if(n, std::back_inserter(order), [&](int64_t loop) {
    return llvm::is_contained(ordered.loops, loop);
  });
  ordered.value = emitTransposed(ordered, order);
  ReassociationIndices all;
  for (size_t dim = 0; dim < order.size(); ++dim)
    all.push_back(dim);
  return collapse(builder, loc, ordered.value, {all});
}

Value MatmulEmitter::emitRhsZeroPoint(const LoopTensor &vector, Value rhs) {
  Value columns = emitColumnVector(vector);
  auto type = cast<RankedTensorType>(columns.getType());
  int64_t numBatch = cast<RankedTensorType>(rhs.getType()).getRank() - 2;
  if (type.getRank() != 1 || numBatch == 0)
    return columns;
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(builder, loc, rhs);
  sizes.resize(numBatch);
  sizes.push_back(tensor::getMixedSize(builder, loc, columns, 0));
  Value empty =
      tensor::EmptyOp::create(builder, loc, sizes, type.getElementType());
  return linalg::BroadcastOp::create(
             builder, loc, columns, empty,
             llvm::to_vector(llvm::seq<int64_t>(0, numBatch)))
      ->getResult(0);
}

Value MatmulEmitter::emitGroupMatrix(const LoopTensor &matrix,
                                     ArrayRef<int64_t> group) {
  return emitWeight(matrix, n, group);
}

Value MatmulEmitter::emitBlockMatrix(const LoopTensor &matrix,
                                     ArrayRef<int64_t> group) {
  return emitMatrix(matrix, m, group);
}

//===----------------------------------------------------------------------===//
// Accumulator and result
//===----------------------------------------------------------------------===//

Value MatmulEmitter::emitZeroAccumulator(Value lhs, Value rhs) {
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(builder, loc, lhs);
  int64_t rhsRank = cast<RankedTensorType>(rhs.getType()).getRank();
  sizes.back() = tensor::getMixedSize(builder, loc, rhs,
                                      rhsRank - (rhsTransposed ? 2 : 1));
  Type i32 = builder.getI32Type();
  Value empty = tensor::EmptyOp::create(builder, loc, sizes, i32);
  Value zero =
      arith::ConstantOp::create(builder, loc, builder.getI32IntegerAttr(0));
  return linalg::FillOp::create(builder, loc, zero, empty).getResult(0);
}

OpFoldResult MatmulEmitter::getLoopSize(int64_t loop) {
  OpFoldResult size;
  for (const LoopTensor *tensor :
       {&contraction.init, &contraction.rhs, &contraction.lhs}) {
    const auto *it = llvm::find(tensor->loops, loop);
    if (it == tensor->loops.end())
      continue;
    int64_t dim = it - tensor->loops.begin();
    if (!tensor->getType().isDynamicDim(dim))
      return builder.getIndexAttr(tensor->getType().getDimSize(dim));
    // The init may go away: dynamic sizes are read off an operand.
    if (tensor != &contraction.init)
      size = tensor::getMixedSize(builder, loc, tensor->value, dim);
  }
  return size;
}

Value MatmulEmitter::emitResult(Value matrix) {
  // Drop the unit dimension of a role without loops.
  SmallVector<ReassociationIndices> kept;
  ReassociationIndices group;
  int64_t numBatch = batch.size();
  for (int64_t dim = 0; dim < numBatch + 2; ++dim) {
    group.push_back(dim);
    bool unit =
        (dim == numBatch && m.empty()) || (dim == numBatch + 1 && n.empty());
    if (!unit)
      kept.push_back(std::exchange(group, {}));
  }
  if (!kept.empty())
    llvm::append_range(kept.back(), group);
  Value value = collapse(builder, loc, matrix, kept);

  // Split the merged dimensions again.
  LoopTensor result;
  SmallVector<ReassociationIndices> groups;
  auto addGroup = [&](ArrayRef<int64_t> loops) {
    if (loops.empty())
      return;
    group.clear();
    for (int64_t loop : loops) {
      group.push_back(result.loops.size());
      result.loops.push_back(loop);
    }
    groups.push_back(group);
  };
  for (int64_t loop : batch)
    addGroup({loop});
  addGroup(m);
  addGroup(n);
  if (groups.size() != result.loops.size()) {
    SmallVector<OpFoldResult> sizes;
    for (int64_t loop : result.loops)
      sizes.push_back(getLoopSize(loop));
    value = expand(builder, loc, value, groups, sizes);
  }
  result.value = value;
  value = emitTransposed(result, contraction.init.loops);
  auto type = contraction.getResultType().clone(
      cast<RankedTensorType>(value.getType()).getElementType());
  if (value.getType() != type)
    value = tensor::CastOp::create(builder, loc, type, value);
  return value;
}

//===----------------------------------------------------------------------===//
// Small helpers
//===----------------------------------------------------------------------===//

bool quantmlir::isZeroInit(Value init) {
  if (auto fill = init.getDefiningOp<linalg::FillOp>())
    init = fill.getInputs().front();
  return matchPattern(init, m_AnyZeroFloat()) || matchPattern(init, m_Zero());
}

void quantmlir::castContracted(OpBuilder &builder, Contraction &c) {
  RankedTensorType type = c.lhs.getType(), known = c.rhs.getType();
  SmallVector<int64_t> shape(type.getShape());
  for (auto [size, loop] : llvm::zip_equal(shape, c.lhs.loops))
    for (auto [rhsSize, rhsLoop] :
         llvm::zip_equal(known.getShape(), c.rhs.loops))
      if (ShapedType::isDynamic(size) && loop == rhsLoop &&
          llvm::is_contained(c.k, loop))
        size = rhsSize;
  if (type.getShape() != ArrayRef(shape))
    c.lhs.value = tensor::CastOp::create(builder, c.op->getLoc(),
                                         type.clone(shape), c.lhs.value);
}

void quantmlir::eraseDeadChain(Operation *op) {
  SmallVector<Operation *> worklist;
  if (op)
    worklist.push_back(op);
  while (!worklist.empty()) {
    Operation *candidate = worklist.pop_back_val();
    if (!isOpTriviallyDead(candidate))
      continue;
    SmallVector<Operation *> producers;
    for (Value operand : candidate->getOperands())
      if (Operation *def = operand.getDefiningOp();
          def && !llvm::is_contained(producers, def) &&
          !llvm::is_contained(worklist, def))
        producers.push_back(def);
    candidate->erase();
    llvm::append_range(worklist, producers);
  }
}
