// A program that says itself what is cut: upstream propagates it, and the rest is
// said to be whole, so that it can be partitioned.
//
// RUN: quant-opt %s --pass-pipeline="builtin.module(quant-verify-shardings,func.func(sharding-propagation),quant-propose-sharding{ranks=2},func.func(shard-partition),quant-cut-to-rank{rank=1},canonicalize,cse)" | FileCheck %s

// The second weight's rows, as the program wants it, and not its columns.
// CHECK-LABEL: func @main(
// CHECK-SAME: %[[ARG:.*]]: tensor<4x4xi8>) -> tensor<4x2xf32>
// CHECK: %[[W:.*]] = arith.constant dense<{{\[\[}}3, 4], [7, 8]]> : tensor<2x2xi8>
// CHECK: %[[X:.*]] = tensor.extract_slice %[[ARG]][0, 2] [4, 2] [1, 1]
// CHECK: %[[A:.*]] = quant.matmul ins(%[[X]], %[[W]] : tensor<4x2xi8>, tensor<2x2xi8>)
// CHECK: %[[R:.*]] = shard.all_reduce %[[A]] on @mine grid_axes = [0] : tensor<4x2xi32>
// CHECK: quant.rescale %[[R]]
shard.grid @mine(shape = 2)
func.func @main(%x: tensor<4x4xi8>) -> tensor<4x2xf32> {
  %rows = shard.sharding @mine split_axes = [[], [0]] : !shard.sharding
  %zero = arith.constant 0 : i32
  %w = arith.constant dense_resource<weight> : tensor<2x4xi8>
  %s = arith.constant dense<0.5> : tensor<2xf32>
  %xs = shard.shard %x to %rows annotate_for_users : tensor<4x4xi8>
  %e = tensor.empty() : tensor<4x2xi32>
  %i = linalg.fill ins(%zero : i32) outs(%e : tensor<4x2xi32>) -> tensor<4x2xi32>
  %a = quant.matmul ins(%xs, %w : tensor<4x4xi8>, tensor<2x4xi8>) outs(%i : tensor<4x2xi32>) {transpose_rhs} -> tensor<4x2xi32>
  %y = quant.rescale %a channel_scale(%s : tensor<2xf32>) : tensor<4x2xi32> -> tensor<4x2xf32>
  return %y : tensor<4x2xf32>
}

{-# dialect_resources: {builtin: {weight: "0x010000000102030405060708"}} #-}
