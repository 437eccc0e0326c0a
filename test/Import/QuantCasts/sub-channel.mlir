// Upstream's sub-channel types: a scale for each block.
// RUN: quant-opt %s --quant-import=weight-only=true --canonicalize --split-input-file | FileCheck %s

// A weight in groups of 2 along the contracted dimension.
!w = !quant.uniform<i8:f32:{0:1, 1:2}, {{1.0, 2.0}, {3.0:5, 4.0:-5}}>
// CHECK-LABEL: @groups
// CHECK-DAG: %[[S:.*]] = arith.constant dense<{{\[\[}}1.000000e+00, 2.000000e+00], [3.000000e+00, 4.000000e+00]]> : tensor<2x2xf32>
// CHECK-DAG: %[[Z:.*]] = arith.constant dense<{{\[\[}}0, 0], [5, -5]]> : tensor<2x2xi32>
// CHECK-DAG: %[[W:.*]] = arith.constant dense<{{\[\[}}1, 2, 3, 4], [5, 6, 7, 8]]> : tensor<2x4xi8>
// CHECK: quant.scaled_matmul ins(%arg0, %[[W]] : tensor<3x4xf32>, tensor<2x4xi8>) rhs_scale(%[[S]] : tensor<2x2xf32>) rhs_zero_point(%[[Z]] : tensor<2x2xi32>) {group_size = 2 : i64}
func.func @groups(%x: tensor<3x4xf32>) -> tensor<3x2xf32> {
  %q = arith.constant dense<[[1, 2, 3, 4], [5, 6, 7, 8]]> : tensor<2x4xi8>
  %s = quant.scast %q : tensor<2x4xi8> to tensor<2x4x!w>
  %w = quant.dcast %s : tensor<2x4x!w> to tensor<2x4xf32>
  %zero = arith.constant dense<0.0> : tensor<3x2xf32>
  %e = tensor.empty() : tensor<4x2xf32>
  %t = linalg.transpose ins(%w : tensor<2x4xf32>) outs(%e : tensor<4x2xf32>) permutation = [1, 0]
  %y = linalg.matmul ins(%x, %t : tensor<3x4xf32>, tensor<4x2xf32>) outs(%zero : tensor<3x2xf32>) -> tensor<3x2xf32>
  return %y : tensor<3x2xf32>
}

// -----

// Blocks of 2 x 2: the scales of two rows are the same, those of the last
// dimension with blocks stay theirs.
!w = !quant.uniform<i8:f32:{0:2, 1:2}, {{1.0, 2.0}, {3.0, 4.0}}>
// CHECK-LABEL: @two_dimensions
// CHECK-DAG: %[[S:.*]] = arith.constant dense<{{\[\[}}1.000000e+00, 2.000000e+00], [1.000000e+00, 2.000000e+00], [3.000000e+00, 4.000000e+00], [3.000000e+00, 4.000000e+00]]> : tensor<4x2xf32>
// CHECK: %[[E:.*]] = tensor.expand_shape %arg0 {{\[\[}}0], [1, 2]] output_shape [4, 2, 2] : tensor<4x4xi8> into tensor<4x2x2xi8>
// CHECK: %[[D:.*]] = quant.dequantize %[[E]] scale(%[[S]] : tensor<4x2xf32>) axes = [0, 1] : tensor<4x2x2xi8> -> tensor<4x2x2xf32>
// CHECK: tensor.collapse_shape %[[D]]
func.func @two_dimensions(%q: tensor<4x4xi8>) -> tensor<4x4xf32> {
  %s = quant.scast %q : tensor<4x4xi8> to tensor<4x4x!w>
  %w = quant.dcast %s : tensor<4x4x!w> to tensor<4x4xf32>
  return %w : tensor<4x4xf32>
}

// -----

// A block along all of a dimension is no axis; one of a single element is.
!q = !quant.uniform<u4:f32:{0:1, 1:4}, {{1.0:3}, {2.0:3}}>
// CHECK-LABEL: @no_split
// CHECK-DAG: %[[S:.*]] = arith.constant dense<[1.000000e+00, 2.000000e+00]> : tensor<2xf32>
// CHECK-DAG: %[[Z:.*]] = arith.constant dense<3> : tensor<2xi32>
// CHECK: quant.quantize %arg0 scale(%[[S]] : tensor<2xf32>) zero_point(%[[Z]] : tensor<2xi32>) axes = [0] range = [0, 15] unsigned : tensor<2x4xf32> -> tensor<2x4xi4>
func.func @no_split(%x: tensor<2x4xf32>) -> tensor<2x4xi4> {
  %q = quant.qcast %x : tensor<2x4xf32> to tensor<2x4x!q>
  %s = quant.scast %q : tensor<2x4x!q> to tensor<2x4xi4>
  return %s : tensor<2x4xi4>
}
