// What an annotation cuts is asked whether the results stay the same.
// RUN: quant-opt %s --split-input-file --verify-diagnostics --pass-pipeline="builtin.module(quant-verify-shardings,func.func(sharding-propagation),quant-propose-sharding{ranks=2})"

shard.grid @ranks(shape = 2)
#id = affine_map<(m, n) -> (m, n)>
func.func @index(%x: tensor<4x4xf32>) -> tensor<4x4xf32> {
  %s = shard.sharding @ranks split_axes = [[0]] : !shard.sharding
  %xs = shard.shard %x to %s annotate_for_users : tensor<4x4xf32>
  %e = tensor.empty() : tensor<4x4xf32>
  // expected-error @below {{cannot be cut into 2 parts along loop 0: its body asks for the index of an element}}
  %t = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%xs : tensor<4x4xf32>) outs(%e : tensor<4x4xf32>) {
  ^bb0(%a: f32, %b: f32):
    %i = linalg.index 0 : index
    %j = arith.index_cast %i : index to i32
    %f = arith.sitofp %j : i32 to f32
    %r = arith.addf %a, %f : f32
    linalg.yield %r : f32
  } -> tensor<4x4xf32>
  return %t : tensor<4x4xf32>
}

// -----

shard.grid @ranks(shape = 2)
func.func @float_sum(%x: tensor<4x8xf32>, %w: tensor<8x4xf32>) -> tensor<4x4xf32> {
  %s = shard.sharding @ranks split_axes = [[], [0]] : !shard.sharding
  %xs = shard.shard %x to %s annotate_for_users : tensor<4x8xf32>
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x4xf32>
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<4x4xf32>) -> tensor<4x4xf32>
  // expected-error @below {{cannot be cut into 2 parts along loop 2: what it reduces would be combined in another order}}
  %t = linalg.matmul ins(%xs, %w : tensor<4x8xf32>, tensor<8x4xf32>) outs(%i : tensor<4x4xf32>) -> tensor<4x4xf32>
  return %t : tensor<4x4xf32>
}
