//===- ShardingModels.cpp - quant ops cut over ranks ----------------------===//

#include "quant/Shard/ShardingModels.h"

#include "PartitionReductions.h"
#include "ShardLoops.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MPI/IR/MPI.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Shard/IR/ShardDialect.h"
#include "mlir/Dialect/Shard/Interfaces/ShardingInterfaceImpl.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace quantmlir;

namespace {

/// Ranks that each loop of an op is cut over.
struct LoopCuts {
  shard::ShardingArray axes;
  SmallVector<shard::GridAxis> reductionAxes;
  FlatSymbolRefAttr grid;
};

} // namespace

/// The grid of the first sharding that names one.
static FlatSymbolRefAttr findGrid(ArrayRef<shard::Sharding> operands,
                                  ArrayRef<shard::Sharding> results) {
  for (const shard::Sharding &sharding :
       llvm::concat<const shard::Sharding>(operands, results))
    if (sharding)
      return sharding.getGridAttr();
  return {};
}

/// The type of a rank's part of a result.
static Type getPartType(Operation *op, Type type,
                        const shard::Sharding &sharding,
                        SymbolTableCollection &symbols) {
  if (!sharding)
    return type;
  return shard::shardType(
      type, shard::getGridOrNull(op, sharding.getGridAttr(), symbols),
      sharding);
}

/// Fails with the reason where `op` is not to be cut as its shardings say.
static FailureOr<LoopCuts> getCuts(Operation *op, const ShardLoops &loops,
                                   ArrayRef<shard::Sharding> operands,
                                   ArrayRef<shard::Sharding> results,
                                   SymbolTableCollection &symbols) {
  LoopCuts cuts;
  cuts.grid = findGrid(operands, results);
  cuts.axes = shard::getGridAxisAssignmentForLoopIterators(
      operands, results, loops.kinds, loops.maps);
  cuts.reductionAxes = shard::getReductionGridAxes(loops.kinds, cuts.axes);
  shard::GridOp grid = shard::getGridOrNull(op, cuts.grid, symbols);
  for (auto [loop, axes] : llvm::enumerate(cuts.axes)) {
    if (axes.empty())
      continue;
    int64_t ranks = shard::collectiveProcessGroupSize(axes, grid);
    std::string reason = whyNotCut(op, loop, ranks);
    if (!reason.empty())
      return op->emitOpError("cannot be cut into ")
             << ranks << " parts along loop " << loop << ": " << reason;
  }
  return cuts;
}

namespace {

/// Loops come from `getShardLoops`. A cut along parallel ones is the op on
/// parts; `Derived` may say what one along a reduction is.
template <typename Derived, typename OpTy>
struct LoopsModel
    : public shard::ShardingInterface::ExternalModel<Derived, OpTy> {
  SmallVector<utils::IteratorType> getLoopIteratorTypes(Operation *op) const {
    return getShardLoops(cast<OpTy>(op)).kinds;
  }
  SmallVector<shard::ReductionKind>
  getReductionLoopIteratorKinds(Operation *op) const {
    return getShardLoops(cast<OpTy>(op)).reductions;
  }
  SmallVector<AffineMap> getIndexingMaps(Operation *op) const {
    return getShardLoops(cast<OpTy>(op)).maps;
  }

  LogicalResult partition(Operation *op, ArrayRef<Value> operands,
                          ArrayRef<shard::Sharding> operandShardings,
                          ArrayRef<shard::Sharding> resultShardings,
                          IRMapping &map, SymbolTableCollection &symbols,
                          OpBuilder &builder) const {
    FailureOr<LoopCuts> cuts =
        getCuts(op, getShardLoops(cast<OpTy>(op)), operandShardings,
                resultShardings, symbols);
    if (failed(cuts))
      return failure();
    if (!cuts->reductionAxes.empty())
      return Derived::partitionReduction(
          cast<OpTy>(op), operands,
          {cuts->grid.getValue(), cuts->reductionAxes}, resultShardings, map,
          symbols, builder);
    Derived::partitionParallel(cast<OpTy>(op), operands, operandShardings,
                               resultShardings, map, symbols, builder);
    return success();
  }

  static LogicalResult partitionReduction(OpTy op, ArrayRef<Value>,
                                          const RankGroup &,
                                          ArrayRef<shard::Sharding>,
                                          IRMapping &, SymbolTableCollection &,
                                          OpBuilder &) {
    return op.emitOpError("cannot be cut along a loop that it reduces");
  }

  static void partitionParallel(OpTy op, ArrayRef<Value> operands,
                                ArrayRef<shard::Sharding> operandShardings,
                                ArrayRef<shard::Sharding> resultShardings,
                                IRMapping &map, SymbolTableCollection &symbols,
                                OpBuilder &builder) {
    // Upstream's way, but that a result of rank 0 has no sharding.
    Operation *part = builder.clone(*op, map);
    for (auto [result, sharding] :
         llvm::zip_equal(part->getResults(), resultShardings))
      result.setType(getPartType(op, result.getType(), sharding, symbols));
  }
};

template <typename OpTy>
struct ParallelModel : public LoopsModel<ParallelModel<OpTy>, OpTy> {};

/// Parts of K have parts of the sum, parts of rows parts of their range.
template <typename OpTy>
struct ReductionModel : public LoopsModel<ReductionModel<OpTy>, OpTy> {
  static LogicalResult
  partitionReduction(OpTy op, ArrayRef<Value> operands, const RankGroup &group,
                     ArrayRef<shard::Sharding> results, IRMapping &map,
                     SymbolTableCollection &symbols, OpBuilder &builder) {
    SmallVector<RankedTensorType> types;
    for (auto [result, sharding] :
         llvm::zip_equal(op->getResultTypes(), results))
      types.push_back(
          cast<RankedTensorType>(getPartType(op, result, sharding, symbols)));
    map.map(op->getResults(),
            partitionReduced(op, operands, types, group, builder));
    return success();
  }
};

/// A reshape names the sizes of its result.
template <typename OpTy>
struct ReshapeModel : public LoopsModel<ReshapeModel<OpTy>, OpTy> {
  static void partitionParallel(OpTy op, ArrayRef<Value> operands,
                                ArrayRef<shard::Sharding>,
                                ArrayRef<shard::Sharding> results,
                                IRMapping &map, SymbolTableCollection &symbols,
                                OpBuilder &builder) {
    const shard::Sharding &sharding = results.front();
    Type type = shard::shardType(
        op.getType(), shard::getGridOrNull(op, sharding.getGridAttr(), symbols),
        sharding);
    map.map(op.getResult(),
            OpTy::create(builder, op.getLoc(), cast<RankedTensorType>(type),
                         operands.front(), op.getReassociationIndices())
                .getResult());
  }
};

/// Upstream says nothing of what a collective does with memory, and freeing of
/// buffers takes no op that is silent.
struct AllReduceEffects
    : public MemoryEffectOpInterface::ExternalModel<AllReduceEffects,
                                                    mpi::AllReduceOp> {
  void
  getEffects(Operation *op,
             SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
                 &effects) const {
    auto reduce = cast<mpi::AllReduceOp>(op);
    effects.emplace_back(MemoryEffects::Read::get(),
                         &reduce.getSendbufMutable());
    effects.emplace_back(MemoryEffects::Write::get(),
                         &reduce.getRecvbufMutable());
    // The other ranks' turn: no call may go, nor overtake another.
    effects.emplace_back(MemoryEffects::Read::get());
    effects.emplace_back(MemoryEffects::Write::get());
  }
};

} // namespace

template <template <typename> typename Model, typename... Ops>
static void attach(MLIRContext *context) {
  (Ops::template attachInterface<Model<Ops>>(*context), ...);
}

void quantmlir::registerShardingModels(DialectRegistry &registry) {
  registry.insert<shard::ShardDialect>();
  registry.addExtension(+[](MLIRContext *context, quant::QuantDialect *) {
    attach<ParallelModel, QuantizeOp, DequantizeOp, RescaleOp,
           RescaleFixedPointOp, RotateOp, PackInt4Op, UnpackInt4Op, PackInt2Op,
           UnpackInt2Op, ScaledMatmulOp, QuantizeRowsOp, QuantizeBlocksOp,
           CachedAttentionOp>(context);
    attach<ParallelModel, FloatAttentionOp>(context);
    attach<ReductionModel, MatmulOp, ChooseQParamsOp>(context);
    // What sums and ranges in parts are made of.
    context->loadDialect<arith::ArithDialect, linalg::LinalgDialect,
                         math::MathDialect, shard::ShardDialect>();
  });
  registry.addExtension(+[](MLIRContext *context, mpi::MPIDialect *) {
    mpi::AllReduceOp::attachInterface<AllReduceEffects>(*context);
  });
  registry.addExtension(+[](MLIRContext *context, tensor::TensorDialect *) {
    attach<ReshapeModel, tensor::ExpandShapeOp, tensor::CollapseShapeOp>(
        context);
  });
}
