// RUN: quant-opt --quant-import %s | FileCheck %s

// A float convolution between casts, padded: integers are padded with the zero
// point, and the rescale has the filter's scales.
// CHECK-LABEL: func.func @convolution
// CHECK-SAME: %[[Q:.*]]: tensor<1x6x6x4xi8>
// CHECK-DAG: %[[PAD:.*]] = arith.constant -5 : i8
// CHECK: tensor.pad %[[Q]]
// CHECK: tensor.yield %[[PAD]] : i8
// CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<1x6x6x3x3x4xi8>)
// CHECK: %[[ACC:.*]] = quant.matmul ins(%{{.*}} : tensor<36x36xi8>, tensor<{{36x8|8x36}}xi8>) lhs_zero_point
// CHECK: quant.rescale %[[ACC]] row_scale(%{{.*}} : tensor<f32>) channel_scale(%{{.*}} : tensor<8xf32>) bias(%{{.*}} : tensor<8xf32>)
// CHECK-NOT: linalg.conv
func.func @convolution(%q: tensor<1x6x6x4xi8>, %w: tensor<3x3x4x8xi8>, %sw: tensor<8xf32>, %b: tensor<8xf32>) -> tensor<1x6x6x8xf32> {
  %sx = arith.constant dense<0.5> : tensor<f32>
  %zx = arith.constant dense<-5> : tensor<i32>
  %zero = arith.constant 0.0 : f32
  %x = quant.dequantize %q scale(%sx : tensor<f32>) zero_point(%zx : tensor<i32>) axes = [] : tensor<1x6x6x4xi8> -> tensor<1x6x6x4xf32>
  %p = tensor.pad %x low[0, 1, 1, 0] high[0, 1, 1, 0] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %zero : f32
  } : tensor<1x6x6x4xf32> to tensor<1x8x8x4xf32>
  %f = quant.dequantize %w scale(%sw : tensor<8xf32>) axes = [3] : tensor<3x3x4x8xi8> -> tensor<3x3x4x8xf32>
  %e = tensor.empty() : tensor<1x6x6x8xf32>
  %bias = linalg.broadcast ins(%b : tensor<8xf32>) outs(%e : tensor<1x6x6x8xf32>) dimensions = [0, 1, 2]
  %y = linalg.conv_2d_nhwc_hwcf {strides = dense<1> : tensor<2xi64>, dilations = dense<1> : tensor<2xi64>}
    ins(%p, %f : tensor<1x8x8x4xf32>, tensor<3x3x4x8xf32>) outs(%bias : tensor<1x6x6x8xf32>) -> tensor<1x6x6x8xf32>
  return %y : tensor<1x6x6x8xf32>
}
