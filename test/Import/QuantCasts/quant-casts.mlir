// Upstream's casts become quant.quantize and quant.dequantize.
// RUN: quant-opt %s -quant-import -split-input-file | FileCheck %s
// RUN: quant-opt %s -quant-import="matmuls=false" -split-input-file | FileCheck %s

!q = !quant.uniform<i8<-127:127>:f32, 5.000000e-01:3>
// CHECK-LABEL: @per_tensor
func.func @per_tensor(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  // CHECK: %[[S:.*]] = arith.constant dense<5.000000e-01> : tensor<f32>
  // CHECK: %[[Z:.*]] = arith.constant dense<3> : tensor<i32>
  // CHECK: %[[Q:.*]] = quant.quantize %arg0 scale(%[[S]] : tensor<f32>) zero_point(%[[Z]] : tensor<i32>) axes = [] range = [-127, 127] : tensor<?x8xf32> -> tensor<?x8xi8>
  // CHECK: quant.dequantize %[[Q]] scale({{.*}} : tensor<f32>) zero_point({{.*}} : tensor<i32>) axes = [] : tensor<?x8xi8> -> tensor<?x8xf32>
  %q = quant.qcast %x : tensor<?x8xf32> to tensor<?x8x!q>
  %d = quant.dcast %q : tensor<?x8x!q> to tensor<?x8xf32>
  return %d : tensor<?x8xf32>
}

// -----

!q = !quant.uniform<u4:f32:1, {5.000000e-01:8, 2.500000e-01:7}>
// CHECK-LABEL: @per_axis_unsigned
func.func @per_axis_unsigned(%w: tensor<8x2xi4>) -> tensor<8x2xf32> {
  // CHECK: %[[S:.*]] = arith.constant dense<[5.000000e-01, 2.500000e-01]> : tensor<2xf32>
  // CHECK: %[[Z:.*]] = arith.constant dense<[8, 7]> : tensor<2xi32>
  // CHECK: quant.dequantize %arg0 scale(%[[S]] : tensor<2xf32>) zero_point(%[[Z]] : tensor<2xi32>) axes = [1] unsigned : tensor<8x2xi4> -> tensor<8x2xf32>
  // CHECK-NOT: quant.scast
  %q = quant.scast %w : tensor<8x2xi4> to tensor<8x2x!q>
  %d = quant.dcast %q : tensor<8x2x!q> to tensor<8x2xf32>
  return %d : tensor<8x2xf32>
}

// -----

!q = !quant.uniform<i8:f16, 5.000000e-01>
// A quantized type in a signature stays; the cast reads its integers.
// CHECK-LABEL: @at_boundary
func.func @at_boundary(%q: tensor<8x!q>) -> (tensor<8xf16>, tensor<8xi8>) {
  // CHECK: %[[I:.*]] = quant.scast %arg0 {{.*}} to tensor<8xi8>
  // CHECK: quant.dequantize %[[I]] {{.*}} : tensor<8xi8> -> tensor<8xf16>
  %d = quant.dcast %q : tensor<8x!q> to tensor<8xf16>
  %i = quant.scast %q : tensor<8x!q> to tensor<8xi8>
  return %d, %i : tensor<8xf16>, tensor<8xi8>
}

// -----

!q = !quant.uniform<i8:f32, 5.000000e-01>
// Data movement between the casts moves the integers.
// CHECK-LABEL: @movement
func.func @movement(%x: tensor<2x3xf32>) -> tensor<6x1xf32> {
  // CHECK: %[[Q:.*]] = quant.quantize %arg0
  // CHECK: %[[T:.*]] = linalg.transpose ins(%[[Q]] : tensor<2x3xi8>) outs({{.*}} : tensor<3x2xi8>)
  // CHECK: %[[C:.*]] = tensor.collapse_shape %[[T]] {{.*}} : tensor<3x2xi8> into tensor<6xi8>
  // CHECK: %[[E:.*]] = tensor.expand_shape %[[C]] {{.*}} into tensor<6x1xi8>
  // CHECK: quant.dequantize %[[E]]
  // CHECK-NOT: quant.scast
  %q = quant.qcast %x : tensor<2x3xf32> to tensor<2x3x!q>
  %e = tensor.empty() : tensor<3x2x!q>
  %t = linalg.transpose ins(%q : tensor<2x3x!q>) outs(%e : tensor<3x2x!q>) permutation = [1, 0]
  %c = tensor.collapse_shape %t [[0, 1]] : tensor<3x2x!q> into tensor<6x!q>
  %s = tensor.expand_shape %c [[0, 1]] output_shape [6, 1] : tensor<6x!q> into tensor<6x1x!q>
  %d = quant.dcast %s : tensor<6x1x!q> to tensor<6x1xf32>
  return %d : tensor<6x1xf32>
}

// -----

!b = !quant.uniform<i32:f32:0, {5.000000e-01, 2.500000e-01}>
// A bias in 32 bits.
// CHECK-LABEL: @bias
func.func @bias(%b: tensor<2xi32>) -> tensor<2xf32> {
  // CHECK: quant.rescale %arg0 channel_scale({{.*}} : tensor<2xf32>) : tensor<2xi32> -> tensor<2xf32>
  %s = quant.scast %b : tensor<2xi32> to tensor<2x!b>
  %d = quant.dcast %s : tensor<2x!b> to tensor<2xf32>
  return %d : tensor<2xf32>
}
