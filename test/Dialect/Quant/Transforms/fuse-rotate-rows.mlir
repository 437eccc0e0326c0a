// RUN: quant-opt %s -quant-fuse-quantize-rows=plain | FileCheck %s
// RUN: quant-opt %s -quant-fuse-quantize-rows | FileCheck %s --check-prefix=PACKED

// Chosen from the rotated rows: one op, of the rows as they are.
// CHECK-LABEL: @dynamic
// CHECK-SAME: %[[X:.*]]: tensor<?x96xf16>
// CHECK: quant.quantize_rows ins(%[[X]] : tensor<?x96xf16>) outs({{.*}}) range = [-127, 127] rotation = 32 seed = 7
// CHECK-NOT: quant.rotate
// PACKED-LABEL: @dynamic
// PACKED: quant.rotate
// PACKED: quant.choose_qparams
func.func @dynamic(%x: tensor<?x96xf16>) -> (tensor<?x96xi8>, tensor<?xf32>) {
  %r = quant.rotate %x size = 32 seed = 7 : tensor<?x96xf16> -> tensor<?x96xf32>
  %s = quant.choose_qparams %r axes = [0] range = [-127, 127] : tensor<?x96xf32> -> tensor<?xf32>
  %q = quant.quantize %r scale(%s : tensor<?xf32>) axes = [0] range = [-127, 127] : tensor<?x96xf32> -> tensor<?x96xi8>
  return %q, %s : tensor<?x96xi8>, tensor<?xf32>
}

// One constant scale.
// CHECK-LABEL: @static
// CHECK-SAME: %[[X:.*]]: tensor<2x?x96xf32>
// CHECK: quant.rotate_rows ins(%[[X]] : tensor<2x?x96xf32>) outs({{.*}} : tensor<2x?x96xi8>) size = 128
// CHECK-SAME: {range = array<i64: -128, 127>, scale = 5.000000e-01 : f32, zero_point = 3 : i64}
// CHECK-NOT: quant.quantize
func.func @static(%x: tensor<2x?x96xf32>) -> tensor<2x?x96xi8> {
  %s = arith.constant dense<0.5> : tensor<f32>
  %z = arith.constant dense<3> : tensor<i32>
  %r = quant.rotate %x size = 128 : tensor<2x?x96xf32> -> tensor<2x?x96xf32>
  %q = quant.quantize %r scale(%s : tensor<f32>) zero_point(%z : tensor<i32>) axes = [] range = [-128, 127] : tensor<2x?x96xf32> -> tensor<2x?x96xi8>
  return %q : tensor<2x?x96xi8>
}

// One scale for the tensor, from the data: rows are rotated, then read again.
// CHECK-LABEL: @tensor
// CHECK: %[[R:.*]] = quant.rotate_rows ins({{.*}}) outs({{.*}} : tensor<4x96xf32>) size = 32
// CHECK: quant.choose_qparams %[[R]]
// CHECK: quant.quantize %[[R]]
func.func @tensor(%x: tensor<4x96xf32>) -> (tensor<4x96xi8>, tensor<f32>) {
  %r = quant.rotate %x size = 32 : tensor<4x96xf32> -> tensor<4x96xf32>
  %s = quant.choose_qparams %r axes = [] range = [-127, 127] : tensor<4x96xf32> -> tensor<f32>
  %q = quant.quantize %r scale(%s : tensor<f32>) axes = [] range = [-127, 127] : tensor<4x96xf32> -> tensor<4x96xi8>
  return %q, %s : tensor<4x96xi8>, tensor<f32>
}

// Blocks of rows; sizes are those of the rows as they are.
// CHECK-LABEL: @blocks
// CHECK-SAME: %[[X:.*]]: tensor<?x96xf32>
// CHECK-NOT: rotate
// CHECK: quant.quantize_blocks ins(%[[X]] : tensor<?x96xf32>) {{.*}} block = 16 range = [-127, 127] rotation = 32
// PACKED-LABEL: @blocks
// PACKED: quant.rotate
func.func @blocks(%x: tensor<?x96xf32>) -> (tensor<?x96xi8>, tensor<?x6xf32>) {
  %c0 = arith.constant 0 : index
  %r = quant.rotate %x size = 32 : tensor<?x96xf32> -> tensor<?x96xf32>
  %m = tensor.dim %r, %c0 : tensor<?x96xf32>
  %q = tensor.empty(%m) : tensor<?x96xi8>
  %s = tensor.empty(%m) : tensor<?x6xf32>
  %0:2 = quant.quantize_blocks ins(%r : tensor<?x96xf32>) outs(%q, %s : tensor<?x96xi8>, tensor<?x6xf32>) block = 16 range = [-127, 127] -> tensor<?x96xi8>, tensor<?x6xf32>
  return %0#0, %0#1 : tensor<?x96xi8>, tensor<?x6xf32>
}

// Rows of several dimensions.
// CHECK-LABEL: @collapsed
// CHECK-SAME: %[[X:.*]]: tensor<2x3x96xf16>
// CHECK-NOT: rotate
// CHECK: %[[ROWS:.*]] = tensor.collapse_shape %[[X]]
// CHECK: quant.quantize_blocks ins(%[[ROWS]] : tensor<6x96xf16>) {{.*}} rotation = 32 seed = 5
func.func @collapsed(%x: tensor<2x3x96xf16>, %q: tensor<6x96xi8>, %s: tensor<6x3xf32>) -> (tensor<6x96xi8>, tensor<6x3xf32>) {
  %r = quant.rotate %x size = 32 seed = 5 : tensor<2x3x96xf16> -> tensor<2x3x96xf32>
  %rows = tensor.collapse_shape %r [[0, 1], [2]] : tensor<2x3x96xf32> into tensor<6x96xf32>
  %0:2 = quant.quantize_blocks ins(%rows : tensor<6x96xf32>) outs(%q, %s : tensor<6x96xi8>, tensor<6x3xf32>) block = 32 range = [-127, 127] -> tensor<6x96xi8>, tensor<6x3xf32>
  return %0#0, %0#1 : tensor<6x96xi8>, tensor<6x3xf32>
}

// Blocks that cut those that are rotated: a pass of its own.
// CHECK-LABEL: @cut
// CHECK: %[[R:.*]] = quant.rotate_rows
// CHECK: quant.quantize_blocks ins(%[[R]] : tensor<4x96xf32>)
// CHECK-NOT: rotation
func.func @cut(%x: tensor<4x96xf32>, %q: tensor<4x96xi8>, %s: tensor<4x4xf32>) -> (tensor<4x96xi8>, tensor<4x4xf32>) {
  %r = quant.rotate %x size = 32 : tensor<4x96xf32> -> tensor<4x96xf32>
  %0:2 = quant.quantize_blocks ins(%r : tensor<4x96xf32>) outs(%q, %s : tensor<4x96xi8>, tensor<4x4xf32>) block = 24 range = [-127, 127] -> tensor<4x96xi8>, tensor<4x4xf32>
  return %0#0, %0#1 : tensor<4x96xi8>, tensor<4x4xf32>
}
