// RUN: quant-opt %s -canonicalize -split-input-file | FileCheck %s

// CHECK-LABEL: @requantize
// CHECK-SAME: %[[Q:.*]]: tensor<?x8xi8>, %[[S:.*]]: tensor<?xf32>
// CHECK-NEXT: return %[[Q]]
func.func @requantize(%q: tensor<?x8xi8>, %s: tensor<?xf32>, %z: tensor<?xi32>) -> tensor<?x8xi8> {
  %0 = quant.dequantize %q scale(%s : tensor<?xf32>) zero_point(%z : tensor<?xi32>) axes = [0] unsigned : tensor<?x8xi8> -> tensor<?x8xf32>
  %1 = quant.quantize %0 scale(%s : tensor<?xf32>) zero_point(%z : tensor<?xi32>) axes = [0] range = [0, 255] unsigned : tensor<?x8xf32> -> tensor<?x8xi8>
  return %1 : tensor<?x8xi8>
}

// -----

// Equal constants are equal parameters, and no zero point is 0. The stored
// integers are known to lie in the narrow range.
// CHECK-LABEL: @requantize_constants
// CHECK: %[[Q:.*]] = quant.quantize
// CHECK-NEXT: return %[[Q]]
func.func @requantize_constants(%x: tensor<8xf32>, %t: tensor<f32>) -> tensor<8xi8> {
  %s0 = arith.constant dense<0.5> : tensor<f32>
  %s1 = arith.constant dense<0.5> : tensor<f32>
  %z = arith.constant dense<0> : tensor<i32>
  %q = quant.quantize %x scale(%t : tensor<f32>) axes = [] range = [-127, 127] : tensor<8xf32> -> tensor<8xi8>
  %0 = quant.dequantize %q scale(%s0 : tensor<f32>) zero_point(%z : tensor<i32>) axes = [] : tensor<8xi8> -> tensor<8xf32>
  %1 = quant.quantize %0 scale(%s1 : tensor<f32>) axes = [] range = [-127, 127] : tensor<8xf32> -> tensor<8xi8>
  return %1 : tensor<8xi8>
}

// -----

// -128 would become -127.
// CHECK-LABEL: @negative_requantize_narrower
// CHECK: quant.quantize
func.func @negative_requantize_narrower(%q: tensor<8xi8>, %s: tensor<f32>) -> tensor<8xi8> {
  %0 = quant.dequantize %q scale(%s : tensor<f32>) axes = [] : tensor<8xi8> -> tensor<8xf32>
  %1 = quant.quantize %0 scale(%s : tensor<f32>) axes = [] range = [-127, 127] : tensor<8xf32> -> tensor<8xi8>
  return %1 : tensor<8xi8>
}

// -----

// bf16 has 8 bits: 255 * s would come back as another integer.
// CHECK-LABEL: @negative_requantize_bf16
// CHECK: quant.quantize
func.func @negative_requantize_bf16(%q: tensor<8xi8>, %s: tensor<f32>) -> tensor<8xi8> {
  %0 = quant.dequantize %q scale(%s : tensor<f32>) axes = [] : tensor<8xi8> -> tensor<8xbf16>
  %1 = quant.quantize %0 scale(%s : tensor<f32>) axes = [] range = [-128, 127] : tensor<8xbf16> -> tensor<8xi8>
  return %1 : tensor<8xi8>
}

// -----

// CHECK-LABEL: @negative_requantize_other_scale
// CHECK: quant.quantize
func.func @negative_requantize_other_scale(%q: tensor<8xi8>, %s: tensor<f32>, %t: tensor<f32>) -> tensor<8xi8> {
  %0 = quant.dequantize %q scale(%s : tensor<f32>) axes = [] : tensor<8xi8> -> tensor<8xf32>
  %1 = quant.quantize %0 scale(%t : tensor<f32>) axes = [] range = [-128, 127] : tensor<8xf32> -> tensor<8xi8>
  return %1 : tensor<8xi8>
}

// -----

// CHECK-LABEL: @matmul_zero_points
// CHECK-NOT: zero_point
func.func @matmul_zero_points(%x: tensor<4x8xi8>, %w: tensor<8x5xi8>, %c: tensor<4x5xi32>) -> tensor<4x5xi32> {
  %zx = arith.constant dense<0> : tensor<4xi32>
  %zw = arith.constant dense<0> : tensor<i32>
  %0 = quant.matmul ins(%x, %w : tensor<4x8xi8>, tensor<8x5xi8>) lhs_zero_point(%zx : tensor<4xi32>) rhs_zero_point(%zw : tensor<i32>)
      outs(%c : tensor<4x5xi32>) -> tensor<4x5xi32>
  return %0 : tensor<4x5xi32>
}

// -----

// CHECK-LABEL: @negative_matmul_zero_points
// CHECK: %[[Z:.*]] = arith.constant dense<[0, 1]> : tensor<2xi32>
// CHECK: quant.matmul {{.*}} lhs_zero_point(%[[Z]] : tensor<2xi32>) outs
func.func @negative_matmul_zero_points(%x: tensor<2x8xi8>, %w: tensor<8x5xi8>, %c: tensor<2x5xi32>) -> tensor<2x5xi32> {
  %zx = arith.constant dense<[0, 1]> : tensor<2xi32>
  %zw = arith.constant dense<0> : tensor<5xi32>
  %0 = quant.matmul ins(%x, %w : tensor<2x8xi8>, tensor<8x5xi8>) lhs_zero_point(%zx : tensor<2xi32>) rhs_zero_point(%zw : tensor<5xi32>)
      outs(%c : tensor<2x5xi32>) -> tensor<2x5xi32>
  return %0 : tensor<2x5xi32>
}

// -----

// CHECK-LABEL: @matmul_empty_k
// CHECK-SAME: %[[C:[a-z0-9]+]]: tensor<2x5xi32>
// CHECK-NEXT: return %[[C]]
func.func @matmul_empty_k(%x: tensor<2x0xi8>, %w: tensor<0x5xi8>, %c: tensor<2x5xi32>) -> tensor<2x5xi32> {
  %0 = quant.matmul ins(%x, %w : tensor<2x0xi8>, tensor<0x5xi8>) outs(%c : tensor<2x5xi32>) -> tensor<2x5xi32>
  return %0 : tensor<2x5xi32>
}

// -----

// CHECK-LABEL: @matmul_empty_result
// CHECK-SAME: %[[C:[a-z0-9]+]]: tensor<?x0xi32>)
// CHECK-NEXT: return %[[C]]
func.func @matmul_empty_result(%x: tensor<?x3xi8>, %w: tensor<3x0xi8>, %c: tensor<?x0xi32>) -> tensor<?x0xi32> {
  %0 = quant.matmul ins(%x, %w : tensor<?x3xi8>, tensor<3x0xi8>) outs(%c : tensor<?x0xi32>) -> tensor<?x0xi32>
  return %0 : tensor<?x0xi32>
}

// -----

// CHECK-LABEL: @rescale_zero_bias
// CHECK: quant.rescale %{{.*}} row_scale(%{{.*}}) : tensor<?x2xi32> -> tensor<?x2xf32>
// CHECK: quant.rescale %{{.*}} row_scale(%{{.*}}) {range
// A float result keeps a float bias of zeros: it makes +0 of -0.
// CHECK: quant.rescale %{{.*}} row_scale(%{{.*}}) bias(
func.func @rescale_zero_bias(%acc: tensor<?x2xi32>, %s: tensor<?xf32>) -> (tensor<?x2xf32>, tensor<?x2xi8>, tensor<?x2xf32>) {
  %bi = arith.constant dense<0> : tensor<2xi32>
  %bf = arith.constant dense<[0.0, -0.0]> : tensor<2xf32>
  %0 = quant.rescale %acc row_scale(%s : tensor<?xf32>) bias(%bi : tensor<2xi32>) : tensor<?x2xi32> -> tensor<?x2xf32>
  %1 = quant.rescale %acc row_scale(%s : tensor<?xf32>) bias(%bf : tensor<2xf32>) {range = array<i64: -8, 7>} : tensor<?x2xi32> -> tensor<?x2xi8>
  %2 = quant.rescale %acc row_scale(%s : tensor<?xf32>) bias(%bf : tensor<2xf32>) : tensor<?x2xi32> -> tensor<?x2xf32>
  return %0, %1, %2 : tensor<?x2xf32>, tensor<?x2xi8>, tensor<?x2xf32>
}

// -----

// CHECK-LABEL: @rescale_identity_clamp
// CHECK: quant.rescale %{{.*}} row_scale(%{{.*}}) : tensor<4x2xi32> -> tensor<4x2xf32>
// max(y, 0) is what the range says when the zero point is qmin.
// CHECK: quant.rescale %{{.*}} row_scale(%{{.*}}) {range = array<i64: -128, 127>, zero_point = -128 : i32}
// CHECK: quant.rescale %{{.*}} row_scale(%{{.*}}) {clamp_max = 1.000000e+02 : f32, clamp_min = 0.000000e+00 : f32
func.func @rescale_identity_clamp(%acc: tensor<4x2xi32>, %s: tensor<4xf32>) -> (tensor<4x2xf32>, tensor<4x2xi8>, tensor<4x2xi8>) {
  %0 = quant.rescale %acc row_scale(%s : tensor<4xf32>) {clamp_min = 0xFF800000 : f32, clamp_max = 0x7F800000 : f32} : tensor<4x2xi32> -> tensor<4x2xf32>
  %1 = quant.rescale %acc row_scale(%s : tensor<4xf32>) {clamp_min = 0.0 : f32, clamp_max = 254.6 : f32, zero_point = -128 : i32, range = array<i64: -128, 127>} : tensor<4x2xi32> -> tensor<4x2xi8>
  %2 = quant.rescale %acc row_scale(%s : tensor<4xf32>) {clamp_min = 0.0 : f32, clamp_max = 100.0 : f32, range = array<i64: -128, 127>} : tensor<4x2xi32> -> tensor<4x2xi8>
  return %0, %1, %2 : tensor<4x2xf32>, tensor<4x2xi8>, tensor<4x2xi8>
}

// -----

// CHECK-LABEL: @rescale_merge_scales
// CHECK: %[[S:.*]] = arith.constant dense<[5.000000e-01, 1.000000e+00]> : tensor<2xf32>
// CHECK: quant.rescale %{{.*}} channel_scale(%[[S]] : tensor<2xf32>) :
func.func @rescale_merge_scales(%acc: tensor<4x2xi32>) -> tensor<4x2xf32> {
  %r = arith.constant dense<0.25> : tensor<f32>
  %c = arith.constant dense<[2.0, 4.0]> : tensor<2xf32>
  %0 = quant.rescale %acc row_scale(%r : tensor<f32>) channel_scale(%c : tensor<2xf32>) : tensor<4x2xi32> -> tensor<4x2xf32>
  return %0 : tensor<4x2xf32>
}

// -----

// 1e-30 * 1e-30 is 0 in f32, which is no scale.
// CHECK-LABEL: @negative_rescale_merge_underflow
// CHECK: quant.rescale %{{.*}} row_scale(%{{.*}}) channel_scale(
func.func @negative_rescale_merge_underflow(%acc: tensor<4x2xi32>) -> tensor<4x2xf32> {
  %r = arith.constant dense<1.0e-30> : tensor<f32>
  %0 = quant.rescale %acc row_scale(%r : tensor<f32>) channel_scale(%r : tensor<f32>) : tensor<4x2xi32> -> tensor<4x2xf32>
  return %0 : tensor<4x2xf32>
}

// -----

// Nothing of float type stands between an accumulator and the next integers:
// M = sX * sW / sY, and the float bias and the clamps are divided too.
// CHECK-LABEL: @fuse_quantize
// CHECK-SAME: %[[ACC:.*]]: tensor<?x2xi32>
// CHECK-DAG: %[[M:.*]] = arith.constant dense<[1.000000e+00, 2.000000e+00]> : tensor<2xf32>
// CHECK-DAG: %[[B:.*]] = arith.constant dense<[4.000000e+00, -6.000000e+00]> : tensor<2xf32>
// CHECK: %[[Q:.*]] = quant.rescale %[[ACC]] channel_scale(%[[M]] : tensor<2xf32>) bias(%[[B]] : tensor<2xf32>) {clamp_max = 1.200000e+01 : f32, range = array<i64: -128, 127>, zero_point = -3 : i32} : tensor<?x2xi32> -> tensor<?x2xi8>
// CHECK-NEXT: return %[[Q]]
func.func @fuse_quantize(%acc: tensor<?x2xi32>) -> tensor<?x2xi8> {
  %sx = arith.constant dense<0.25> : tensor<f32>
  %sw = arith.constant dense<[2.0, 4.0]> : tensor<2xf32>
  %b = arith.constant dense<[2.0, -3.0]> : tensor<2xf32>
  %sy = arith.constant dense<0.5> : tensor<f32>
  %zy = arith.constant dense<-3> : tensor<i32>
  %0 = quant.rescale %acc row_scale(%sx : tensor<f32>) channel_scale(%sw : tensor<2xf32>) bias(%b : tensor<2xf32>) {clamp_max = 6.0 : f32} : tensor<?x2xi32> -> tensor<?x2xf32>
  %1 = quant.quantize %0 scale(%sy : tensor<f32>) zero_point(%zy : tensor<i32>) axes = [] range = [-128, 127] : tensor<?x2xf32> -> tensor<?x2xi8>
  return %1 : tensor<?x2xi8>
}

// -----

// CHECK-LABEL: @fuse_quantize_int_bias
// CHECK: quant.rescale %{{.*}} channel_scale(%{{.*}} : tensor<f32>) bias(%{{.*}} : tensor<2xi32>) unsigned {range = array<i64: 0, 15>} : tensor<4x2xi32> -> tensor<4x2xi4>
func.func @fuse_quantize_int_bias(%acc: tensor<4x2xi32>) -> tensor<4x2xi4> {
  %sx = arith.constant dense<0.25> : tensor<f32>
  %b = arith.constant dense<[2, -3]> : tensor<2xi32>
  %0 = quant.rescale %acc row_scale(%sx : tensor<f32>) bias(%b : tensor<2xi32>) : tensor<4x2xi32> -> tensor<4x2xf32>
  %1 = quant.quantize %0 scale(%sx : tensor<f32>) axes = [] range = [0, 15] unsigned : tensor<4x2xf32> -> tensor<4x2xi4>
  return %1 : tensor<4x2xi4>
}

// -----

// A second user needs the float; rows with scales of their own stay as they
// are; run-time scales have no constant quotient.
// CHECK-LABEL: @negative_fuse_quantize
// CHECK-COUNT-3: quant.quantize
func.func @negative_fuse_quantize(%acc: tensor<4x2xi32>, %row: tensor<4xf32>, %t: tensor<f32>) -> (tensor<4x2xf32>, tensor<4x2xi8>, tensor<4x2xi8>, tensor<4x2xi8>) {
  %s = arith.constant dense<0.25> : tensor<f32>
  %0 = quant.rescale %acc row_scale(%s : tensor<f32>) : tensor<4x2xi32> -> tensor<4x2xf32>
  %1 = quant.quantize %0 scale(%s : tensor<f32>) axes = [] range = [-8, 7] : tensor<4x2xf32> -> tensor<4x2xi8>
  %2 = quant.rescale %acc row_scale(%row : tensor<4xf32>) : tensor<4x2xi32> -> tensor<4x2xf32>
  %3 = quant.quantize %2 scale(%s : tensor<f32>) axes = [] range = [-8, 7] : tensor<4x2xf32> -> tensor<4x2xi8>
  %4 = quant.rescale %acc channel_scale(%s : tensor<f32>) {clamp_min = 0.0 : f32} : tensor<4x2xi32> -> tensor<4x2xf32>
  %5 = quant.quantize %4 scale(%t : tensor<f32>) axes = [] range = [-8, 7] : tensor<4x2xf32> -> tensor<4x2xi8>
  return %0, %1, %3, %5 : tensor<4x2xf32>, tensor<4x2xi8>, tensor<4x2xi8>, tensor<4x2xi8>
}

// -----

// A row of five elements leaves bits of its last byte.
// CHECK-LABEL: @int2_round_trip
// CHECK-SAME: (%[[P:.*]]: tensor<8x2xi8>, %[[Q:.*]]: tensor<8x5xi2>)
// CHECK: %[[U:.*]] = quant.unpack_int2 %[[P]] : tensor<8x2xi8> -> tensor<8x5xi2>
// CHECK: %[[ODD:.*]] = quant.pack_int2 %[[U]]
// CHECK: return %[[P]], %[[Q]], %[[ODD]]
func.func @int2_round_trip(%p: tensor<8x2xi8>, %q: tensor<8x5xi2>) -> (tensor<8x2xi8>, tensor<8x5xi2>, tensor<8x2xi8>) {
  %0 = quant.unpack_int2 %p : tensor<8x2xi8> -> tensor<8x8xi2>
  %1 = quant.pack_int2 %0 : tensor<8x8xi2> -> tensor<8x2xi8>
  %2 = quant.pack_int2 %q : tensor<8x5xi2> -> tensor<8x2xi8>
  %3 = quant.unpack_int2 %2 : tensor<8x2xi8> -> tensor<8x5xi2>
  %4 = quant.unpack_int2 %p : tensor<8x2xi8> -> tensor<8x5xi2>
  %5 = quant.pack_int2 %4 : tensor<8x5xi2> -> tensor<8x2xi8>
  return %1, %3, %5 : tensor<8x2xi8>, tensor<8x5xi2>, tensor<8x2xi8>
}

// -----

// CHECK-LABEL: @int4_round_trip
// CHECK-SAME: %[[P:[a-z0-9]+]]: tensor<8x3xi8>, %[[Q:[a-z0-9]+]]: tensor<8x5xi4>
// An odd row's padding may be other than 0 before, and is 0 after.
// CHECK: %[[ODD:.*]] = quant.pack_int4
// CHECK: return %[[P]], %[[Q]], %[[ODD]]
func.func @int4_round_trip(%p: tensor<8x3xi8>, %q: tensor<8x5xi4>) -> (tensor<8x3xi8>, tensor<8x5xi4>, tensor<8x3xi8>) {
  %0 = quant.unpack_int4 %p : tensor<8x3xi8> -> tensor<8x6xi4>
  %1 = quant.pack_int4 %0 : tensor<8x6xi4> -> tensor<8x3xi8>
  %2 = quant.pack_int4 %q : tensor<8x5xi4> -> tensor<8x3xi8>
  %3 = quant.unpack_int4 %2 : tensor<8x3xi8> -> tensor<8x5xi4>
  %4 = quant.unpack_int4 %p : tensor<8x3xi8> -> tensor<8x5xi4>
  %5 = quant.pack_int4 %4 : tensor<8x5xi4> -> tensor<8x3xi8>
  return %1, %3, %5 : tensor<8x3xi8>, tensor<8x5xi4>, tensor<8x3xi8>
}
