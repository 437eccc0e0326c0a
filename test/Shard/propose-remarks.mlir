// RUN: quant-opt %s --split-input-file --verify-diagnostics --quant-propose-sharding=ranks=2
// RUN: not quant-opt %s --split-input-file --quant-propose-sharding=ranks=0 2>&1 | FileCheck %s
// CHECK: error: expected 1 to 65536 ranks, found 0

func.func @weight_only(%x: tensor<4x4xf32>) -> tensor<4x2xf32> {
  %w = arith.constant dense<1> : tensor<2x4xi8>
  %s = arith.constant dense<0.5> : tensor<2x2xf32>
  // expected-remark @below {{computed by every rank: its sums are of floats, in an order that may follow from its sizes}}
  %y = quant.scaled_matmul ins(%x, %w : tensor<4x4xf32>, tensor<2x4xi8>) rhs_scale(%s : tensor<2x2xf32>) {group_size = 2 : i64} -> tensor<4x2xf32>
  return %y : tensor<4x2xf32>
}

// -----

// expected-error @below {{expected one block: branches are not cut over ranks}}
func.func @blocks(%x: tensor<4xf32>) -> tensor<4xf32> {
  cf.br ^next(%x : tensor<4xf32>)
^next(%y: tensor<4xf32>):
  return %y : tensor<4xf32>
}

// -----

// expected-error @below {{'shard.grid' op expected one dimension of 2 ranks, found 2x2}}
shard.grid @mine(shape = 2x2)
func.func @grid(%x: tensor<4xf32>) -> tensor<4xf32> {
  return %x : tensor<4xf32>
}

// -----

// expected-error @below {{expected static sizes in a program that is cut over ranks, found 'tensor<?x4xf32>'}}
func.func @rows(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  return %x : tensor<?x4xf32>
}
