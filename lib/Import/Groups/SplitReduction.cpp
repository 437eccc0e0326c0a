//===- SplitReduction.cpp - groups that are merged before use -------------===//
//
// Weight-only exports dequantize a weight by groups, `[N, K / G, G]`, and give
// it its shape `[N, K]` back before the matmul. Once merged, the dimension has
// no one scale. The contraction is made to run over both dimensions instead,
// and the other operand is split: no data moves. Where the last group was cut
// off, the other operand is filled up with zeros, so that what stands in the
// whole group does not count.
//
//===----------------------------------------------------------------------===//

#include "quant/Import/Groups/SplitReduction.h"

#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Import/Contraction/ContractionMatcher.h"
#include "quant/Import/Contraction/MatmulEmitter.h"
#include "quant/Import/Contraction/QuantizedOperand.h"
#include "quant/Import/Elements/Gather.h"
#include "quant/Import/Groups/GroupedContraction.h"
#include "quant/Import/QDQ/ConvertQDQ.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Tensor/Utils/Utils.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"

using namespace mlir;
using namespace quantmlir;

namespace {
/// A weight before its groups are merged.
struct MergedGroups {
  /// The unmerged weight; its loops are those of the contraction, but that the
  /// elements of a group are walked by one loop more, the last.
  LoopTensor weight;
  /// The loop that walked the merged dimension now walks the groups.
  int64_t loop;
  int64_t numGroups, groupSize;
  /// Where the members of groups stand anywhere: which element of the merged
  /// dimension each place of the groups holds.
  SmallVector<int64_t> order;
};
} // namespace

/// The merged tensor that `slice` cuts off along the merged dimension; null
/// where it does anything else.
static tensor::CollapseShapeOp getCutOff(tensor::ExtractSliceOp slice) {
  auto collapse = slice.getSource().getDefiningOp<tensor::CollapseShapeOp>();
  if (!collapse || !slice.hasUnitStride() ||
      slice.getSourceType().getRank() != slice.getType().getRank() ||
      !slice.getType().hasStaticShape() ||
      !llvm::all_of(slice.getStaticOffsets(),
                    [](int64_t offset) { return offset == 0; }))
    return {};
  for (auto [dim, group] : llvm::enumerate(collapse.getReassociationIndices()))
    if (slice.getType().getDimSize(dim) !=
            slice.getSourceType().getDimSize(dim) &&
        group.size() != 2)
      return {};
  return collapse;
}

/// The merged weight, as the contraction walks it; `order` gets the order in
/// which it has the contracted elements, where that is another.
static LoopTensor getMerged(const Contraction &c, const LoopTensor &operand,
                            SmallVector<int64_t> &order) {
  LoopTensor merged = traceMovement(operand);
  std::optional<GatheredTensor> gather = matchGather(merged.value);
  // What reads an element twice, or leaves one out, is another weight.
  if (!gather || !llvm::is_contained(c.k, merged.loops[gather->dim]) ||
      !isPermutationVector(gather->indices))
    return merged;
  order = invertPermutationVector(gather->indices);
  return traceMovement({gather->source, merged.loops});
}

/// The dimensions of `type` that are merged, of `group`: all, but those of size
/// 1 where they are more than two.
static SmallVector<int64_t> getSplitDims(RankedTensorType type,
                                         ArrayRef<int64_t> group) {
  SmallVector<int64_t> dims(group);
  if (dims.size() > 2)
    llvm::erase_if(dims,
                   [&](int64_t dim) { return type.getDimSize(dim) == 1; });
  return dims.empty() ? SmallVector<int64_t>(group) : dims;
}

/// `operand` as merged groups with a scale each, if it is that; `innerLoop` is
/// to walk the elements of a group. Other sizes than those of the groups may be
/// dynamic if it is no weight.
static std::optional<MergedGroups> matchMergedGroups(const Contraction &c,
                                                     const LoopTensor &operand,
                                                     int64_t innerLoop,
                                                     bool isWeight = true) {
  SmallVector<int64_t> order;
  LoopTensor merged = getMerged(c, operand, order);
  auto collapse = merged.value.getDefiningOp<tensor::CollapseShapeOp>();
  if (auto slice = merged.value.getDefiningOp<tensor::ExtractSliceOp>())
    collapse = getCutOff(slice);
  if (!collapse || (isWeight && !collapse.getSrcType().hasStaticShape()) ||
      merged.getType().getElementType() != operand.getType().getElementType())
    return std::nullopt;
  MergedGroups groups{{collapse.getSrc(), {}}, kUnitDim, 0, 0, order};
  for (auto [dim, group] :
       llvm::enumerate(collapse.getReassociationIndices())) {
    int64_t loop = merged.loops[dim];
    SmallVector<int64_t> split = getSplitDims(collapse.getSrcType(), group);
    for (int64_t part : group)
      groups.weight.loops.push_back(part == split.front()  ? loop
                                    : part == split.back() ? innerLoop
                                                           : kUnitDim);
    if (group.size() == 1)
      continue;
    // One contracted dimension, of two.
    if (split.size() != 2 || groups.loop != kUnitDim ||
        !llvm::is_contained(c.k, loop))
      return std::nullopt;
    groups.loop = loop;
    groups.numGroups = collapse.getSrcType().getDimSize(split[0]);
    groups.groupSize = collapse.getSrcType().getDimSize(split[1]);
  }
  if (groups.loop == kUnitDim || ShapedType::isDynamic(groups.numGroups) ||
      ShapedType::isDynamic(groups.groupSize))
    return std::nullopt;
  std::optional<QuantizedOperand> stored = matchDequantized(groups.weight);
  if (!stored || !llvm::is_contained(stored->scale.loops, groups.loop))
    return std::nullopt;
  return groups;
}

/// `tensor` before it was moved, where it is dequantized.
static LoopTensor traceDequantized(OpBuilder &builder, const Contraction &c,
                                   const LoopTensor &tensor) {
  LoopTensor traced = traceMovement(tensor);
  if (!traced.value.getDefiningOp<DequantizeOp>())
    return tensor;
  walkUnitLoops(builder, c, traced, tensor.loops);
  return traced;
}

/// `tensor` with the elements along `dim` in `order`: those of stored integers,
/// where it is dequantized with other parameters than along `dim`.
static Value reorder(OpBuilder &builder, Location loc, Value tensor,
                     int64_t dim, ArrayRef<int64_t> order) {
  auto op = tensor.getDefiningOp<DequantizeOp>();
  if (!op || llvm::is_contained(op.getAxes(), dim))
    return emitGather(builder, loc, {tensor, dim, llvm::to_vector(order)});
  Value ints =
      emitGather(builder, loc, {op.getInput(), dim, llvm::to_vector(order)});
  return DequantizeOp::create(builder, loc, op.getType(), ints, op.getScale(),
                              op.getZeroPoint(), op.getAxesAttr(),
                              op.getIsUnsignedAttr());
}

/// `tensor` with `zeros` zeros behind its elements along `dim`.
static Value fillUp(OpBuilder &builder, Location loc, Value tensor, int64_t dim,
                    int64_t zeros) {
  auto type = cast<RankedTensorType>(tensor.getType());
  SmallVector<int64_t> shape(type.getShape());
  shape[dim] += zeros;
  Value zero = arith::ConstantOp::create(
      builder, loc, builder.getZeroAttr(type.getElementType()));
  return tensor::createPadHighOp(type.clone(shape), tensor, zero,
                                 /*nofold=*/false, loc, builder);
}

/// The other operand with its contracted dimension split; null where its size
/// is not known.
static std::optional<LoopTensor>
splitOperand(OpBuilder &builder, const Contraction &c, LoopTensor tensor,
             const MergedGroups &groups, int64_t innerLoop) {
  Location loc = c.op->getLoc();
  tensor = traceDequantized(builder, c, tensor);
  int64_t whole = groups.numGroups * groups.groupSize;
  const auto *walked = llvm::find(tensor.loops, groups.loop);
  int64_t contracted = walked - tensor.loops.begin();
  if (walked == tensor.loops.end() || tensor.getType().isDynamicDim(contracted))
    return std::nullopt;
  int64_t missing = whole - tensor.getType().getDimSize(contracted);
  if (missing < 0 || missing >= groups.groupSize)
    return std::nullopt;
  if (!groups.order.empty())
    tensor.value =
        reorder(builder, loc, tensor.value, contracted, groups.order);
  if (missing > 0)
    tensor.value = fillUp(builder, loc, tensor.value, contracted, missing);
  RankedTensorType type = tensor.getType();
  LoopTensor split;
  SmallVector<ReassociationIndices> reassociation;
  SmallVector<OpFoldResult> sizes;
  SmallVector<int64_t> shape;
  auto addDim = [&](int64_t loop, OpFoldResult size, int64_t extent) {
    reassociation.back().push_back(split.loops.size());
    split.loops.push_back(loop);
    sizes.push_back(size);
    shape.push_back(extent);
  };
  for (auto [dim, loop] : llvm::enumerate(tensor.loops)) {
    reassociation.emplace_back();
    if (loop != groups.loop) {
      addDim(loop, tensor::getMixedSize(builder, loc, tensor.value, dim),
             type.getDimSize(dim));
      continue;
    }
    addDim(loop, builder.getIndexAttr(groups.numGroups), groups.numGroups);
    addDim(innerLoop, builder.getIndexAttr(groups.groupSize), groups.groupSize);
  }
  split.value = tensor::ExpandShapeOp::create(
      builder, loc, RankedTensorType::get(shape, type.getElementType()),
      tensor.value, reassociation, sizes);
  return split;
}

/// The other operand before its own blocks, which are as long, were merged;
/// nothing where it has none.
static std::optional<LoopTensor> matchBlocks(const Contraction &c,
                                             const LoopTensor &operand,
                                             const MergedGroups &groups,
                                             int64_t innerLoop) {
  std::optional<MergedGroups> blocks =
      matchMergedGroups(c, operand, innerLoop, /*isWeight=*/false);
  if (!blocks || !blocks->order.empty() || !groups.order.empty() ||
      blocks->loop != groups.loop || blocks->numGroups != groups.numGroups ||
      blocks->groupSize != groups.groupSize)
    return std::nullopt;
  return blocks->weight;
}

/// The indexing map of a tensor from the loops of its dimensions.
static AffineMap getMap(const LoopTensor &tensor, int64_t numLoops,
                        MLIRContext *context) {
  SmallVector<AffineExpr> results;
  for (int64_t loop : tensor.loops)
    results.push_back(loop == kUnitDim ? getAffineConstantExpr(0, context)
                                       : getAffineDimExpr(loop, context));
  return AffineMap::get(numLoops, 0, results, context);
}

/// The stored integers before their last group was filled up; null where it
/// was not.
static Value getUnfilled(const LoopTensor &weight) {
  auto op = traceMovement(weight).value.getDefiningOp<DequantizeOp>();
  auto expand =
      op ? op.getInput().getDefiningOp<tensor::ExpandShapeOp>() : nullptr;
  auto pad = expand ? expand.getSrc().getDefiningOp<tensor::PadOp>() : nullptr;
  return pad ? pad.getSource() : Value();
}

/// A weight whose last group is shorter, as the program has it: `[N, K]` with
/// scales for `[N, ceil(K / G)]`. `c` has it on its right-hand side.
static bool importShorterGroup(Contraction c, const MergedGroups &groups,
                               bool weightOnly) {
  SmallVector<int64_t> order;
  LoopTensor merged = getMerged(c, c.rhs, order);
  Value ints = getUnfilled(groups.weight);
  std::optional<QuantizedOperand> rhs = matchDequantized(groups.weight);
  if (!ints || !rhs || !LoopTensor{ints, {}}.isConstant())
    return false;
  OpBuilder builder(c.op);
  if (!groups.order.empty()) {
    c.lhs = traceDequantized(builder, c, c.lhs);
    const auto *walked = llvm::find(c.lhs.loops, groups.loop);
    if (walked == c.lhs.loops.end())
      return false;
    c.lhs.value = reorder(builder, c.op->getLoc(), c.lhs.value,
                          walked - c.lhs.loops.begin(), groups.order);
  }
  std::optional<QuantizedOperand> lhs = matchDequantized(c.lhs);
  if ((!lhs && !weightOnly) ||
      failed(setOperands(builder, c, lhs ? lhs->ints : c.lhs,
                         {ints, merged.loops})))
    return false;
  dropUnitBatch(c);
  rhs->ints = c.rhs;
  SmallVector<int64_t> wanted(c.n);
  wanted.push_back(groups.loop);
  std::string reason;
  return c.batch.empty() && c.k.size() == 1 &&
         isParameterOver(c, rhs->scale, wanted) &&
         succeeded(emitGroupedMatmul(builder, c, lhs, *rhs, groups.loop,
                                     groups.groupSize, reason));
}

/// A weight with one column alone has its groups' parameters for each element:
/// nothing but the sum says that they are no channels.
static void groupColumn(const Contraction &c, const LoopTensor &operand) {
  auto op = traceMovement(operand).value.getDefiningOp<DequantizeOp>();
  auto type = op ? op.getType() : RankedTensorType();
  if (!op || op.getAxes().size() != 1 || !type.hasStaticShape() ||
      type.getNumElements() != type.getDimSize(op.getAxes().front()))
    return;
  std::optional<QuantizedOperand> stored = matchDequantized(operand);
  if (stored && stored->scale.getLoopRank() == 1 &&
      llvm::is_contained(c.k, stored->scale.loops.front()))
    groupAlongSum(op);
}

static void split(linalg::LinalgOp op, bool weightOnly) {
  std::string reason;
  FailureOr<Contraction> c = matchContraction(op, reason);
  if (failed(c) || !c->isFloat() || op.getNumDpsInputs() != 2)
    return;
  groupColumn(*c, c->lhs);
  groupColumn(*c, c->rhs);
  c = matchContraction(op, reason);
  int64_t inner = op.getNumLoops();
  std::optional<MergedGroups> groups = matchMergedGroups(*c, c->rhs, inner);
  bool isRhs = groups.has_value();
  if (!groups)
    groups = matchMergedGroups(*c, c->lhs, inner);
  if (!groups)
    return;
  Contraction ordered = *c;
  if (!isRhs)
    ordered.swapOperands();
  if (importShorterGroup(ordered, *groups, weightOnly))
    return;
  if (getUnfilled(groups->weight))
    foldConstant(traceMovement(groups->weight)
                     .value.getDefiningOp<DequantizeOp>()
                     .getInput());
  OpBuilder builder(op);
  Location loc = op->getLoc();
  const LoopTensor &whole = isRhs ? c->lhs : c->rhs;
  std::optional<LoopTensor> other = matchBlocks(*c, whole, *groups, inner);
  if (!other)
    other = splitOperand(builder, *c, whole, *groups, inner);
  if (!other)
    return;
  const LoopTensor &lhs = isRhs ? *other : groups->weight;
  const LoopTensor &rhs = isRhs ? groups->weight : *other;
  MLIRContext *context = op->getContext();
  SmallVector<AffineMap> maps{getMap(lhs, inner + 1, context),
                              getMap(rhs, inner + 1, context),
                              getMap(c->init, inner + 1, context)};
  SmallVector<utils::IteratorType> kinds = op.getIteratorTypesArray();
  kinds.push_back(utils::IteratorType::reduction);
  auto contraction = linalg::GenericOp::create(
      builder, loc, op->getResultTypes(), ValueRange{lhs.value, rhs.value},
      op.getDpsInits(), maps, kinds);
  for (NamedAttribute attribute : op->getDiscardableAttrs())
    if (attribute.getNameDialect() != op->getDialect())
      contraction->setDiscardableAttr(attribute.getName(),
                                      attribute.getValue());
  IRMapping mapping;
  op->getRegion(0).cloneInto(&contraction.getRegion(), mapping);
  op->getResult(0).replaceAllUsesWith(contraction.getResult(0));
  eraseDeadChain(op);
}

void quantmlir::splitGroupedReductions(Operation *root, bool weightOnly) {
  SmallVector<linalg::LinalgOp> candidates;
  root->walk([&](linalg::LinalgOp op) {
    if (op.getNumReductionLoops() != 0)
      candidates.push_back(op);
  });
  for (linalg::LinalgOp op : candidates)
    split(op, weightOnly);
}
