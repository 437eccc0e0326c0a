// RUN: quant-opt --split-input-file --verify-diagnostics \
// RUN:   --quant-convolution-to-matmul %s | FileCheck %s

// CHECK-LABEL: func.func @depthwise
// CHECK: linalg.depthwise_conv_2d_nchw_chw
func.func @depthwise(%x: tensor<1x8x6x6xf32>, %w: tensor<8x3x3xf32>, %i: tensor<1x8x4x4xf32>) -> tensor<1x8x4x4xf32> {
  // expected-remark @+1 {{convolution stays in float: each group of channels has a filter of its own (depthwise or grouped)}}
  %0 = linalg.depthwise_conv_2d_nchw_chw {dilations = dense<1> : vector<2xi64>, strides = dense<1> : vector<2xi64>}
    ins(%x, %w : tensor<1x8x6x6xf32>, tensor<8x3x3xf32>) outs(%i : tensor<1x8x4x4xf32>) -> tensor<1x8x4x4xf32>
  return %0 : tensor<1x8x4x4xf32>
}

// -----

func.func @depthwise_q(%x: tensor<1x6x6x8xi8>, %w: tensor<3x3x8xi8>, %i: tensor<1x4x4x8xi32>, %z: i32) -> tensor<1x4x4x8xi32> {
  // expected-remark @+1 {{quantized convolution is not imported: each group of channels has a filter of its own (depthwise or grouped)}}
  %0 = linalg.depthwise_conv_2d_nhwc_hwc_q {dilations = dense<1> : vector<2xi64>, strides = dense<1> : vector<2xi64>}
    ins(%x, %w, %z, %z : tensor<1x6x6x8xi8>, tensor<3x3x8xi8>, i32, i32) outs(%i : tensor<1x4x4x8xi32>) -> tensor<1x4x4x8xi32>
  return %0 : tensor<1x4x4x8xi32>
}

// -----

func.func @grouped(%x: tensor<1x2x4x6x6xf32>, %w: tensor<2x3x4x3x3xf32>, %i: tensor<1x2x3x4x4xf32>) -> tensor<1x2x3x4x4xf32> {
  // expected-remark @+1 {{each group of channels has a filter of its own}}
  %0 = linalg.conv_2d_ngchw_gfchw {dilations = dense<1> : vector<2xi64>, strides = dense<1> : vector<2xi64>}
    ins(%x, %w : tensor<1x2x4x6x6xf32>, tensor<2x3x4x3x3xf32>) outs(%i : tensor<1x2x3x4x4xf32>) -> tensor<1x2x3x4x4xf32>
  return %0 : tensor<1x2x3x4x4xf32>
}

// -----

func.func @buffers(%x: memref<1x3x9x9xf32>, %w: memref<8x3x3x3xf32>, %i: memref<1x8x7x7xf32>) {
  // expected-remark @+1 {{convolution stays in float: it works on buffers, not on tensors}}
  linalg.conv_2d_nchw_fchw {dilations = dense<1> : vector<2xi64>, strides = dense<1> : vector<2xi64>}
    ins(%x, %w : memref<1x3x9x9xf32>, memref<8x3x3x3xf32>) outs(%i : memref<1x8x7x7xf32>)
  return
}

// -----

// Pooling sums no products up: no remark.
// CHECK-LABEL: func.func @pooling
// CHECK: linalg.pooling_nchw_sum
func.func @pooling(%x: tensor<1x8x6x6xf32>, %w: tensor<2x2xf32>, %i: tensor<1x8x5x5xf32>) -> tensor<1x8x5x5xf32> {
  %0 = linalg.pooling_nchw_sum {dilations = dense<1> : vector<2xi64>, strides = dense<1> : vector<2xi64>}
    ins(%x, %w : tensor<1x8x6x6xf32>, tensor<2x2xf32>) outs(%i : tensor<1x8x5x5xf32>) -> tensor<1x8x5x5xf32>
  return %0 : tensor<1x8x5x5xf32>
}

// -----

func.func @one_by_one(%x: tensor<6xf32>, %w: tensor<1xf32>, %i: tensor<6xf32>) -> tensor<6xf32> {
  // expected-remark @+1 {{convolution stays in float: it sums nothing up: one channel, one point a window}}
  %0 = linalg.conv_1d ins(%x, %w : tensor<6xf32>, tensor<1xf32>) outs(%i : tensor<6xf32>) -> tensor<6xf32>
  return %0 : tensor<6xf32>
}
