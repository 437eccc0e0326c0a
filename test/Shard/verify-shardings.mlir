// RUN: quant-opt %s --split-input-file --verify-diagnostics --quant-verify-shardings

shard.grid @ranks(shape = 2)
func.func @whole_and_cut(%x: tensor<4x4xf32>) -> tensor<4x4xf32> {
  %s = shard.sharding @ranks split_axes = [[0]] : !shard.sharding
  %y = shard.shard %x to %s annotate_for_users : tensor<4x4xf32>
  return %y : tensor<4x4xf32>
}

// -----

shard.grid @ranks(shape = 2)
func.func @halo() {
  // expected-error @below {{expected no halos: every rank holds its own part}}
  %s = shard.sharding @ranks split_axes = [[0]] halo_sizes = [1, 1] : !shard.sharding
  return
}

// -----

shard.grid @ranks(shape = 2)
func.func @offsets() {
  // expected-error @below {{expected no offsets of parts: they are equal}}
  %s = shard.sharding @ranks split_axes = [[0]] sharded_dims_offsets = [0, 1, 4] : !shard.sharding
  return
}

// -----

shard.grid @ranks(shape = 2)
func.func @axis() {
  // expected-error @below {{expected axes of a grid of 1 dimensions, found axis 1}}
  %s = shard.sharding @ranks split_axes = [[1]] : !shard.sharding
  return
}

// -----

shard.grid @ranks(shape = 2)
func.func @dimensions(%x: tensor<4xf32>) -> tensor<4xf32> {
  %s = shard.sharding @ranks split_axes = [[], [0]] : !shard.sharding
  // expected-error @below {{expected a tensor of at least 2 dimensions, which its sharding cuts, found 'tensor<4xf32>'}}
  %y = shard.shard %x to %s : tensor<4xf32>
  return %y : tensor<4xf32>
}
