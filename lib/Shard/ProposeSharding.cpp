//===- ProposeSharding.cpp - annotate how a program is cut ----------------===//

#include "quant/Shard/Passes.h"

#include "EvenSizes.h"
#include "PrepareOps.h"
#include "ShardLoops.h"
#include "ShardPlan.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Shard/IR/ShardDialect.h"
#include "mlir/Dialect/Shard/Interfaces/ShardingInterfaceImpl.h"
#include "llvm/ADT/StringExtras.h"

namespace quantmlir {
#define GEN_PASS_DEF_QUANTPROPOSESHARDINGPASS
#include "quant/Shard/Passes.h.inc"
} // namespace quantmlir

using namespace mlir;
using namespace quantmlir;

/// The grid that the pass makes.
static constexpr llvm::StringLiteral kGridName = "ranks";

static bool isCut(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && tensor.getRank() > 0;
}

namespace {

/// Writes a plan into a function: an annotation behind each value, and one
/// before each use.
class Annotator {
public:
  Annotator(func::FuncOp function, FlatSymbolRefAttr grid,
            const ShardPlan &plan)
      : function(function), grid(grid), plan(plan),
        builder(function.getContext()) {}

  void run();

private:
  /// How a value is cut by `map` where `loop` is cut.
  Value getSharding(AffineMap map, std::optional<unsigned> loop);
  Value getSharding(Operation *op, unsigned mapIndex);
  Value getWhole() { return getSharding(AffineMap(), std::nullopt); }
  void annotateValue(Value value, Value sharding);
  void annotateUse(OpOperand &use, Value sharding);
  void annotateOp(Operation *op);

  func::FuncOp function;
  FlatSymbolRefAttr grid;
  const ShardPlan &plan;
  OpBuilder builder;
  /// The sharding that cuts a dimension; -1: none.
  llvm::DenseMap<int64_t, Value> shardings;
};

} // namespace

/// Shardings are made once each, where the function begins.
Value Annotator::getSharding(AffineMap map, std::optional<unsigned> loop) {
  int64_t cut = -1;
  if (loop)
    if (auto position = map.getResultPosition(
            getAffineDimExpr(*loop, function.getContext())))
      cut = *position;
  Value &sharding = shardings[cut];
  if (sharding)
    return sharding;
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(&function.front());
  MLIRContext *context = function.getContext();
  SmallVector<shard::GridAxesAttr> axes(cut + 1,
                                        shard::GridAxesAttr::get(context, {}));
  if (cut >= 0)
    axes.back() = shard::GridAxesAttr::get(context, {0});
  else
    axes.push_back(shard::GridAxesAttr::get(context, {}));
  sharding = shard::ShardingOp::create(builder, function.getLoc(), grid, axes);
  return sharding;
}

Value Annotator::getSharding(Operation *op, unsigned mapIndex) {
  std::optional<unsigned> cut = plan.getCut(op);
  if (!cut)
    return getWhole();
  return getSharding(
      cast<shard::ShardingInterface>(op).getIndexingMaps()[mapIndex], cut);
}

void Annotator::annotateValue(Value value, Value sharding) {
  // Also of one that nobody reads: upstream wants to know of each result.
  if (!isCut(value.getType()))
    return;
  // What the program says itself stays; but arguments and constants are whole
  // before they are cut.
  Operation *source = value.getDefiningOp();
  bool isGiven = !source || source->hasTrait<OpTrait::ConstantLike>();
  if (!isGiven && value.hasOneUse())
    if (auto own = dyn_cast<shard::ShardOp>(*value.user_begin()))
      if (!own.getAnnotateForUsers())
        return;
  auto shardOp =
      shard::ShardOp::create(builder, value.getLoc(), value, sharding);
  value.replaceAllUsesExcept(shardOp.getResult(), shardOp);
}

void Annotator::annotateUse(OpOperand &use, Value sharding) {
  Value value = use.get();
  if (!isCut(value.getType()))
    return;
  if (auto own = value.getDefiningOp<shard::ShardOp>())
    if (own.getAnnotateForUsers())
      return;
  auto shardOp =
      shard::ShardOp::create(builder, use.getOwner()->getLoc(), value, sharding,
                             /*annotate_for_users=*/true);
  use.set(shardOp.getResult());
}

void Annotator::annotateOp(Operation *op) {
  builder.setInsertionPoint(op);
  for (OpOperand &use : op->getOpOperands())
    if (isCut(use.get().getType()))
      annotateUse(use, getSharding(op, use.getOperandNumber()));
  // Regions read whole values.
  for (Region &region : op->getRegions())
    region.walk([&](Operation *inner) {
      for (OpOperand &use : inner->getOpOperands())
        if (use.get().getParentBlock() == &function.front())
          annotateUse(use, getWhole());
    });
  builder.setInsertionPointAfter(op);
  for (OpResult result : op->getResults())
    annotateValue(result, getSharding(op, op->getNumOperands() +
                                              result.getResultNumber()));
}

void Annotator::run() {
  SmallVector<Operation *> ops;
  for (Operation &op : function.front())
    if (!isa<shard::ShardOp, shard::ShardingOp>(op))
      ops.push_back(&op);
  Value whole = getWhole();
  builder.setInsertionPointAfterValue(whole);
  for (BlockArgument argument : function.getArguments())
    annotateValue(argument, whole);
  for (Operation *op : ops)
    annotateOp(op);
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

namespace {
struct QuantProposeShardingPass final
    : quantmlir::impl::QuantProposeShardingPassBase<QuantProposeShardingPass> {
  using Base::Base;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    constexpr int64_t mostRanks = 1 << 16;
    if (ranks < 1 || ranks > mostRanks) {
      emitError(module.getLoc()) << "expected 1 to " << mostRanks
                                 << " ranks, found " << int64_t(ranks);
      return signalPassFailure();
    }
    FlatSymbolRefAttr grid = getGrid(module);
    if (!grid)
      return signalPassFailure();
    for (auto function : module.getOps<func::FuncOp>())
      if (!function.isExternal() && failed(annotate(function, grid)))
        return signalPassFailure();
  }

private:
  /// That of the program, or a new one of all ranks; null after an error.
  FlatSymbolRefAttr getGrid(ModuleOp module) {
    for (auto grid : module.getOps<shard::GridOp>()) {
      if (grid.getShape() == ArrayRef<int64_t>{int64_t(ranks)})
        return FlatSymbolRefAttr::get(grid.getSymNameAttr());
      std::string shape =
          llvm::join(llvm::map_range(grid.getShape(),
                                     [](int64_t size) {
                                       return ShapedType::isDynamic(size)
                                                  ? std::string("?")
                                                  : std::to_string(size);
                                     }),
                     "x");
      grid.emitOpError("expected one dimension of ")
          << int64_t(ranks) << " ranks, found " << shape;
      return {};
    }
    OpBuilder builder = OpBuilder::atBlockBegin(module.getBody());
    SymbolTable symbols(module);
    auto grid = shard::GridOp::create(builder, module.getLoc(),
                                      builder.getStringAttr(kGridName),
                                      builder.getDenseI64ArrayAttr({ranks}));
    symbols.insert(grid);
    return FlatSymbolRefAttr::get(grid.getSymNameAttr());
  }

  LogicalResult annotate(func::FuncOp function, FlatSymbolRefAttr grid) {
    if (!function.getBody().hasOneBlock())
      return function.emitOpError(
          "expected one block: branches are not cut over ranks");
    if (failed(verifyStatic(function)))
      return failure();
    prepareForPartition(function);
    bool isAnnotated = !function.getBody().getOps<shard::ShardOp>().empty();
    ShardPlan plan;
    if (!isAnnotated) {
      plan = ShardPlan(function, ranks, parallel);
      count(function, plan);
      evenSizes(function, plan, ranks);
      prepareForPartition(function);
    }
    Annotator(function, grid, plan).run();
    return isAnnotated ? verifyCuts(function) : success();
  }

  /// Upstream's partition makes no collectives of other sizes.
  static LogicalResult verifyStatic(func::FuncOp function) {
    auto verify = [](Operation *op, TypeRange types) -> LogicalResult {
      for (Type type : types)
        if (auto tensor = dyn_cast<RankedTensorType>(type))
          if (!tensor.hasStaticShape())
            return op->emitOpError("expected static sizes in a program that is "
                                   "cut over ranks, found ")
                   << tensor;
      return success();
    };
    if (failed(verify(function, function.getArgumentTypes())))
      return failure();
    for (Operation &op : function.front())
      if (failed(verify(&op, op.getResultTypes())))
        return failure();
    return success();
  }

  /// Upstream's model of linalg ops, which cuts what an annotation says, asks
  /// nobody whether the results stay the same.
  LogicalResult verifyCuts(func::FuncOp function) {
    WalkResult walk = function.walk([&](linalg::LinalgOp op) {
      auto model = dyn_cast<shard::ShardingInterface>(op.getOperation());
      if (!model)
        return WalkResult::advance();
      shard::ShardingArray axes = shard::getGridAxisAssignmentForLoopIterators(
          llvm::map_to_vector<4>(op->getOperands(), getShardingOfUse),
          llvm::map_to_vector<1>(op->getResults(), getShardingOfResult),
          model.getLoopIteratorTypes(), model.getIndexingMaps());
      for (auto [loop, of] : llvm::enumerate(axes)) {
        std::string reason = of.empty() ? "" : whyNotCut(op, loop, ranks);
        if (reason.empty())
          continue;
        op.emitOpError("cannot be cut into ")
            << int64_t(ranks) << " parts along loop " << loop << ": " << reason;
        return WalkResult::interrupt();
      }
      return WalkResult::advance();
    });
    return failure(walk.wasInterrupted());
  }

  static shard::Sharding getShardingOfUse(Value operand) {
    auto annotation = operand.getDefiningOp<shard::ShardOp>();
    return annotation ? shard::Sharding(annotation.getSharding())
                      : shard::Sharding();
  }

  static shard::Sharding getShardingOfResult(Value result) {
    for (Operation *user : result.getUsers())
      if (auto annotation = dyn_cast<shard::ShardOp>(user))
        return shard::Sharding(annotation.getSharding());
    return shard::Sharding();
  }

  void count(func::FuncOp function, const ShardPlan &plan) {
    for (Operation &op : function.front()) {
      if (!getMatmulCut(&op, 0))
        continue;
      std::optional<unsigned> loop = plan.getCut(&op);
      MatmulCut cut =
          loop ? getMatmulCut(&op, *loop).value() : MatmulCut::Other;
      numColumns += cut == MatmulCut::Column;
      numRows += cut == MatmulCut::Row;
      numBatches += cut == MatmulCut::Batch;
      if (loop)
        continue;
      ++numWhole;
      op.emitRemark("computed by every rank: ") << explain(&op);
    }
  }

  /// Why a matmul is not cut.
  std::string explain(Operation *op) {
    MatmulCut wanted = parallel == Parallelism::Rows    ? MatmulCut::Row
                       : parallel == Parallelism::Batch ? MatmulCut::Batch
                                                        : MatmulCut::Column;
    auto maps = cast<shard::ShardingInterface>(op).getIndexingMaps();
    for (unsigned loop : llvm::seq(maps.front().getNumDims())) {
      if (getMatmulCut(op, loop) != wanted)
        continue;
      std::string reason = whyNotCut(op, loop, ranks);
      return reason.empty() ? "what reads its result needs all of it" : reason;
    }
    return "";
  }
};
} // namespace
