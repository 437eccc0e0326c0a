//===- ShardPlan.cpp - which loop of each op is cut -----------------------===//

#include "ShardPlan.h"

#include "EvenSizes.h"
#include "ShardLoops.h"

#include "quant/Dialect/Quant/IR/NarrowConstant.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Shard/Interfaces/ShardingInterface.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace quantmlir;

/// Whether `value` is a weight that the compiler has.
static bool isConstantWeight(Value value) {
  if (Value bytes = getPackedBytes(value))
    value = bytes;
  Operation *source = value.getDefiningOp();
  return source && source->hasTrait<OpTrait::ConstantLike>();
}

std::optional<MatmulCut> quantmlir::getMatmulCut(Operation *op, unsigned loop) {
  auto role = [&](auto matmul) -> std::optional<MatmulCut> {
    unsigned m = matmul.getNumBatchDims();
    if (!isConstantWeight(matmul.getRhs()))
      return std::nullopt;
    return loop == m       ? MatmulCut::Batch
           : loop == m + 1 ? MatmulCut::Column
           : loop == m + 2 ? MatmulCut::Row
                           : MatmulCut::Other;
  };
  if (auto matmul = dyn_cast<MatmulOp>(op))
    return role(matmul);
  if (auto matmul = dyn_cast<ScaledMatmulOp>(op))
    return role(matmul);
  return std::nullopt;
}

/// The loops of an op that a plan may cut: none of those that upstream's models
/// say nothing of, nor of one that has regions of its own loops.
static SmallVector<AffineMap> getMaps(Operation *op) {
  if (!isa<linalg::LinalgOp, tensor::ExpandShapeOp, tensor::CollapseShapeOp>(
          op) &&
      !isa_and_present<quant::QuantDialect>(op->getDialect()) &&
      !OpTrait::hasElementwiseMappableTraits(op))
    return {};
  auto sharding = dyn_cast<shard::ShardingInterface>(op);
  if (!sharding || op->getNumResults() == 0)
    return {};
  return sharding.getIndexingMaps();
}

ShardPlan::ShardPlan(func::FuncOp function, int64_t ranks, Parallelism kind)
    : function(function), ranks(ranks), kind(kind) {
  collectLoops();
  joinNeighbours();
  std::vector<LoopClass> candidates = makeClasses();
  // Pairs first: nothing is gathered between their weights.
  auto rank = [](const LoopClass &candidate) {
    return candidate.columns && candidate.rows ? 0 : candidate.columns ? 1 : 2;
  };
  llvm::stable_sort(candidates, [&](const auto &a, const auto &b) {
    return rank(a) < rank(b);
  });
  for (const LoopClass &candidate : candidates)
    if (isWanted(candidate))
      takeClass(candidate);
  if (kind == Parallelism::Auto || kind == Parallelism::Columns)
    cutColumnsAlone();
}

void ShardPlan::collectLoops() {
  for (Operation &op : function.front()) {
    SmallVector<AffineMap> maps = getMaps(&op);
    if (maps.empty())
      continue;
    for (unsigned loop : llvm::seq(maps.front().getNumDims()))
      if (whyNotCutUnevenly(&op, loop, ranks).empty()) {
        unsigned number = numbers.size();
        numbers[{&op, loop}] = number;
        classes.insert(number);
      }
  }
}

/// The number of the loop by which `map` of `op` indexes `dim`, if it may be
/// cut.
std::optional<unsigned> ShardPlan::findLoop(Operation *op, AffineMap map,
                                            unsigned dim) const {
  if (dim >= map.getNumResults())
    return std::nullopt;
  auto expr = dyn_cast<AffineDimExpr>(map.getResult(dim));
  if (!expr)
    return std::nullopt;
  auto found = numbers.find({op, expr.getPosition()});
  return found == numbers.end() ? std::nullopt
                                : std::optional<unsigned>(found->second);
}

void ShardPlan::joinNeighbours() {
  for (Operation &op : function.front())
    for (OpResult result : op.getResults())
      if (isa<RankedTensorType>(result.getType()))
        for (OpOperand &use : result.getUses())
          joinUse(result, use);
}

/// A use that needs all of `dim`: parts would have to be gathered for it. A
/// product can want that, and whoever takes the results; elsewhere it is a sign
/// that the dimension is not to be cut.
void ShardPlan::markUse(OpResult value, unsigned dim, Operation *user) {
  Operation *op = value.getOwner();
  SmallVector<AffineMap> maps = getMaps(op);
  if (maps.empty())
    return;
  std::optional<unsigned> loop =
      findLoop(op, maps[op->getNumOperands() + value.getResultNumber()], dim);
  if (loop && !isa<func::ReturnOp, ScaledMatmulOp>(user))
    neededWhole.insert(*loop);
}

void ShardPlan::joinUse(OpResult value, OpOperand &use) {
  Operation *op = value.getOwner(), *user = use.getOwner();
  SmallVector<AffineMap> maps = getMaps(op), userMaps;
  if (user->getBlock() == &function.front())
    userMaps = getMaps(user);
  for (unsigned dim :
       llvm::seq<unsigned>(cast<RankedTensorType>(value.getType()).getRank())) {
    std::optional<unsigned> from, to;
    if (!maps.empty())
      from = findLoop(op, maps[op->getNumOperands() + value.getResultNumber()],
                      dim);
    if (!userMaps.empty())
      to = findLoop(user, userMaps[use.getOperandNumber()], dim);
    if (from && to)
      classes.unionSets(*from, *to);
    else if (from)
      markUse(value, dim, user);
  }
}

std::vector<ShardPlan::LoopClass> ShardPlan::makeClasses() {
  llvm::MapVector<unsigned, LoopClass> made;
  for (const auto &entry : numbers) {
    const Loop &loop = entry.first;
    unsigned number = entry.second;
    LoopClass &members = made[classes.getLeaderValue(number)];
    members.impossible |= neededWhole.contains(number) ||
                          llvm::any_of(members.loops, [&](const Loop &other) {
                            return other.first == loop.first;
                          });
    members.loops.push_back(loop);
    std::optional<MatmulCut> cut = getMatmulCut(loop.first, loop.second);
    members.columns += cut == MatmulCut::Column;
    members.rows += cut == MatmulCut::Row;
    members.batches += cut == MatmulCut::Batch;
  }
  std::vector<LoopClass> result;
  for (auto &[leader, members] : made)
    result.push_back(std::move(members));
  return result;
}

/// A class whose size is no multiple of the ranks is padded: all of its loops
/// have one size, what is padded does not widen a range that is chosen at run
/// time, and a weight's zero is a 0.
bool ShardPlan::canBeEven(const LoopClass &candidate) const {
  int64_t first = ShapedType::kDynamic;
  bool isUneven = false, isSame = true, isZero = true, hasRange = false;
  for (auto [op, loop] : candidate.loops) {
    auto sharding = cast<shard::ShardingInterface>(op);
    int64_t size = getLoopSize(op, sharding.getIndexingMaps(), loop);
    if (ShapedType::isDynamic(first))
      first = size;
    isSame &= size == first;
    isUneven |= size % ranks != 0;
    isZero &= keepsZeros(op, loop);
    bool reduces =
        sharding.getLoopIteratorTypes()[loop] == utils::IteratorType::reduction;
    hasRange |= reduces && isa<ChooseQParamsOp>(op);
    auto matmul = dyn_cast<MatmulOp>(op);
    if (matmul && reduces && matmul.getRhsZeroPoint())
      isZero = false;
    if (matmul && reduces && !getMatmulCut(op, loop))
      isSame = false;
  }
  return !isUneven || (isSame && (isZero || !(hasRange || candidate.rows)));
}

bool ShardPlan::isWanted(const LoopClass &candidate) const {
  if (candidate.impossible || !canBeEven(candidate) ||
      llvm::any_of(candidate.loops,
                   [&](const Loop &loop) { return getCut(loop.first); }))
    return false;
  switch (kind) {
  case Parallelism::Auto:
    return candidate.columns != 0 || candidate.rows != 0;
  case Parallelism::Columns:
    return candidate.columns != 0 && candidate.rows == 0;
  case Parallelism::Rows:
    return candidate.rows != 0 && candidate.columns == 0;
  case Parallelism::Batch:
    return candidate.batches != 0;
  }
  llvm_unreachable("all kinds are listed");
}

void ShardPlan::takeClass(const LoopClass &chosen) {
  for (const Loop &loop : chosen.loops)
    cuts[loop.first] = loop.second;
}

/// Weights that are in no class: by columns, with the rescale behind, if that
/// is all that reads the sum. Its result is gathered.
void ShardPlan::cutColumnsAlone() {
  for (auto &[loop, number] : numbers) {
    auto [op, index] = loop;
    if (getMatmulCut(op, index) != MatmulCut::Column || getCut(op))
      continue;
    cuts[op] = index;
    cutWeightOf(op);
    auto rescale = op->hasOneUse()
                       ? dyn_cast<RescaleOp>(*op->getUsers().begin())
                       : RescaleOp();
    if (rescale)
      cutAlone(rescale, rescale.getAcc().getType().getRank() - 1);
  }
}

/// A weight is unpacked in parts, of the part of its bytes.
void ShardPlan::cutWeightOf(Operation *op) {
  auto cut = [&](Value rhs, int64_t columns) {
    if (getPackedBytes(rhs) && rhs.hasOneUse())
      cutAlone(rhs.getDefiningOp(), columns);
  };
  if (auto matmul = dyn_cast<MatmulOp>(op))
    cut(matmul.getRhs(), matmul.getRhsNDim());
  if (auto matmul = dyn_cast<ScaledMatmulOp>(op))
    cut(matmul.getRhs(), /*columns=*/0);
}

void ShardPlan::cutAlone(Operation *op, unsigned loop) {
  if (!getCut(op) && numbers.contains({op, loop}))
    cuts[op] = loop;
}
