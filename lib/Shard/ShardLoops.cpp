//===- ShardLoops.cpp - the loops that an op can be cut along -------------===//

#include "ShardLoops.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Shard/Interfaces/ShardingInterface.h"
#include "llvm/ADT/Sequence.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace quantmlir;

namespace {

/// Collects the maps of an op, whose operands may be absent.
class LoopsBuilder {
public:
  LoopsBuilder(Operation *op, int64_t numLoops)
      : op(op), numLoops(numLoops),
        maps(op->getNumOperands() + op->getNumResults(),
             AffineMap::get(numLoops, 0, op->getContext())) {
    loops.kinds.assign(numLoops, utils::IteratorType::parallel);
  }

  /// `loop` is reduced, results of its parts being combined by `kind`.
  LoopsBuilder &reduce(int64_t loop, shard::ReductionKind kind) {
    loops.kinds[loop] = utils::IteratorType::reduction;
    loops.reductions.push_back(kind);
    return *this;
  }

  /// The operand that ODS lists at `position`, if it is there, is indexed by
  /// `by`.
  template <typename OpTy>
  LoopsBuilder &operand(OpTy typed, unsigned position, ArrayRef<int64_t> by) {
    auto [begin, count] = typed.getODSOperandIndexAndLength(position);
    if (count != 0)
      set(begin, op->getOperand(begin).getType(), by);
    return *this;
  }

  LoopsBuilder &result(unsigned number, ArrayRef<int64_t> by) {
    set(op->getNumOperands() + number, op->getResult(number).getType(), by);
    return *this;
  }

  ShardLoops take() {
    loops.maps = std::move(maps);
    return std::move(loops);
  }

private:
  void set(unsigned index, Type type, ArrayRef<int64_t> by) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    if (!tensor || tensor.getRank() == 0)
      return;
    SmallVector<AffineExpr> dims;
    for (int64_t loop : by)
      dims.push_back(getAffineDimExpr(loop, op->getContext()));
    maps[index] = AffineMap::get(numLoops, 0, dims, op->getContext());
  }

  Operation *op;
  int64_t numLoops;
  SmallVector<AffineMap> maps;
  ShardLoops loops;
};

} // namespace

static SmallVector<int64_t> firstLoops(int64_t count) {
  return llvm::to_vector(llvm::seq<int64_t>(0, count));
}

static SmallVector<int64_t> append(ArrayRef<int64_t> loops,
                                   std::initializer_list<int64_t> more) {
  SmallVector<int64_t> all(loops);
  all.append(more);
  return all;
}

//===----------------------------------------------------------------------===//
// Matmuls
//===----------------------------------------------------------------------===//

ShardLoops quantmlir::getShardLoops(MatmulOp op) {
  int64_t m = op.getNumBatchDims(), n = m + 1, k = m + 2;
  SmallVector<int64_t> batch = firstLoops(m), none;
  ArrayRef<int64_t> rhsBatch = op.hasBatchedRhs() ? batch : none;
  SmallVector<int64_t> result = append(batch, {m, n});
  return LoopsBuilder(op, m + 3)
      .reduce(k, shard::ReductionKind::Sum)
      .operand(op, 0, append(batch, {m, k}))
      .operand(op, 1,
               op.getTransposeRhs() ? append(rhsBatch, {n, k})
                                    : append(rhsBatch, {k, n}))
      .operand(op, 2, append(batch, {m}))
      .operand(op, 3, append(rhsBatch, {n}))
      .operand(op, 4, result)
      .result(0, result)
      .take();
}

ShardLoops quantmlir::getShardLoops(ScaledMatmulOp op) {
  int64_t m = op.getNumBatchDims(), n = m + 1, k = m + 2;
  SmallVector<int64_t> batch = firstLoops(m);
  SmallVector<int64_t> lhs = append(batch, {m, k}), row = append(batch, {m});
  return LoopsBuilder(op, m + 3)
      .reduce(k, shard::ReductionKind::Generic)
      .operand(op, 0, lhs)
      .operand(op, 1, {n, k})
      .operand(op, 2, row)
      .operand(op, 3, row)
      .operand(op, 4, {n, k})
      .operand(op, 5, {n, k})
      .operand(op, 6, {n, k})
      .operand(op, 7, {n})
      .operand(op, 8, lhs)
      .result(0, append(batch, {m, n}))
      .take();
}

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

ShardLoops quantmlir::getShardLoops(ChooseQParamsOp op) {
  int64_t rank = op.getInput().getType().getRank();
  LoopsBuilder loops(op, rank);
  for (int64_t dim : firstLoops(rank))
    if (!llvm::is_contained(op.getAxes(), dim))
      loops.reduce(dim, shard::ReductionKind::Max);
  loops.operand(op, 0, firstLoops(rank));
  for (unsigned result : llvm::seq<unsigned>(0, op->getNumResults()))
    loops.result(result, op.getAxes());
  return loops.take();
}

/// Of an element, its scale and its zero point.
template <typename OpTy>
static ShardLoops getElementLoops(OpTy op) {
  SmallVector<int64_t> all = firstLoops(op.getInput().getType().getRank());
  return LoopsBuilder(op, all.size())
      .operand(op, 0, all)
      .operand(op, 1, op.getAxes())
      .operand(op, 2, op.getAxes())
      .result(0, all)
      .take();
}

ShardLoops quantmlir::getShardLoops(QuantizeOp op) {
  return getElementLoops(op);
}
ShardLoops quantmlir::getShardLoops(DequantizeOp op) {
  return getElementLoops(op);
}

ShardLoops quantmlir::getShardLoops(RescaleOp op) {
  int64_t rank = op.getAcc().getType().getRank();
  SmallVector<int64_t> all = firstLoops(rank);
  return LoopsBuilder(op, rank)
      .operand(op, 0, all)
      .operand(op, 1, firstLoops(rank - 1))
      .operand(op, 2, {rank - 1})
      .operand(op, 3, {rank - 1})
      .operand(op, 4, all)
      .result(0, all)
      .take();
}

ShardLoops quantmlir::getShardLoops(RescaleFixedPointOp op) {
  int64_t rank = op.getAcc().getType().getRank();
  SmallVector<int64_t> all = firstLoops(rank);
  return LoopsBuilder(op, rank)
      .operand(op, 0, all)
      .operand(op, 1, {rank - 1})
      .operand(op, 2, {rank - 1})
      .operand(op, 3, {rank - 1})
      .result(0, all)
      .take();
}

template <typename OpTy>
static ShardLoops getIdentityLoops(OpTy op) {
  SmallVector<int64_t> all = firstLoops(op.getInput().getType().getRank());
  return LoopsBuilder(op, all.size()).operand(op, 0, all).result(0, all).take();
}

ShardLoops quantmlir::getShardLoops(RotateOp op) {
  return getIdentityLoops(op);
}
ShardLoops quantmlir::getShardLoops(PackInt4Op op) {
  return getIdentityLoops(op);
}
ShardLoops quantmlir::getShardLoops(UnpackInt4Op op) {
  return getIdentityLoops(op);
}
ShardLoops quantmlir::getShardLoops(PackInt2Op op) {
  return getIdentityLoops(op);
}
ShardLoops quantmlir::getShardLoops(UnpackInt2Op op) {
  return getIdentityLoops(op);
}

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

namespace {
/// Loops of attention.
enum AttentionLoop : int64_t { Head, Sharing, Token, Element, Word, Past };
} // namespace

ShardLoops quantmlir::getShardLoops(CachedAttentionOp op) {
  LoopsBuilder loops(op, Past + 1);
  for (int64_t loop : {Word, Past})
    loops.reduce(loop, shard::ReductionKind::Generic);
  loops.operand(op, 0, {Head, Sharing, Token, Element})
      .operand(op, 1, {Head, Sharing, Token});
  for (auto [first, tokens] : {std::pair(2, Past), std::pair(6, Token)})
    loops.operand(op, first, {Head, Word, tokens})
        .operand(op, first + 1, {Head, tokens})
        .operand(op, first + 2, {Head, tokens, Word})
        .operand(op, first + 3, {Head, tokens});
  loops.operand(op, 10, {Token, Head, Sharing, Element});
  if (op->getNumResults() == 1)
    loops.result(0, {Token, Head, Sharing, Element});
  return loops.take();
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

ShardLoops quantmlir::getShardLoops(QuantizeRowsOp op) {
  LoopsBuilder loops(op, 2);
  // In tiles, a row's elements are in three dimensions.
  SmallVector<int64_t> row = {0, 1}, packed = {0};
  if (op.isPlain())
    packed.push_back(1);
  loops.reduce(1, shard::ReductionKind::Generic)
      .operand(op, 0, row)
      .operand(op, 1, packed)
      .operand(op, 2, {0});
  if (op->getNumResults() == 2)
    loops.result(0, packed).result(1, {0});
  return loops.take();
}

ShardLoops quantmlir::getShardLoops(QuantizeBlocksOp op) {
  LoopsBuilder loops(op, 2);
  for (unsigned operand : llvm::seq<unsigned>(0, 4))
    loops.operand(op, operand, {0, 1});
  for (unsigned result : llvm::seq<unsigned>(0, op->getNumResults()))
    loops.result(result, {0, 1});
  return loops.take();
}

ShardLoops quantmlir::getShardLoops(FloatAttentionOp op) {
  enum : int64_t { h, g, s, d, p };
  LoopsBuilder loops(op, p + 1);
  loops.reduce(p, shard::ReductionKind::Generic)
      .operand(op, 0, {h, g, s, d})
      .operand(op, 1, {h, d, p})
      .operand(op, 2, {h, p, d})
      .operand(op, 3, {h, d, s})
      .operand(op, 4, {h, s, d})
      .operand(op, 5, {s, h, g, d});
  if (op->getNumResults() == 1)
    loops.result(0, {s, h, g, d});
  return loops.take();
}

//===----------------------------------------------------------------------===//
// Reshapes
//===----------------------------------------------------------------------===//

/// The dimensions of `expanded` that a cut of the collapsed side is one of.
static SmallVector<int64_t>
getOuterDims(RankedTensorType expanded,
             ArrayRef<ReassociationIndices> reassociation) {
  SmallVector<int64_t> dims;
  for (const ReassociationIndices &group : reassociation) {
    const int64_t *outer = llvm::find_if(
        group, [&](int64_t dim) { return expanded.getDimSize(dim) != 1; });
    dims.push_back(outer == group.end() ? group.front() : *outer);
  }
  return dims;
}

ShardLoops quantmlir::getShardLoops(tensor::ExpandShapeOp op) {
  RankedTensorType expanded = op.getResultType();
  return LoopsBuilder(op, expanded.getRank())
      .operand(op, 0, getOuterDims(expanded, op.getReassociationIndices()))
      .result(0, firstLoops(expanded.getRank()))
      .take();
}

ShardLoops quantmlir::getShardLoops(tensor::CollapseShapeOp op) {
  RankedTensorType expanded = op.getSrcType();
  return LoopsBuilder(op, expanded.getRank())
      .operand(op, 0, firstLoops(expanded.getRank()))
      .result(0, getOuterDims(expanded, op.getReassociationIndices()))
      .take();
}

//===----------------------------------------------------------------------===//
// What cannot be cut
//===----------------------------------------------------------------------===//

int64_t quantmlir::getLoopSize(Operation *op, ArrayRef<AffineMap> maps,
                               unsigned loop) {
  auto types = llvm::concat<const Type>(llvm::to_vector(op->getOperandTypes()),
                                        llvm::to_vector(op->getResultTypes()));
  AffineExpr dim = getAffineDimExpr(loop, op->getContext());
  for (auto [type, map] : llvm::zip_equal(types, maps)) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    std::optional<unsigned> position = map.getResultPosition(dim);
    if (tensor && position && !tensor.isDynamicDim(*position))
      return tensor.getDimSize(*position);
  }
  return ShapedType::kDynamic;
}

/// The parts of a dimension of `size` that holds blocks of `block`.
static std::string whyNotWholeBlocks(StringRef what, int64_t size,
                                     int64_t block, int64_t ranks) {
  if (block >= size || size % (block * ranks) != 0)
    return ("expected whole " + what + " of " + Twine(block) +
            " on each of the " + Twine(ranks) + " ranks, found " + Twine(size) +
            " elements")
        .str();
  return "";
}

static std::string whyNotCutGroups(ScaledMatmulOp op, int64_t size,
                                   int64_t ranks) {
  auto group = static_cast<int64_t>(op.getGroupSize());
  std::string reason = whyNotWholeBlocks("groups", size, group, ranks);
  if (reason.empty())
    reason = "its groups' sums are added as floats, one after the other, and "
             "parts of that sum round otherwise";
  return reason;
}

static bool isLastLoop(unsigned loop, RankedTensorType type) {
  return loop + 1 == type.getRank();
}

/// What an op of this project, or a reshape, wants of the parts along `loop`,
/// which has `size` elements.
static std::string whyNotCutOp(Operation *op, unsigned loop, int64_t size,
                               int64_t ranks) {
  return llvm::TypeSwitch<Operation *, std::string>(op)
      .Case([&](ScaledMatmulOp op) -> std::string {
        if (loop == op.getNumBatchDims() + 2)
          return whyNotCutGroups(op, size, ranks);
        return op.hasIntegerLhs()
                   ? ""
                   : "its sums are of floats, in an order that may follow from "
                     "its sizes";
      })
      .Case([&](RotateOp op) -> std::string {
        if (!isLastLoop(loop, op.getInput().getType()))
          return "";
        return whyNotWholeBlocks("rotated blocks", size, op.getSize(), ranks);
      })
      .Case([&](QuantizeBlocksOp op) -> std::string {
        if (loop != 1)
          return "";
        int64_t rotated = op.getRowRotation().size;
        int64_t block = std::max<int64_t>(op.getBlock(), rotated);
        return whyNotWholeBlocks("blocks", size, block, ranks);
      })
      .Case([&](QuantizeRowsOp) -> std::string {
        return loop == 1 ? "it quantizes whole rows" : "";
      })
      .Case<CachedAttentionOp, FloatAttentionOp>([&](auto) -> std::string {
        return loop == Head || loop == Sharing
                   ? ""
                   : "a token sees all tokens before it, and a product all "
                     "elements of a head";
      })
      .Case<UnpackInt4Op, UnpackInt2Op>([&](auto op) -> std::string {
        if (!isLastLoop(loop, op.getInput().getType()))
          return "";
        int64_t elements = op.getType().getShape().back();
        return whyNotWholeBlocks("bytes", elements, op.kPerByte, ranks);
      })
      .Case<PackInt4Op, PackInt2Op>([&](auto op) -> std::string {
        if (!isLastLoop(loop, op.getInput().getType()))
          return "";
        return whyNotWholeBlocks("bytes", size, op.kPerByte, ranks);
      })
      .Case<tensor::ExpandShapeOp, tensor::CollapseShapeOp>(
          [&](auto op) -> std::string {
            constexpr bool expands =
                std::is_same_v<decltype(op), tensor::ExpandShapeOp>;
            RankedTensorType expanded =
                expands ? op.getResultType() : op.getSrcType();
            if (llvm::is_contained(
                    getOuterDims(expanded, op.getReassociationIndices()), loop))
              return "";
            return "parts of an inner dimension are no part of the dimension "
                   "that it is collapsed with";
          })
      .Default([](Operation *) { return ""; });
}

/// Linalg ops, which upstream cuts, do not all keep their bits.
static std::string whyNotCutLinalg(linalg::LinalgOp op, unsigned loop) {
  if (op.getIteratorTypesArray()[loop] == utils::IteratorType::reduction)
    return "what it reduces would be combined in another order";
  WalkResult walk = op->walk([&](linalg::IndexOp index) {
    return index.getDim() == loop ? WalkResult::interrupt()
                                  : WalkResult::advance();
  });
  if (walk.wasInterrupted())
    return "its body asks for the index of an element";
  if (!llvm::all_of(op.getIndexingMapsArray(),
                    [](AffineMap map) { return map.isProjectedPermutation(); }))
    return "it indexes a tensor by more than its loops";
  return "";
}

std::string quantmlir::whyNotCutUnevenly(Operation *op, unsigned loop,
                                         int64_t ranks) {
  auto sharding = cast<shard::ShardingInterface>(op);
  int64_t size = getLoopSize(op, sharding.getIndexingMaps(), loop);
  if (ShapedType::isDynamic(size))
    return "only the run knows its size";
  if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op))
    if (std::string reason = whyNotCutLinalg(linalgOp, loop); !reason.empty())
      return reason;
  return whyNotCutOp(op, loop, size, ranks);
}

std::string quantmlir::whyNotCut(Operation *op, unsigned loop, int64_t ranks) {
  std::string reason = whyNotCutUnevenly(op, loop, ranks);
  if (!reason.empty())
    return reason;
  auto sharding = cast<shard::ShardingInterface>(op);
  int64_t size = getLoopSize(op, sharding.getIndexingMaps(), loop);
  if (size % ranks != 0)
    return (Twine(size) + " elements are no " + Twine(ranks) + " equal parts")
        .str();
  return "";
}
