// Float contractions of dequantized tensors multiply the integers instead.
// RUN: quant-opt %s -quant-import -split-input-file | FileCheck %s
// RUN: quant-opt %s -quant-import="matmuls=false" -split-input-file | FileCheck %s --check-prefix=OFF

// OFF-NOT: quant.matmul
// OFF: linalg.matmul ins({{.*}} : tensor<4x8xf32>
!x = !quant.uniform<i8:f32, 5.000000e-01:3>
!w = !quant.uniform<i8<-127:127>:f32:1, {1.250000e-01, 2.500000e-01}>
// CHECK-LABEL: @per_axis_weight
func.func @per_axis_weight(%x: tensor<4x8xf32>, %w: tensor<8x2xi8>) -> tensor<4x2xf32> {
  %zero = arith.constant dense<0.0> : tensor<4x2xf32>
  // CHECK: %[[Q:.*]] = quant.quantize %arg0
  // CHECK: %[[ACC:.*]] = quant.matmul ins(%[[Q]], %arg1 : tensor<4x8xi8>, tensor<8x2xi8>) lhs_zero_point(%{{.*}} : tensor<i32>) outs({{.*}}) -> tensor<4x2xi32>
  // CHECK: quant.rescale %[[ACC]] row_scale(%{{.*}} : tensor<f32>) channel_scale(%{{.*}} : tensor<2xf32>)
  // CHECK-NOT: quant.dequantize
  %q = quant.qcast %x : tensor<4x8xf32> to tensor<4x8x!x>
  %d = quant.dcast %q : tensor<4x8x!x> to tensor<4x8xf32>
  %s = quant.scast %w : tensor<8x2xi8> to tensor<8x2x!w>
  %v = quant.dcast %s : tensor<8x2x!w> to tensor<8x2xf32>
  %y = linalg.matmul ins(%d, %v : tensor<4x8xf32>, tensor<8x2xf32>) outs(%zero : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %y : tensor<4x2xf32>
}

// -----

!x = !quant.uniform<u8:f32, 5.000000e-01>
!w = !quant.uniform<i4:f32:0, {1.250000e-01:1, 2.500000e-01:-2}>
// Reshaped activations, a transposed weight of 4 bits with zero points.
// CHECK-LABEL: @behind_reshape_and_transpose
func.func @behind_reshape_and_transpose(%x: tensor<2x2x8xf32>, %w: tensor<2x8xi4>) -> tensor<4x2xf32> {
  %zero = arith.constant dense<0.0> : tensor<4x2xf32>
  %e = tensor.empty() : tensor<8x2xf32>
  // CHECK: %[[Q:.*]] = quant.quantize %arg0 {{.*}} unsigned : tensor<2x2x8xf32> -> tensor<2x2x8xi8>
  // CHECK: %[[C:.*]] = tensor.collapse_shape %[[Q]] {{\[\[}}0, 1], [2]] : tensor<2x2x8xi8> into tensor<4x8xi8>
  // CHECK: quant.matmul ins(%[[C]], %arg1 : tensor<4x8xi8>, tensor<2x8xi4>) rhs_zero_point(%{{.*}} : tensor<2xi32>) {{.*}} {lhs_unsigned, transpose_rhs}
  %q = quant.qcast %x : tensor<2x2x8xf32> to tensor<2x2x8x!x>
  %d = quant.dcast %q : tensor<2x2x8x!x> to tensor<2x2x8xf32>
  %c = tensor.collapse_shape %d [[0, 1], [2]] : tensor<2x2x8xf32> into tensor<4x8xf32>
  %s = quant.scast %w : tensor<2x8xi4> to tensor<2x8x!w>
  %v = quant.dcast %s : tensor<2x8x!w> to tensor<2x8xf32>
  %t = linalg.transpose ins(%v : tensor<2x8xf32>) outs(%e : tensor<8x2xf32>) permutation = [1, 0]
  %y = linalg.matmul ins(%c, %t : tensor<4x8xf32>, tensor<8x2xf32>) outs(%zero : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %y : tensor<4x2xf32>
}

// -----

!a = !quant.uniform<i8:f32, 5.000000e-01>
// Two quantized activations with batch dimensions: scales are given, so that
// these can be integers too.
// CHECK-LABEL: @batched
func.func @batched(%q: tensor<2x3x8xi8>, %k: tensor<2x5x8xi8>) -> tensor<2x3x5xf32> {
  %zero = arith.constant dense<0.0> : tensor<2x3x5xf32>
  %e = tensor.empty() : tensor<2x8x5xf32>
  // CHECK: quant.matmul ins(%arg0, %arg1 : tensor<2x3x8xi8>, tensor<2x5x8xi8>) {{.*}} {transpose_rhs} -> tensor<2x3x5xi32>
  %qs = quant.scast %q : tensor<2x3x8xi8> to tensor<2x3x8x!a>
  %qd = quant.dcast %qs : tensor<2x3x8x!a> to tensor<2x3x8xf32>
  %ks = quant.scast %k : tensor<2x5x8xi8> to tensor<2x5x8x!a>
  %kd = quant.dcast %ks : tensor<2x5x8x!a> to tensor<2x5x8xf32>
  %t = linalg.transpose ins(%kd : tensor<2x5x8xf32>) outs(%e : tensor<2x8x5xf32>) permutation = [0, 2, 1]
  %y = linalg.batch_matmul ins(%qd, %t : tensor<2x3x8xf32>, tensor<2x8x5xf32>) outs(%zero : tensor<2x3x5xf32>) -> tensor<2x3x5xf32>
  return %y : tensor<2x3x5xf32>
}

// -----

// Experts, each with scales and zero points for its own columns.
// CHECK-LABEL: @columns_of_each_batch
// CHECK: %[[ACC:.*]] = quant.matmul ins(%arg0, %arg1 : tensor<2x3x8xi8>, tensor<2x8x5xi8>) rhs_zero_point(%{{.*}} : tensor<2x5xi32>) outs({{.*}} : tensor<2x3x5xi32>)
// CHECK: linalg.generic {{.*}} ins(%[[ACC]], %{{.*}}, %{{.*}} : tensor<2x3x5xi32>, tensor<f32>, tensor<2x5xf32>)
// CHECK: %[[S:.*]] = arith.mulf
// CHECK: %[[F:.*]] = arith.sitofp
// CHECK: arith.mulf %[[F]], %[[S]]
func.func @columns_of_each_batch(%x: tensor<2x3x8xi8>, %w: tensor<2x8x5xi8>, %s: tensor<2x5xf32>, %z: tensor<2x5xi32>) -> tensor<2x3x5xf32> {
  %sx = arith.constant dense<0.5> : tensor<f32>
  %c0 = arith.constant 0.0 : f32
  %xf = quant.dequantize %x scale(%sx : tensor<f32>) axes = [] : tensor<2x3x8xi8> -> tensor<2x3x8xf32>
  %wf = quant.dequantize %w scale(%s : tensor<2x5xf32>) zero_point(%z : tensor<2x5xi32>) axes = [0, 2] : tensor<2x8x5xi8> -> tensor<2x8x5xf32>
  %e = tensor.empty() : tensor<2x3x5xf32>
  %f = linalg.fill ins(%c0 : f32) outs(%e : tensor<2x3x5xf32>) -> tensor<2x3x5xf32>
  %y = linalg.batch_matmul ins(%xf, %wf : tensor<2x3x8xf32>, tensor<2x8x5xf32>) outs(%f : tensor<2x3x5xf32>) -> tensor<2x3x5xf32>
  return %y : tensor<2x3x5xf32>
}
