// RUN: quant-opt --split-input-file --verify-diagnostics --quant-import %s \
// RUN:   | FileCheck %s

#w3 = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#g3 = affine_map<(d0, d1, d2) -> (d0, d1, 0)>
#lhs = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d3, d4)>
#rhs = affine_map<(d0, d1, d2, d3, d4) -> (d2, d3, d4)>
#out = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2)>

// A weight of 4 bits in groups of 32: scale [N, K/32, 1], zero point as float.
// CHECK-LABEL: func.func @weight_only
// CHECK-SAME: %[[X:.*]]: tensor<1x?x4x32xf32>
// CHECK-DAG: %[[W:.*]] = arith.constant dense<5> : tensor<6x128xi4>
// CHECK-DAG: %[[S:.*]] = arith.constant dense<2.500000e-01> : tensor<6x4xf32>
// CHECK-DAG: %[[Z:.*]] = arith.constant dense<8> : tensor<6x4xi32>
// CHECK-DAG: %[[ROWS:.*]] = tensor.collapse_shape %[[X]] {{.*}} into tensor<?x128xf32>
// CHECK: %[[Y:.*]] = quant.scaled_matmul ins(%[[ROWS]], %[[W]] : tensor<?x128xf32>, tensor<6x128xi4>)
// CHECK-SAME: rhs_scale(%[[S]] : tensor<6x4xf32>) rhs_zero_point(%[[Z]] : tensor<6x4xi32>)
// CHECK-SAME: {group_size = 32 : i64, rhs_unsigned} -> tensor<?x6xf32>
// CHECK: tensor.expand_shape %[[Y]]
func.func @weight_only(%x: tensor<1x?x4x32xf32>, %init: tensor<1x?x6xf32>) -> tensor<1x?x6xf32> {
  %w = arith.constant dense<5> : tensor<6x4x32xi4>
  %s = arith.constant dense<0.25> : tensor<6x4x1xf32>
  %z = arith.constant dense<8.0> : tensor<6x4x1xf32>
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<6x4x32xf32>
  %d = linalg.generic {indexing_maps = [#w3, #g3, #g3, #w3], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%w, %s, %z : tensor<6x4x32xi4>, tensor<6x4x1xf32>, tensor<6x4x1xf32>) outs(%e : tensor<6x4x32xf32>) {
  ^bb0(%q: i4, %scale: f32, %zp: f32, %o: f32):
    %0 = arith.extui %q : i4 to i32
    %1 = arith.uitofp %0 : i32 to f32
    %2 = arith.subf %1, %zp : f32
    %3 = arith.mulf %2, %scale : f32
    linalg.yield %3 : f32
  } -> tensor<6x4x32xf32>
  %f = linalg.fill ins(%zero : f32) outs(%init : tensor<1x?x6xf32>) -> tensor<1x?x6xf32>
  %y = linalg.generic {indexing_maps = [#lhs, #rhs, #out], iterator_types = ["parallel", "parallel", "parallel", "reduction", "reduction"]}
    ins(%x, %d : tensor<1x?x4x32xf32>, tensor<6x4x32xf32>) outs(%f : tensor<1x?x6xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %0 = arith.mulf %a, %b : f32
    %1 = arith.addf %c, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<1x?x6xf32>
  return %y : tensor<1x?x6xf32>
}

// -----

// Activations that are dequantized, too: the sums of a group are of integers.
// CHECK-LABEL: func.func @integers
// CHECK: quant.scaled_matmul ins(%{{.*}}, %{{.*}} : tensor<5x64xi8>, tensor<6x64xi8>)
// CHECK-SAME: lhs_zero_point(%{{.*}} : tensor<i32>) row_scale(%{{.*}} : tensor<f32>)
// CHECK-SAME: rhs_scale(%{{.*}} : tensor<6x4xf32>)
// CHECK-SAME: group_size = 16
func.func @integers(%q: tensor<5x4x16xi8>, %w: tensor<6x4x16xi8>, %sw: tensor<6x4xf32>, %init: tensor<5x6xf32>) -> tensor<5x6xf32> {
  %sx = arith.constant dense<0.5> : tensor<f32>
  %zx = arith.constant dense<3> : tensor<i32>
  %x = quant.dequantize %q scale(%sx : tensor<f32>) zero_point(%zx : tensor<i32>) axes = [] : tensor<5x4x16xi8> -> tensor<5x4x16xf32>
  %d = quant.dequantize %w scale(%sw : tensor<6x4xf32>) axes = [0, 1] : tensor<6x4x16xi8> -> tensor<6x4x16xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(m, n, g, k) -> (m, g, k)>, affine_map<(m, n, g, k) -> (n, g, k)>, affine_map<(m, n, g, k) -> (m, n)>],
    iterator_types = ["parallel", "parallel", "reduction", "reduction"]}
    ins(%x, %d : tensor<5x4x16xf32>, tensor<6x4x16xf32>) outs(%init : tensor<5x6xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %0 = arith.mulf %a, %b : f32
    %1 = arith.addf %c, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<5x6xf32>
  return %y : tensor<5x6xf32>
}

// -----

// Columns come last, as GPTQ and AWQ have them: the weight is turned.
// CHECK-LABEL: func.func @columns_last
// CHECK-DAG: %[[W:.*]] = linalg.transpose ins(%{{.*}} : tensor<4x16x6xi8>) outs({{.*}}) permutation = [2, 0, 1]
// CHECK-DAG: %[[S:.*]] = linalg.transpose ins(%{{.*}} : tensor<4x6xf32>) outs({{.*}}) permutation = [1, 0]
// CHECK: quant.scaled_matmul ins(%{{.*}}, %{{.*}} : tensor<5x64xf32>, tensor<6x64xi8>) rhs_scale(%[[S]] : tensor<6x4xf32>) {group_size = 16 : i64} -> tensor<5x6xf32>
func.func @columns_last(%x: tensor<5x4x16xf32>, %w: tensor<4x16x6xi8>, %sw: tensor<4x6xf32>, %init: tensor<5x6xf32>) -> tensor<5x6xf32> {
  %d = quant.dequantize %w scale(%sw : tensor<4x6xf32>) axes = [0, 2] : tensor<4x16x6xi8> -> tensor<4x16x6xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(m, n, g, k) -> (m, g, k)>, affine_map<(m, n, g, k) -> (g, k, n)>, affine_map<(m, n, g, k) -> (m, n)>],
    iterator_types = ["parallel", "parallel", "reduction", "reduction"]}
    ins(%x, %d : tensor<5x4x16xf32>, tensor<4x16x6xf32>) outs(%init : tensor<5x6xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %0 = arith.mulf %a, %b : f32
    %1 = arith.addf %c, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<5x6xf32>
  return %y : tensor<5x6xf32>
}

// -----

// A scale for each place: what has one is a group, whose elements are brought
// together.
// CHECK-LABEL: func.func @inner_scales
// CHECK-DAG: linalg.transpose ins(%{{.*}} : tensor<5x4x16xf32>) outs({{.*}}) permutation = [0, 2, 1]
// CHECK-DAG: linalg.transpose ins(%{{.*}} : tensor<6x4x16xi8>) outs({{.*}}) permutation = [0, 2, 1]
// CHECK: quant.scaled_matmul ins({{.*}} : tensor<5x64xf32>, tensor<6x64xi8>) rhs_scale({{.*}} : tensor<6x16xf32>) {group_size = 4 : i64} -> tensor<5x6xf32>
func.func @inner_scales(%x: tensor<5x4x16xf32>, %w: tensor<6x4x16xi8>, %sw: tensor<6x16xf32>, %init: tensor<5x6xf32>) -> tensor<5x6xf32> {
  %d = quant.dequantize %w scale(%sw : tensor<6x16xf32>) axes = [0, 2] : tensor<6x4x16xi8> -> tensor<6x4x16xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(m, n, g, k) -> (m, g, k)>, affine_map<(m, n, g, k) -> (n, g, k)>, affine_map<(m, n, g, k) -> (m, n)>],
    iterator_types = ["parallel", "parallel", "reduction", "reduction"]}
    ins(%x, %d : tensor<5x4x16xf32>, tensor<6x4x16xf32>) outs(%init : tensor<5x6xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %0 = arith.mulf %a, %b : f32
    %1 = arith.addf %c, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<5x6xf32>
  return %y : tensor<5x6xf32>
}

// -----

// Groups that are merged before the matmul, as torch's weight-only exports do.
// CHECK-LABEL: func.func @merged
// CHECK-SAME: %[[X:.*]]: tensor<?x64xf32>
// CHECK-DAG: %[[W:.*]] = arith.constant dense<3> : tensor<6x64xi4>
// CHECK-DAG: %[[S:.*]] = arith.constant dense<2.500000e-01> : tensor<6x4xf32>
// CHECK-DAG: %[[E:.*]] = tensor.expand_shape %[[X]]
// CHECK-DAG: %[[R:.*]] = tensor.collapse_shape %[[E]] {{.*}} : tensor<?x4x16xf32> into tensor<?x64xf32>
// CHECK: quant.scaled_matmul ins(%[[R]], %[[W]] : tensor<?x64xf32>, tensor<6x64xi4>)
// CHECK-SAME: rhs_scale(%[[S]] : tensor<6x4xf32>) rhs_zero_point(%{{.*}} : tensor<6x4xi32>)
// CHECK-SAME: {group_size = 16 : i64, quant.name = "layer"} -> tensor<?x6xf32>
func.func @merged(%x: tensor<?x64xf32>, %init: tensor<?x6xf32>) -> tensor<?x6xf32> {
  %w = arith.constant dense<3> : tensor<6x4x16xi4>
  %s = arith.constant dense<0.25> : tensor<6x4xf32>
  %z = arith.constant dense<-2> : tensor<6x4xi32>
  %d = quant.dequantize %w scale(%s : tensor<6x4xf32>) zero_point(%z : tensor<6x4xi32>) axes = [0, 1] : tensor<6x4x16xi4> -> tensor<6x4x16xf32>
  %c = tensor.collapse_shape %d [[0], [1, 2]] : tensor<6x4x16xf32> into tensor<6x64xf32>
  %e = tensor.empty() : tensor<64x6xf32>
  %t = linalg.transpose ins(%c : tensor<6x64xf32>) outs(%e : tensor<64x6xf32>) permutation = [1, 0]
  %y = linalg.matmul {quant.name = "layer"} ins(%x, %t : tensor<?x64xf32>, tensor<64x6xf32>) outs(%init : tensor<?x6xf32>) -> tensor<?x6xf32>
  return %y : tensor<?x6xf32>
}

// -----

// The same with columns last, shared by a batch, and with integer activations:
// these are split, too.
// CHECK-LABEL: func.func @merged_columns_last
// CHECK: quant.scaled_matmul ins(%{{.*}}, %{{.*}} : tensor<10x64xi8>, tensor<6x64xi8>)
// CHECK-SAME: row_scale(%{{.*}} : tensor<f32>) rhs_scale(%{{.*}} : tensor<6x4xf32>)
// CHECK-SAME: group_size = 16
func.func @merged_columns_last(%q: tensor<2x5x64xi8>, %w: tensor<4x16x6xi8>, %sw: tensor<4x6xf32>, %init: tensor<2x5x6xf32>) -> tensor<2x5x6xf32> {
  %sx = arith.constant dense<0.5> : tensor<f32>
  %x = quant.dequantize %q scale(%sx : tensor<f32>) axes = [] : tensor<2x5x64xi8> -> tensor<2x5x64xf32>
  %d = quant.dequantize %w scale(%sw : tensor<4x6xf32>) axes = [0, 2] : tensor<4x16x6xi8> -> tensor<4x16x6xf32>
  %c = tensor.collapse_shape %d [[0, 1], [2]] : tensor<4x16x6xf32> into tensor<64x6xf32>
  %e = tensor.empty() : tensor<2x64x6xf32>
  %b = linalg.broadcast ins(%c : tensor<64x6xf32>) outs(%e : tensor<2x64x6xf32>) dimensions = [0]
  %y = linalg.batch_matmul ins(%x, %b : tensor<2x5x64xf32>, tensor<2x64x6xf32>) outs(%init : tensor<2x5x6xf32>) -> tensor<2x5x6xf32>
  return %y : tensor<2x5x6xf32>
}

// -----

// What is merged is not contracted: the scale is one for each column.
// CHECK-LABEL: func.func @merged_columns
// CHECK-NOT: linalg.generic
// CHECK: linalg.matmul
func.func @merged_columns(%x: tensor<5x6xf32>, %w: tensor<6x4x16xi8>, %sw: tensor<4xf32>, %init: tensor<5x64xf32>) -> tensor<5x64xf32> {
  %d = quant.dequantize %w scale(%sw : tensor<4xf32>) axes = [1] : tensor<6x4x16xi8> -> tensor<6x4x16xf32>
  %c = tensor.collapse_shape %d [[0], [1, 2]] : tensor<6x4x16xf32> into tensor<6x64xf32>
  %y = linalg.matmul ins(%x, %c : tensor<5x6xf32>, tensor<6x64xf32>) outs(%init : tensor<5x64xf32>) -> tensor<5x64xf32>
  return %y : tensor<5x64xf32>
}

// -----

// A lookup that reads an element twice is no order of the weight's elements.
// CHECK-LABEL: func.func @read_twice
// CHECK-NOT: quant.scaled_matmul
// CHECK: linalg.matmul
func.func @read_twice(%x: tensor<3x4xf32>, %init: tensor<3x2xf32>) -> tensor<3x2xf32> {
  %q = arith.constant dense<[[[1, 2], [3, 4]], [[5, 6], [7, 8]]]> : tensor<2x2x2xi8>
  %s = arith.constant dense<[[0.5, 0.25], [2.0, 4.0]]> : tensor<2x2xf32>
  %at = arith.constant dense<[0, 0, 1, 3]> : tensor<4xi64>
  %d = quant.dequantize %q scale(%s : tensor<2x2xf32>) axes = [0, 1] : tensor<2x2x2xi8> -> tensor<2x2x2xf32>
  %c = tensor.collapse_shape %d [[0], [1, 2]] : tensor<2x2x2xf32> into tensor<2x4xf32>
  %e = tensor.empty() : tensor<2x4xf32>
  %g = linalg.generic {indexing_maps = [affine_map<(n, k) -> (k)>, affine_map<(n, k) -> (n, k)>], iterator_types = ["parallel", "parallel"]}
    ins(%at : tensor<4xi64>) outs(%e : tensor<2x4xf32>) {
  ^bb0(%i: i64, %o: f32):
    %n = linalg.index 0 : index
    %k = arith.index_cast %i : i64 to index
    %v = tensor.extract %c[%n, %k] : tensor<2x4xf32>
    linalg.yield %v : f32
  } -> tensor<2x4xf32>
  %et = tensor.empty() : tensor<4x2xf32>
  %t = linalg.transpose ins(%g : tensor<2x4xf32>) outs(%et : tensor<4x2xf32>) permutation = [1, 0]
  %y = linalg.matmul ins(%x, %t : tensor<3x4xf32>, tensor<4x2xf32>) outs(%init : tensor<3x2xf32>) -> tensor<3x2xf32>
  return %y : tensor<3x2xf32>
}
