//===- PartitionReductions.h - ops cut along what they reduce ---*- C++ -*-===//

#ifndef LIB_SHARD_PARTITIONREDUCTIONS_H
#define LIB_SHARD_PARTITIONREDUCTIONS_H

#include "mlir/Dialect/Shard/IR/ShardOps.h"

#include "quant/Dialect/Quant/IR/QuantOps.h"

namespace quantmlir {

/// Ranks that hold parts of one result: those along `axes` of `grid`.
struct RankGroup {
  llvm::StringRef grid;
  llvm::ArrayRef<mlir::shard::GridAxis> axes;
};

/// The sum of the products of this rank's part of K, and one all-reduce of i32,
/// before anything is rounded. `operands` are this rank's, `types` those of
/// its results.
llvm::SmallVector<mlir::Value>
partitionReduced(MatmulOp op, llvm::ArrayRef<mlir::Value> operands,
                 llvm::ArrayRef<mlir::RankedTensorType> types,
                 const RankGroup &group, mlir::OpBuilder &builder);

/// The range of this rank's elements, one all-reduce of maxima, and the
/// parameters of the range of all.
llvm::SmallVector<mlir::Value>
partitionReduced(ChooseQParamsOp op, llvm::ArrayRef<mlir::Value> operands,
                 llvm::ArrayRef<mlir::RankedTensorType> types,
                 const RankGroup &group, mlir::OpBuilder &builder);

} // namespace quantmlir

#endif // LIB_SHARD_PARTITIONREDUCTIONS_H
