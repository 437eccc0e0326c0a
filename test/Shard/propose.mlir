// What is proposed, by what partitioning makes of it.
//
// DEFINE: %{passes} = func.func(shard-partition),canonicalize,cse
// RUN: quant-opt %s --split-input-file --pass-pipeline="builtin.module(quant-propose-sharding{ranks=2},%{passes})" | FileCheck %s
// RUN: quant-opt %s --split-input-file --pass-pipeline="builtin.module(quant-propose-sharding{ranks=2 parallel=batch},%{passes})" | FileCheck %s --check-prefix=BATCH
// RUN: quant-opt %s --split-input-file --pass-pipeline="builtin.module(quant-propose-sharding{ranks=2 parallel=rows},%{passes})" | FileCheck %s --check-prefix=ROWS

// Two layers are a pair: the maxima of rows and one sum of i32 are all that is
// sent, weights are in parts, the element-wise op between is on parts.
// CHECK-LABEL: func @pair
// CHECK-NOT: all_gather
// CHECK: %[[W1:.*]] = shard.all_slice %{{.*}} on @ranks grid_axes = [0] slice_axis = 0 : tensor<8x4xi8> -> tensor<4x4xi8>
// CHECK: quant.matmul ins(%{{.*}}, %[[W1]] : tensor<3x4xi8>, tensor<4x4xi8>)
// CHECK: math.tanh
// CHECK: shard.all_reduce %{{.*}} reduction = max : tensor<3x1xf32>
// CHECK: %[[W2:.*]] = shard.all_slice %{{.*}} on @ranks grid_axes = [0] slice_axis = 1 : tensor<4x8xi8> -> tensor<4x4xi8>
// CHECK: %[[A:.*]] = quant.matmul ins(%{{.*}}, %[[W2]] : tensor<3x4xi8>, tensor<4x4xi8>)
// CHECK: %[[R:.*]] = shard.all_reduce %[[A]] on @ranks grid_axes = [0] : tensor<3x4xi32>
// CHECK: quant.rescale %[[R]]
// CHECK-NOT: all_reduce
// CHECK-NOT: all_gather

// Three rows are no two equal parts: there is one more, which is dropped at the
// end.
// BATCH-LABEL: func @pair
// BATCH: quant.matmul ins(%{{.*}}, %{{.*}} : tensor<2x4xi8>, tensor<8x4xi8>)
// BATCH: quant.matmul ins(%{{.*}}, %{{.*}} : tensor<2x8xi8>, tensor<4x8xi8>)
// BATCH: %[[G:.*]] = shard.all_gather {{.*}} gather_axis = 0 : tensor<2x4xf32> -> tensor<4x4xf32>
// BATCH: tensor.extract_slice %[[G]][0, 0] [3, 4] [1, 1]

// Rows of the first weight; the second's belong to a pair, which was not asked
// for.
// ROWS-LABEL: func @pair
// ROWS: quant.matmul ins(%{{.*}}, %{{.*}} : tensor<3x2xi8>, tensor<8x2xi8>)
// ROWS: all_reduce {{.*}} : tensor<3x8xi32>
// ROWS: quant.matmul ins(%{{.*}}, %{{.*}} : tensor<3x8xi8>, tensor<4x8xi8>)
func.func @pair(%x: tensor<3x4xi8>) -> tensor<3x4xf32> {
  %zero = arith.constant 0 : i32
  %w1 = arith.constant dense<[[1, 2, 3, 4], [5, 6, 7, 8], [9, 1, 2, 3], [4, 5, 6, 7], [1, 1, 2, 2], [3, 3, 4, 4], [5, 5, 6, 6], [7, 7, 8, 8]]> : tensor<8x4xi8>
  %s1 = arith.constant dense<[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]> : tensor<8xf32>
  %w2 = arith.constant dense<[[1, 2, 3, 4, 5, 6, 7, 8], [2, 2, 3, 3, 4, 4, 5, 5], [1, 2, 1, 2, 1, 2, 1, 2], [8, 7, 6, 5, 4, 3, 2, 1]]> : tensor<4x8xi8>
  %s2 = arith.constant dense<[0.1, 0.2, 0.3, 0.4]> : tensor<4xf32>
  %e1 = tensor.empty() : tensor<3x8xi32>
  %i1 = linalg.fill ins(%zero : i32) outs(%e1 : tensor<3x8xi32>) -> tensor<3x8xi32>
  %a1 = quant.matmul ins(%x, %w1 : tensor<3x4xi8>, tensor<8x4xi8>) outs(%i1 : tensor<3x8xi32>) {transpose_rhs} -> tensor<3x8xi32>
  %h = quant.rescale %a1 channel_scale(%s1 : tensor<8xf32>) : tensor<3x8xi32> -> tensor<3x8xf32>
  %e = tensor.empty() : tensor<3x8xf32>
  %t = linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m, n)>], iterator_types = ["parallel", "parallel"]}
    ins(%h : tensor<3x8xf32>) outs(%e : tensor<3x8xf32>) {
  ^bb0(%a: f32, %o: f32):
    %y = math.tanh %a : f32
    linalg.yield %y : f32
  } -> tensor<3x8xf32>
  %sx = quant.choose_qparams %t axes = [0] range = [-127, 127] : tensor<3x8xf32> -> tensor<3xf32>
  %q = quant.quantize %t scale(%sx : tensor<3xf32>) axes = [0] range = [-127, 127] : tensor<3x8xf32> -> tensor<3x8xi8>
  %e2 = tensor.empty() : tensor<3x4xi32>
  %i2 = linalg.fill ins(%zero : i32) outs(%e2 : tensor<3x4xi32>) -> tensor<3x4xi32>
  %a2 = quant.matmul ins(%q, %w2 : tensor<3x8xi8>, tensor<4x8xi8>) outs(%i2 : tensor<3x4xi32>) {transpose_rhs} -> tensor<3x4xi32>
  %r = quant.rescale %a2 row_scale(%sx : tensor<3xf32>) channel_scale(%s2 : tensor<4xf32>) : tensor<3x4xi32> -> tensor<3x4xf32>
  return %r : tensor<3x4xf32>
}

// -----

// Groups: by columns, and the result gathered.
// CHECK-LABEL: func @groups
// CHECK: %[[Y:.*]] = quant.scaled_matmul ins(%{{.*}}, %{{.*}} : tensor<4x4xi8>, tensor<1x4xi8>)
// CHECK: shard.all_gather %[[Y]] on @ranks grid_axes = [0] gather_axis = 1 : tensor<4x1xf32> -> tensor<4x2xf32>

// BATCH-LABEL: func @groups
// BATCH: %[[Y:.*]] = quant.scaled_matmul ins(%{{.*}}, %{{.*}} : tensor<2x4xi8>, tensor<2x4xi8>)
// BATCH: shard.all_gather %[[Y]] on @ranks grid_axes = [0] gather_axis = 0 : tensor<2x2xf32> -> tensor<4x2xf32>
func.func @groups(%x: tensor<4x4xi8>) -> tensor<4x2xf32> {
  %w = arith.constant dense<[[1, 2, 3, 4], [5, 6, 7, 8]]> : tensor<2x4xi8>
  %s = arith.constant dense<[[0.1, 0.2], [0.3, 0.4]]> : tensor<2x2xf32>
  %y = quant.scaled_matmul ins(%x, %w : tensor<4x4xi8>, tensor<2x4xi8>) rhs_scale(%s : tensor<2x2xf32>) {group_size = 2 : i64} -> tensor<4x2xf32>
  return %y : tensor<4x2xf32>
}

// -----

// One scale for a tensor, chosen and constant, has no dimension to be cut.
// CHECK-LABEL: func @per_tensor
// CHECK: %[[M:.*]] = shard.all_reduce %{{.*}} reduction = max : tensor<1xf32>
// CHECK: %[[S:.*]] = quant.choose_qparams %[[M]] axes = [] {{.*}} : tensor<1xf32> -> tensor<f32>
// CHECK: shard.all_reduce %{{.*}} : tensor<4x2xi32>
// CHECK: quant.rescale %{{.*}} row_scale(%[[S]] : tensor<f32>) channel_scale(%{{.*}} : tensor<f32>)
func.func @per_tensor(%x: tensor<4x4xi8>) -> tensor<4x2xf32> {
  %zero = arith.constant 0 : i32
  %w = arith.constant dense<[[1, 2, 3, 4], [5, 6, 7, 8]]> : tensor<2x4xi8>
  %v = arith.constant dense<[[1, 2], [3, 4]]> : tensor<2x2xi8>
  %s = arith.constant dense<0.5> : tensor<f32>
  %e = tensor.empty() : tensor<4x2xi32>
  %i = linalg.fill ins(%zero : i32) outs(%e : tensor<4x2xi32>) -> tensor<4x2xi32>
  %a = quant.matmul ins(%x, %w : tensor<4x4xi8>, tensor<2x4xi8>) outs(%i : tensor<4x2xi32>) {transpose_rhs} -> tensor<4x2xi32>
  %h = quant.rescale %a channel_scale(%s : tensor<f32>) : tensor<4x2xi32> -> tensor<4x2xf32>
  %sx = quant.choose_qparams %h axes = [] range = [-127, 127] : tensor<4x2xf32> -> tensor<f32>
  %q = quant.quantize %h scale(%sx : tensor<f32>) axes = [] range = [-127, 127] : tensor<4x2xf32> -> tensor<4x2xi8>
  %b = quant.matmul ins(%q, %v : tensor<4x2xi8>, tensor<2x2xi8>) outs(%i : tensor<4x2xi32>) {transpose_rhs} -> tensor<4x2xi32>
  %y = quant.rescale %b row_scale(%sx : tensor<f32>) channel_scale(%s : tensor<f32>) : tensor<4x2xi32> -> tensor<4x2xf32>
  return %y : tensor<4x2xf32>
}

// -----

// A packed weight is unpacked from its part of the bytes.
// CHECK-LABEL: func @packed
// CHECK: %[[P:.*]] = shard.all_slice %{{.*}} on @ranks grid_axes = [0] slice_axis = 0 : tensor<4x2xi8> -> tensor<2x2xi8>
// CHECK: %[[W:.*]] = quant.unpack_int4 %[[P]] : tensor<2x2xi8> -> tensor<2x4xi4>
// CHECK: quant.scaled_matmul ins(%{{.*}}, %[[W]] : tensor<3x4xi8>, tensor<2x4xi4>)
func.func @packed(%x: tensor<3x4xi8>) -> tensor<3x4xf32> {
  %b = arith.constant dense_resource<bytes> : tensor<4x2xi8>
  %w = quant.unpack_int4 %b : tensor<4x2xi8> -> tensor<4x4xi4>
  %s = arith.constant dense<0.5> : tensor<4x2xf32>
  %y = quant.scaled_matmul ins(%x, %w : tensor<3x4xi8>, tensor<4x4xi4>) rhs_scale(%s : tensor<4x2xf32>) {group_size = 2 : i64} -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

{-# dialect_resources: {builtin: {bytes: "0x010000000102030405060708"}} #-}

// -----

// CHECK-LABEL: func @packed_two_bits
// CHECK: %[[P:.*]] = shard.all_slice %{{.*}} on @ranks grid_axes = [0] slice_axis = 0 : tensor<4x1xi8> -> tensor<2x1xi8>
// CHECK: %[[W:.*]] = quant.unpack_int2 %[[P]] : tensor<2x1xi8> -> tensor<2x4xi2>
// CHECK: quant.scaled_matmul ins(%{{.*}}, %[[W]] : tensor<3x4xi8>, tensor<2x4xi2>)
func.func @packed_two_bits(%x: tensor<3x4xi8>) -> tensor<3x4xf32> {
  %b = arith.constant dense_resource<quarters> : tensor<4x1xi8>
  %w = quant.unpack_int2 %b : tensor<4x1xi8> -> tensor<4x4xi2>
  %s = arith.constant dense<0.5> : tensor<4x2xf32>
  %y = quant.scaled_matmul ins(%x, %w : tensor<3x4xi8>, tensor<4x4xi2>) rhs_scale(%s : tensor<4x2xf32>) {group_size = 2 : i64} -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

{-# dialect_resources: {builtin: {quarters: "0x0100000001020304"}} #-}
