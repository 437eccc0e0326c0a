//===- ShardingModels.h - quant ops cut over ranks --------------*- C++ -*-===//
//
// Upstream's `ShardingInterface` for the ops of the quant stage, and for the
// reshapes that stand between them, which upstream has no models of.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_SHARD_SHARDINGMODELS_H
#define QUANT_SHARD_SHARDINGMODELS_H

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace quantmlir {

/// Attaches the models when the dialects of their ops are loaded.
void registerShardingModels(mlir::DialectRegistry &registry);

} // namespace quantmlir

#endif // QUANT_SHARD_SHARDINGMODELS_H
