// Static activations: the scales are those that the program gives.
// RUN: quant-opt %s -quant-quantize-matmul="activations=static" | FileCheck %s

!q = !quant.uniform<u8:f32, 5.000000e-01:128>
// CHECK-LABEL: @static
func.func @static(%x: tensor<2x8xf32>, %w: tensor<8x4xf32>) -> tensor<2x4xf32> {
  %zero = arith.constant dense<0.0> : tensor<2x4xf32>
  // CHECK-DAG: %[[S:.*]] = arith.constant dense<5.000000e-01> : tensor<f32>
  // CHECK-DAG: %[[Z:.*]] = arith.constant dense<128> : tensor<i32>
  // CHECK: %[[Q:.*]] = quant.quantize %arg0 scale({{.*}} : tensor<f32>) zero_point({{.*}} : tensor<i32>) axes = [] range = [0, 255] unsigned
  // CHECK-NOT: quant.choose_qparams %arg0
  // CHECK: quant.matmul ins(%[[Q]], {{.*}}) lhs_zero_point({{.*}} : tensor<i32>) {{.*}} {lhs_unsigned}
  // CHECK: quant.rescale {{.*}} row_scale({{.*}} : tensor<f32>) channel_scale({{.*}} : tensor<4xf32>)
  %q = quant.qcast %x : tensor<2x8xf32> to tensor<2x8x!q>
  %d = quant.dcast %q : tensor<2x8x!q> to tensor<2x8xf32>
  %y = linalg.matmul ins(%d, %w : tensor<2x8xf32>, tensor<8x4xf32>) outs(%zero : tensor<2x4xf32>) -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}
