// Sizes that are no multiple of the ranks.
//
// DEFINE: %{passes} = func.func(shard-partition),quant-cut-to-rank{rank=1},canonicalize,cse
// RUN: quant-opt %s --split-input-file --pass-pipeline="builtin.module(quant-propose-sharding{ranks=2},%{passes})" | FileCheck %s

// Columns: the last rank has one of zeros, whose scale is 1, and which is dropped.
// CHECK-LABEL: func @columns
// CHECK-DAG: arith.constant dense<{{\[\[}}9, 8, 7, 6], [0, 0, 0, 0]]> : tensor<2x4xi8>
// CHECK-DAG: arith.constant dense<{{\[}}3.000000e+00, 1.000000e+00]> : tensor<2xf32>
// CHECK: quant.matmul ins(%{{.*}}, %{{.*}} : tensor<4x4xi8>, tensor<2x4xi8>)
// CHECK: shard.all_gather %{{.*}} gather_axis = 1 : tensor<4x2xf32> -> tensor<4x4xf32>
// CHECK: tensor.extract_slice %{{.*}}[0, 0] [4, 3] [1, 1] : tensor<4x4xf32> to tensor<4x3xf32>
func.func @columns(%x: tensor<4x4xi8>) -> tensor<4x3xf32> {
  %w = arith.constant dense<[[1, 2, 3, 4], [5, 6, 7, 8], [9, 8, 7, 6]]> : tensor<3x4xi8>
  %s = arith.constant dense<[1.0, 2.0, 3.0]> : tensor<3xf32>
  %zero = arith.constant dense<0> : tensor<4x3xi32>
  %a = quant.matmul ins(%x, %w : tensor<4x4xi8>, tensor<3x4xi8>) outs(%zero : tensor<4x3xi32>) {transpose_rhs} -> tensor<4x3xi32>
  %y = quant.rescale %a channel_scale(%s : tensor<3xf32>) : tensor<4x3xi32> -> tensor<4x3xf32>
  return %y : tensor<4x3xf32>
}

// -----

// A pair: what is between makes 0 of 0, so that no maximum changes.
// CHECK-LABEL: func @pair
// CHECK: quant.matmul ins(%{{.*}}, %{{.*}} : tensor<4x4xi8>, tensor<2x4xi8>)
// CHECK: shard.all_reduce %{{.*}} reduction = max
// CHECK: quant.matmul ins(%{{.*}}, %{{.*}} : tensor<4x2xi8>, tensor<2x2xi8>)
// CHECK: shard.all_reduce %{{.*}} : tensor<4x2xi32>
// CHECK-NOT: shard.all_reduce
func.func @pair(%x: tensor<4x4xi8>) -> tensor<4x2xf32> {
  %w = arith.constant dense<[[1, 2, 3, 4], [5, 6, 7, 8], [9, 8, 7, 6]]> : tensor<3x4xi8>
  %v = arith.constant dense<[[1, 2, 3], [5, 6, 7]]> : tensor<2x3xi8>
  %s = arith.constant dense<[1.0, 2.0, 3.0]> : tensor<3xf32>
  %s2 = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %zero = arith.constant dense<0> : tensor<4x3xi32>
  %zero2 = arith.constant dense<0> : tensor<4x2xi32>
  %a = quant.matmul ins(%x, %w : tensor<4x4xi8>, tensor<3x4xi8>) outs(%zero : tensor<4x3xi32>) {transpose_rhs} -> tensor<4x3xi32>
  %y = quant.rescale %a channel_scale(%s : tensor<3xf32>) : tensor<4x3xi32> -> tensor<4x3xf32>
  %e = tensor.empty() : tensor<4x3xf32>
  %t = linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m, n)>], iterator_types = ["parallel", "parallel"]}
    ins(%y : tensor<4x3xf32>) outs(%e : tensor<4x3xf32>) {
  ^bb0(%i: f32, %o: f32):
    %half = arith.constant 0.5 : f32
    %h = arith.mulf %i, %half : f32
    %th = math.tanh %h : f32
    linalg.yield %th : f32
  } -> tensor<4x3xf32>
  %sx = quant.choose_qparams %t axes = [0] range = [-127, 127] : tensor<4x3xf32> -> tensor<4xf32>
  %q = quant.quantize %t scale(%sx : tensor<4xf32>) axes = [0] range = [-127, 127] : tensor<4x3xf32> -> tensor<4x3xi8>
  %b = quant.matmul ins(%q, %v : tensor<4x3xi8>, tensor<2x3xi8>) outs(%zero2 : tensor<4x2xi32>) {transpose_rhs} -> tensor<4x2xi32>
  %r = quant.rescale %b row_scale(%sx : tensor<4xf32>) channel_scale(%s2 : tensor<2xf32>) : tensor<4x2xi32> -> tensor<4x2xf32>
  return %r : tensor<4x2xf32>
}

// -----

// cos(0) is 1, which may be the largest of a row: no pair; columns, by
// themselves.
// CHECK-LABEL: func @widens
// CHECK: math.cos
// CHECK-NOT: reduction = max
// CHECK: return
func.func @widens(%x: tensor<4x4xi8>) -> tensor<4x2xf32> {
  %w = arith.constant dense<[[1, 2, 3, 4], [5, 6, 7, 8], [9, 8, 7, 6]]> : tensor<3x4xi8>
  %v = arith.constant dense<[[1, 2, 3], [5, 6, 7]]> : tensor<2x3xi8>
  %s = arith.constant dense<[1.0, 2.0, 3.0]> : tensor<3xf32>
  %s2 = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %zero = arith.constant dense<0> : tensor<4x3xi32>
  %zero2 = arith.constant dense<0> : tensor<4x2xi32>
  %a = quant.matmul ins(%x, %w : tensor<4x4xi8>, tensor<3x4xi8>) outs(%zero : tensor<4x3xi32>) {transpose_rhs} -> tensor<4x3xi32>
  %y = quant.rescale %a channel_scale(%s : tensor<3xf32>) : tensor<4x3xi32> -> tensor<4x3xf32>
  %e = tensor.empty() : tensor<4x3xf32>
  %t = linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m, n)>], iterator_types = ["parallel", "parallel"]}
    ins(%y : tensor<4x3xf32>) outs(%e : tensor<4x3xf32>) {
  ^bb0(%i: f32, %o: f32):
    %c = math.cos %i : f32
    linalg.yield %c : f32
  } -> tensor<4x3xf32>
  %sx = quant.choose_qparams %t axes = [0] range = [-127, 127] : tensor<4x3xf32> -> tensor<4xf32>
  %q = quant.quantize %t scale(%sx : tensor<4xf32>) axes = [0] range = [-127, 127] : tensor<4x3xf32> -> tensor<4x3xi8>
  %b = quant.matmul ins(%q, %v : tensor<4x3xi8>, tensor<2x3xi8>) outs(%zero2 : tensor<4x2xi32>) {transpose_rhs} -> tensor<4x2xi32>
  %r = quant.rescale %b row_scale(%sx : tensor<4xf32>) channel_scale(%s2 : tensor<2xf32>) : tensor<4x2xi32> -> tensor<4x2xf32>
  return %r : tensor<4x2xf32>
}
