//===- ShardLoops.h - the loops that an op can be cut along -----*- C++ -*-===//

#ifndef LIB_SHARD_SHARDLOOPS_H
#define LIB_SHARD_SHARDLOOPS_H

#include "mlir/Dialect/Shard/IR/ShardOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StructuredOpsUtils.h"
#include "mlir/IR/AffineMap.h"

#include "quant/Dialect/Quant/IR/CachedAttention.h"
#include "quant/Dialect/Quant/IR/FloatAttention.h"
#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Dialect/Quant/IR/QuantizeBlocks.h"
#include "quant/Dialect/Quant/IR/QuantizeRows.h"

#include <string>

namespace quantmlir {

/// The loops of an op as upstream's interface wants them: their kinds, how the
/// reductions among them combine, and by which of them each operand and then
/// each result is indexed. A parameter of rank 0 is indexed by none.
struct ShardLoops {
  llvm::SmallVector<mlir::utils::IteratorType> kinds;
  llvm::SmallVector<mlir::shard::ReductionKind> reductions;
  llvm::SmallVector<mlir::AffineMap> maps;
};

/// `b.., m, n` and the reduction `k`.
ShardLoops getShardLoops(MatmulOp op);
/// The same loops. A sum of floats, `k` has no kind that MPI knows.
ShardLoops getShardLoops(ScaledMatmulOp op);
/// The dimensions of the input; those that the scales have not are reduced.
ShardLoops getShardLoops(ChooseQParamsOp op);
/// The dimensions of the first operand, all parallel.
ShardLoops getShardLoops(QuantizeOp op);
ShardLoops getShardLoops(DequantizeOp op);
ShardLoops getShardLoops(RescaleOp op);
ShardLoops getShardLoops(RescaleFixedPointOp op);
ShardLoops getShardLoops(RotateOp op);
ShardLoops getShardLoops(PackInt4Op op);
ShardLoops getShardLoops(UnpackInt4Op op);
ShardLoops getShardLoops(PackInt2Op op);
ShardLoops getShardLoops(UnpackInt2Op op);
/// `h, g, s, d, w, p`: heads of keys, those of queries that share one, new
/// tokens, elements, words and old tokens. Only heads are cut.
ShardLoops getShardLoops(CachedAttentionOp op);
/// `m, k`.
ShardLoops getShardLoops(QuantizeRowsOp op);
ShardLoops getShardLoops(QuantizeBlocksOp op);
/// `h, g, s, d, p`: heads of keys, those of queries that share one, new tokens,
/// elements and old tokens. Only heads are cut.
ShardLoops getShardLoops(FloatAttentionOp op);
/// The dimensions of the expanded side. The collapsed side is indexed by the
/// outermost of each group that is not 1.
ShardLoops getShardLoops(mlir::tensor::ExpandShapeOp op);
ShardLoops getShardLoops(mlir::tensor::CollapseShapeOp op);

/// Why `op`, which implements `ShardingInterface`, cannot be cut into `ranks`
/// equal parts along the loop `loop` with the same bits as on one machine;
/// empty if it can.
std::string whyNotCut(mlir::Operation *op, unsigned loop, int64_t ranks);

/// The same for parts that need not be equal.
std::string whyNotCutUnevenly(mlir::Operation *op, unsigned loop,
                              int64_t ranks);

/// The size of `loop` by the tensors that it indexes; dynamic if none tells.
int64_t getLoopSize(mlir::Operation *op, llvm::ArrayRef<mlir::AffineMap> maps,
                    unsigned loop);

} // namespace quantmlir

#endif // LIB_SHARD_SHARDLOOPS_H
