// RUN: quant-opt --split-input-file --quant-convolution-to-matmul %s \
// RUN:   | FileCheck %s
// RUN: quant-opt --split-input-file --quant-convolution-to-matmul=floats=false %s \
// RUN:   | FileCheck %s --check-prefix=INTS

// Windows are copied to rows, in the order in which the filter has them.
// CHECK-DAG: #[[$FROM:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d3, d1 * 2 + d4, d2 * 2 + d5)>
// CHECK-DAG: #[[$ROWS:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d2, d3, d4, d5, d6)>
// CHECK-DAG: #[[$FILTER:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d1, d4, d5, d6)>
// CHECK-LABEL: func.func @strided
// CHECK: linalg.generic {indexing_maps = [#[[$FROM]], #{{.*}}]
// CHECK-SAME: ins(%{{.*}} : tensor<1x3x9x10xf32>) outs(%{{.*}} : tensor<1x4x4x3x3x3xf32>)
// CHECK-NEXT: ^bb0(%[[IN:.*]]: f32, %{{.*}}: f32):
// CHECK-NEXT: linalg.yield %[[IN]] : f32
// CHECK: linalg.generic {indexing_maps = [#[[$ROWS]], #[[$FILTER]], #{{.*}}]
// CHECK: arith.mulf
// CHECK: arith.addf
// CHECK-NOT: conv
// INTS-LABEL: func.func @strided
// INTS: linalg.conv_2d_nchw_fchw
func.func @strided(%x: tensor<1x3x9x10xf32>, %w: tensor<8x3x3x3xf32>, %i: tensor<1x8x4x4xf32>) -> tensor<1x8x4x4xf32> {
  %0 = linalg.conv_2d_nchw_fchw {dilations = dense<1> : vector<2xi64>, strides = dense<2> : vector<2xi64>}
    ins(%x, %w : tensor<1x3x9x10xf32>, tensor<8x3x3x3xf32>) outs(%i : tensor<1x8x4x4xf32>) -> tensor<1x8x4x4xf32>
  return %0 : tensor<1x8x4x4xf32>
}

// -----

// A window of one point: the input is walked where it is.
// CHECK-DAG: #[[$IN:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d4, d2, d3)>
// CHECK-DAG: #[[$FILTER:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d1, d4, 0, 0)>
// CHECK-LABEL: func.func @point
// CHECK-SAME: %[[X:.*]]: tensor<?x3x9x10xf32>
// CHECK-NOT: tensor.empty
// CHECK: linalg.generic {indexing_maps = [#[[$IN]], #[[$FILTER]], #{{.*}}]
// CHECK-SAME: ins(%[[X]],
func.func @point(%x: tensor<?x3x9x10xf32>, %w: tensor<8x3x1x1xf32>, %i: tensor<?x8x9x10xf32>) -> tensor<?x8x9x10xf32> {
  %0 = linalg.conv_2d_nchw_fchw {dilations = dense<1> : vector<2xi64>, strides = dense<1> : vector<2xi64>}
    ins(%x, %w : tensor<?x3x9x10xf32>, tensor<8x3x1x1xf32>) outs(%i : tensor<?x8x9x10xf32>) -> tensor<?x8x9x10xf32>
  return %0 : tensor<?x8x9x10xf32>
}

// -----

// A stride leaves points out, so that they are copied.
// CHECK-LABEL: func.func @strided_point
// CHECK: tensor.empty() : tensor<1x5x5x3xf32>
func.func @strided_point(%x: tensor<1x3x9x10xf32>, %w: tensor<8x3x1x1xf32>, %i: tensor<1x8x5x5xf32>) -> tensor<1x8x5x5xf32> {
  %0 = linalg.conv_2d_nchw_fchw {dilations = dense<1> : vector<2xi64>, strides = dense<2> : vector<2xi64>}
    ins(%x, %w : tensor<1x3x9x10xf32>, tensor<8x3x1x1xf32>) outs(%i : tensor<1x8x5x5xf32>) -> tensor<1x8x5x5xf32>
  return %0 : tensor<1x8x5x5xf32>
}

// -----

// Channels last, dilated, dynamic image.
// CHECK: affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1 + d3 * 2, d2 + d4 * 2, d5)>
// CHECK-LABEL: func.func @channels_last
// CHECK: tensor.empty(%{{.*}}, %{{.*}}) : tensor<2x?x?x3x3x4xf32>
func.func @channels_last(%x: tensor<2x?x?x4xf32>, %w: tensor<3x3x4x8xf32>, %i: tensor<2x?x?x8xf32>) -> tensor<2x?x?x8xf32> {
  %0 = linalg.conv_2d_nhwc_hwcf {dilations = dense<2> : vector<2xi64>, strides = dense<1> : vector<2xi64>}
    ins(%x, %w : tensor<2x?x?x4xf32>, tensor<3x3x4x8xf32>) outs(%i : tensor<2x?x?x8xf32>) -> tensor<2x?x?x8xf32>
  return %0 : tensor<2x?x?x8xf32>
}

// -----

// Stored integers keep their zero points, and are rewritten in any case.
// CHECK-LABEL: func.func @quantized
// CHECK: linalg.generic
// CHECK: arith.subi
// CHECK: arith.muli
// INTS-LABEL: func.func @quantized
// INTS-NOT: = linalg.conv
// INTS: return
func.func @quantized(%x: tensor<1x6x6x4xi8>, %w: tensor<8x3x3x4xi8>, %i: tensor<1x4x4x8xi32>, %zx: i32, %zw: i32) -> tensor<1x4x4x8xi32> {
  %0 = linalg.conv_2d_nhwc_fhwc_q {dilations = dense<1> : vector<2xi64>, strides = dense<1> : vector<2xi64>}
    ins(%x, %w, %zx, %zw : tensor<1x6x6x4xi8>, tensor<8x3x3x4xi8>, i32, i32) outs(%i : tensor<1x4x4x8xi32>) -> tensor<1x4x4x8xi32>
  return %0 : tensor<1x4x4x8xi32>
}

// -----

// One dimension, three dimensions: read off the maps alike.
// CHECK-LABEL: func.func @line
// CHECK: tensor<1x8x3x4xf32>
// CHECK-NOT: = linalg.conv
// CHECK-LABEL: func.func @volume
// CHECK-NOT: = linalg.conv
// CHECK: return
func.func @line(%x: tensor<1x10x4xf32>, %w: tensor<3x4x5xf32>, %i: tensor<1x8x5xf32>) -> tensor<1x8x5xf32> {
  %0 = linalg.conv_1d_nwc_wcf {dilations = dense<1> : vector<1xi64>, strides = dense<1> : vector<1xi64>}
    ins(%x, %w : tensor<1x10x4xf32>, tensor<3x4x5xf32>) outs(%i : tensor<1x8x5xf32>) -> tensor<1x8x5xf32>
  return %0 : tensor<1x8x5xf32>
}
func.func @volume(%x: tensor<1x4x4x4x2xf32>, %w: tensor<3x3x3x2x5xf32>, %i: tensor<1x2x2x2x5xf32>) -> tensor<1x2x2x2x5xf32> {
  %0 = linalg.conv_3d_ndhwc_dhwcf {dilations = dense<1> : vector<3xi64>, strides = dense<1> : vector<3xi64>}
    ins(%x, %w : tensor<1x4x4x4x2xf32>, tensor<3x3x3x2x5xf32>) outs(%i : tensor<1x2x2x2x5xf32>) -> tensor<1x2x2x2x5xf32>
  return %0 : tensor<1x2x2x2x5xf32>
}
