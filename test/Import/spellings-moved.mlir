// RUN: quant-opt %s --quant-import=weight-only --canonicalize --split-input-file 2>&1 | FileCheck %s

// What stands between a dequantize and its product, and loops of one step.


// Stored rows are turned and merged: the integers are.
// CHECK-LABEL: func.func @turned_then_merged(
// CHECK-SAME: %[[Q:.*]]: tensor<3x4x16xi8>
// CHECK: %[[T:.*]] = linalg.generic {{.*}} ins(%[[Q]] : tensor<3x4x16xi8>) outs({{.*}} : tensor<4x3x16xi8>)
// CHECK: %[[C:.*]] = tensor.collapse_shape %[[T]] {{.*}} : tensor<4x3x16xi8> into tensor<12x16xi8>
// CHECK: quant.scaled_matmul ins(%[[C]], %{{.*}} : tensor<12x16xi8>, tensor<5x16xi8>)
func.func @turned_then_merged(%q: tensor<3x4x16xi8>, %w: tensor<5x16xi8>) -> tensor<12x5xf32> {
  %s = arith.constant dense<0.5> : tensor<f32>
  %ws = arith.constant dense<0.25> : tensor<5x4xf32>
  %x = quant.dequantize %q scale(%s : tensor<f32>) axes = [] : tensor<3x4x16xi8> -> tensor<3x4x16xf32>
  %e = tensor.empty() : tensor<4x3x16xf32>
  %t = linalg.generic {indexing_maps = [affine_map<(a, b, c) -> (b, a, c)>, affine_map<(a, b, c) -> (a, b, c)>], iterator_types = ["parallel", "parallel", "parallel"]} ins(%x : tensor<3x4x16xf32>) outs(%e : tensor<4x3x16xf32>) {
  ^bb0(%a: f32, %b: f32):
    linalg.yield %a : f32
  } -> tensor<4x3x16xf32>
  %c = tensor.collapse_shape %t [[0, 1], [2]] : tensor<4x3x16xf32> into tensor<12x16xf32>
  %g = tensor.expand_shape %w [[0], [1, 2]] output_shape [5, 4, 4] : tensor<5x16xi8> into tensor<5x4x4xi8>
  %d = quant.dequantize %g scale(%ws : tensor<5x4xf32>) axes = [0, 1] : tensor<5x4x4xi8> -> tensor<5x4x4xf32>
  %m = tensor.collapse_shape %d [[0], [1, 2]] : tensor<5x4x4xf32> into tensor<5x16xf32>
  %zero = arith.constant 0.0 : f32
  %o = tensor.empty() : tensor<12x5xf32>
  %init = linalg.fill ins(%zero : f32) outs(%o : tensor<12x5xf32>) -> tensor<12x5xf32>
  %y = linalg.matmul indexing_maps = [affine_map<(a, b, c) -> (a, c)>, affine_map<(a, b, c) -> (b, c)>, affine_map<(a, b, c) -> (a, b)>] ins(%c, %m : tensor<12x16xf32>, tensor<5x16xf32>) outs(%init : tensor<12x5xf32>) -> tensor<12x5xf32>
  return %y : tensor<12x5xf32>
}

// -----

// A scale for each place of a merged row is repeated for the other rows.
// CHECK-LABEL: func.func @scale_of_merged_rows(
// CHECK: %[[S:.*]] = linalg.broadcast ins(%{{.*}} : tensor<5xf32>) outs({{.*}} : tensor<2x5xf32>) dimensions = [0]
// CHECK: %[[R:.*]] = tensor.collapse_shape %[[S]] {{.*}} into tensor<10xf32>
// CHECK: quant.matmul ins({{.*}} : tensor<10x8xi8>, tensor<8x3xi8>)
// CHECK: quant.rescale {{.*}} row_scale(%[[R]] : tensor<10xf32>)
func.func @scale_of_merged_rows(%x: tensor<2x5x8xf32>) -> tensor<10x3xf32> {
  %s = arith.constant dense<[0.5, 0.25, 0.125, 1.0, 2.0]> : tensor<5xf32>
  %ws = arith.constant dense<0.25> : tensor<f32>
  %w = arith.constant dense<3> : tensor<8x3xi8>
  %q = quant.quantize %x scale(%s : tensor<5xf32>) axes = [1] range = [-128, 127] : tensor<2x5x8xf32> -> tensor<2x5x8xi8>
  %d = quant.dequantize %q scale(%s : tensor<5xf32>) axes = [1] : tensor<2x5x8xi8> -> tensor<2x5x8xf32>
  %c = tensor.collapse_shape %d [[0, 1], [2]] : tensor<2x5x8xf32> into tensor<10x8xf32>
  %dw = quant.dequantize %w scale(%ws : tensor<f32>) axes = [] : tensor<8x3xi8> -> tensor<8x3xf32>
  %zero = arith.constant 0.0 : f32
  %o = tensor.empty() : tensor<10x3xf32>
  %init = linalg.fill ins(%zero : f32) outs(%o : tensor<10x3xf32>) -> tensor<10x3xf32>
  %y = linalg.matmul ins(%c, %dw : tensor<10x8xf32>, tensor<8x3xf32>) outs(%init : tensor<10x3xf32>) -> tensor<10x3xf32>
  return %y : tensor<10x3xf32>
}

// -----

// K = 1: the stored weight is a vector.
// CHECK-LABEL: func.func @one_product(
// CHECK: quant.matmul ins(%{{.*}}, %{{.*}} : tensor<3x1xi8>, tensor<8x1xi8>) {{.*}} {transpose_rhs}
func.func @one_product(%q: tensor<3x1xi8>) -> tensor<3x8xi32> {
  %x = arith.extsi %q : tensor<3x1xi8> to tensor<3x1xi32>
  %w8 = arith.constant dense<[4, 1, 3, 4, 1, 7, -3, -3]> : tensor<8xi8>
  %w = arith.extsi %w8 : tensor<8xi8> to tensor<8xi32>
  %column = tensor.expand_shape %w [[0, 1]] output_shape [1, 8] : tensor<8xi32> into tensor<1x8xi32>
  %zero = arith.constant 0 : i32
  %o = tensor.empty() : tensor<3x8xi32>
  %init = linalg.fill ins(%zero : i32) outs(%o : tensor<3x8xi32>) -> tensor<3x8xi32>
  %y = linalg.matmul ins(%x, %column : tensor<3x1xi32>, tensor<1x8xi32>) outs(%init : tensor<3x8xi32>) -> tensor<3x8xi32>
  return %y : tensor<3x8xi32>
}

// -----

// One column alone: its parameters are those of groups, since it is summed.
// CHECK-LABEL: func.func @one_column(
// CHECK-DAG: %[[S:.*]] = arith.constant dense<{{\[\[}}5.000000e-01, 2.500000e-01]]> : tensor<1x2xf32>
// CHECK: quant.scaled_matmul ins(%{{.*}}, %{{.*}} : tensor<2x4xf32>, tensor<1x4xi8>) rhs_scale(%[[S]] : tensor<1x2xf32>) {group_size = 2 : i64}
func.func @one_column(%x: tensor<2x4xf32>) -> tensor<2x1xf32> {
  %w = arith.constant dense<[[1], [-2], [3], [4]]> : tensor<4x1xi8>
  %s = arith.constant dense<[0.5, 0.5, 0.25, 0.25]> : tensor<4xf32>
  %d = quant.dequantize %w scale(%s : tensor<4xf32>) axes = [0] : tensor<4x1xi8> -> tensor<4x1xf32>
  %zero = arith.constant 0.0 : f32
  %o = tensor.empty() : tensor<2x1xf32>
  %init = linalg.fill ins(%zero : f32) outs(%o : tensor<2x1xf32>) -> tensor<2x1xf32>
  %y = linalg.matmul ins(%x, %d : tensor<2x4xf32>, tensor<4x1xf32>) outs(%init : tensor<2x1xf32>) -> tensor<2x1xf32>
  return %y : tensor<2x1xf32>
}

// -----

// A weight that is given flat is reshaped, not computed.
// CHECK-LABEL: func.func @flat_argument(
// CHECK-SAME: %[[W:[^:]*]]: tensor<40xi8>
// CHECK: %[[E:.*]] = tensor.expand_shape %[[W]] {{.*}} : tensor<40xi8> into tensor<5x8xi8>
// CHECK: quant.scaled_matmul ins(%{{.*}}, %[[E]] : tensor<2x8xf32>, tensor<5x8xi8>)
func.func @flat_argument(%w: tensor<40xi8>, %x: tensor<2x8xf32>) -> tensor<2x5xf32> {
  %s = arith.constant dense<[0.5, 0.25, 0.125, 1.0, 2.0]> : tensor<5xf32>
  %e = tensor.empty() : tensor<40xf32>
  %d = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i floordiv 8)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]} ins(%w, %s : tensor<40xi8>, tensor<5xf32>) outs(%e : tensor<40xf32>) {
  ^bb0(%a: i8, %b: f32, %c: f32):
    %f = arith.sitofp %a : i8 to f32
    %m = arith.mulf %f, %b : f32
    linalg.yield %m : f32
  } -> tensor<40xf32>
  %r = tensor.expand_shape %d [[0, 1]] output_shape [5, 8] : tensor<40xf32> into tensor<5x8xf32>
  %zero = arith.constant 0.0 : f32
  %o = tensor.empty() : tensor<2x5xf32>
  %init = linalg.fill ins(%zero : f32) outs(%o : tensor<2x5xf32>) -> tensor<2x5xf32>
  %y = linalg.matmul indexing_maps = [affine_map<(a, b, c) -> (a, c)>, affine_map<(a, b, c) -> (b, c)>, affine_map<(a, b, c) -> (a, b)>] ins(%x, %r : tensor<2x8xf32>, tensor<5x8xf32>) outs(%init : tensor<2x5xf32>) -> tensor<2x5xf32>
  return %y : tensor<2x5xf32>
}

// -----

// Integers that are converted on whole tensors stay integers.
// CHECK-LABEL: func.func @converted_whole(
// CHECK: quant.scaled_matmul ins(%{{.*}}, %{{.*}} : tensor<2x2xf32>, tensor<3x2xi8>)
func.func @converted_whole(%x: tensor<2x2xf32>) -> tensor<2x3xf32> {
  %q = arith.constant dense<[[1, 2, 3], [-4, 5, -6]]> : tensor<2x3xi8>
  %s = arith.constant dense<0.5> : tensor<2x3xf32>
  %f = arith.sitofp %q : tensor<2x3xi8> to tensor<2x3xf32>
  %w = arith.mulf %f, %s : tensor<2x3xf32>
  %zero = arith.constant 0.0 : f32
  %o = tensor.empty() : tensor<2x3xf32>
  %init = linalg.fill ins(%zero : f32) outs(%o : tensor<2x3xf32>) -> tensor<2x3xf32>
  %y = linalg.matmul ins(%x, %w : tensor<2x2xf32>, tensor<2x3xf32>) outs(%init : tensor<2x3xf32>) -> tensor<2x3xf32>
  return %y : tensor<2x3xf32>
}

// -----

// A product of K = 1 in a body: loops say which factors are multiplied.
// CHECK-LABEL: func.func @one_product_in_a_body(
// CHECK: quant.matmul ins(%{{.*}}, %{{.*}} : tensor<3x1xi8>, tensor<1x5xi8>)
// CHECK: quant.rescale {{.*}} row_scale(%{{.*}} : tensor<3xf32>) channel_scale(%{{.*}} : tensor<5xf32>)
func.func @one_product_in_a_body(%x: tensor<3x1xi8>, %w: tensor<1x5xi8>, %sx: tensor<3xf32>, %sw: tensor<5xf32>) -> tensor<3x5xf32> {
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<3x5xf32>
  %i = linalg.fill ins(%z : f32) outs(%e : tensor<3x5xf32>) -> tensor<3x5xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m)>, affine_map<(m, n, k) -> (n)>, affine_map<(m, n, k) -> (m, n)>], iterator_types = ["parallel", "parallel", "reduction"]} ins(%x, %w, %sx, %sw : tensor<3x1xi8>, tensor<1x5xi8>, tensor<3xf32>, tensor<5xf32>) outs(%i : tensor<3x5xf32>) {
  ^bb0(%a: i8, %b: i8, %sa: f32, %sb: f32, %o: f32):
    %fa = arith.sitofp %a : i8 to f32
    %fb = arith.sitofp %b : i8 to f32
    %p = arith.mulf %fa, %sa : f32
    %q = arith.mulf %fb, %sb : f32
    %pq = arith.mulf %p, %q : f32
    %r = arith.addf %o, %pq : f32
    linalg.yield %r : f32
  } -> tensor<3x5xf32>
  return %y : tensor<3x5xf32>
}

// -----

// A scale of the run time, repeated by an op of its own.
// CHECK-LABEL: func.func @repeated_scale(
// CHECK: quant.scaled_matmul ins(%{{.*}}, %{{.*}} : tensor<3x8xf32>, tensor<5x8xi8>)
func.func @repeated_scale(%x: tensor<3x8xf32>, %w: tensor<8x5xi8>, %s: tensor<5xf32>) -> tensor<3x5xf32> {
  %f = arith.sitofp %w : tensor<8x5xi8> to tensor<8x5xf32>
  %e = tensor.empty() : tensor<8x5xf32>
  %b = linalg.broadcast ins(%s : tensor<5xf32>) outs(%e : tensor<8x5xf32>) dimensions = [0]
  %d = arith.mulf %f, %b : tensor<8x5xf32>
  %zero = arith.constant 0.0 : f32
  %o = tensor.empty() : tensor<3x5xf32>
  %init = linalg.fill ins(%zero : f32) outs(%o : tensor<3x5xf32>) -> tensor<3x5xf32>
  %y = linalg.matmul ins(%x, %d : tensor<3x8xf32>, tensor<8x5xf32>) outs(%init : tensor<3x5xf32>) -> tensor<3x5xf32>
  return %y : tensor<3x5xf32>
}

// -----

// One element of a row that has its scale: nothing to merge.
// CHECK-LABEL: func.func @one_element(
// CHECK: tensor.collapse_shape %{{.*}} [] : tensor<1x1xf32> into tensor<f32>
func.func @one_element(%x: tensor<1x1xf32>) -> tensor<f32> {
  %s = arith.constant dense<0.5> : tensor<1xf32>
  %q = quant.quantize %x scale(%s : tensor<1xf32>) axes = [0] range = [-128, 127] : tensor<1x1xf32> -> tensor<1x1xi8>
  %d = quant.dequantize %q scale(%s : tensor<1xf32>) axes = [0] : tensor<1x1xi8> -> tensor<1x1xf32>
  %c = tensor.collapse_shape %d [] : tensor<1x1xf32> into tensor<f32>
  return %c : tensor<f32>
}

// -----

// K = 0 has no group.
// CHECK-LABEL: func.func @no_product(
// CHECK: linalg.matmul {quant.left = "the contracted dimension is empty"}
func.func @no_product(%x: tensor<3x0xf32>) -> tensor<3x5xf32> {
  %w = arith.constant dense<> : tensor<0x5xi8>
  %s = arith.constant dense<0.5> : tensor<f32>
  %d = quant.dequantize %w scale(%s : tensor<f32>) axes = [] : tensor<0x5xi8> -> tensor<0x5xf32>
  %zero = arith.constant 0.0 : f32
  %o = tensor.empty() : tensor<3x5xf32>
  %init = linalg.fill ins(%zero : f32) outs(%o : tensor<3x5xf32>) -> tensor<3x5xf32>
  %y = linalg.matmul ins(%x, %d : tensor<3x0xf32>, tensor<0x5xf32>) outs(%init : tensor<3x5xf32>) -> tensor<3x5xf32>
  return %y : tensor<3x5xf32>
}
