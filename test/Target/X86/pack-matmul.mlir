// RUN: quant-opt --quant-set-target="cpu=icelake-server" --quant-pack-matmul --canonicalize --split-input-file %s | FileCheck %s
// RUN: quant-opt --quant-set-target="cpu=haswell" --quant-pack-matmul --canonicalize --split-input-file %s | FileCheck %s --check-prefix=AVX2

// A constant weight is packed at compile time, its column sums times the shift
// of 128 that makes signed activations unsigned become the column bias.

// CHECK-LABEL: @constant_weight_symmetric
// CHECK-DAG: %[[BIAS:.*]] = arith.constant dense<{{\[\[}}-1280, 512, {{.*}}]]> : tensor<1x16xi32>
// CHECK-DAG: %[[WEIGHT:.*]] = arith.constant dense<{{\[\[\[\[}}1, 2, 3, 4], [-1, -1, -1, -1], [0, {{.*}}> : tensor<1x1x16x4xi8>
// CHECK: %[[LHS:.*]] = quant.quantize {{.*}} zero_point({{.*}}) axes = [0] range = [0, 255] unsigned
// CHECK-NOT: linalg.pack
// CHECK: quant.packed_matmul <vpdpbusd_512> ins(%[[LHS]], %[[WEIGHT]]
// CHECK-SAME: col_bias(%[[BIAS]] : tensor<1x16xi32>)
// CHECK-SAME: row_scale({{.*}} : tensor<16xf32>) channel_scale({{.*}} : tensor<1x16xf32>)
// CHECK-NOT: quant.rescale

// vpmaddwd reads signed 16-bit pairs: no shift, no bias.
// AVX2-LABEL: @constant_weight_symmetric
// AVX2-NOT: col_bias
// AVX2: arith.extsi {{.*}} : i8 to i16
// AVX2: quant.packed_matmul <vpmaddwd_256>
// AVX2-NOT: col_bias
// AVX2: return
func.func @constant_weight_symmetric(%x: tensor<16x4xf32>, %s: tensor<16xf32>) -> tensor<16x3xf32> {
  %w = arith.constant dense<[[1, 2, 3, 4], [-1, -1, -1, -1], [0, 0, 0, 0]]> : tensor<3x4xi8>
  %sw = arith.constant dense<[0.5, 0.25, 1.0]> : tensor<3xf32>
  %init = arith.constant dense<0> : tensor<16x3xi32>
  %q = quant.quantize %x scale(%s : tensor<16xf32>) axes = [0] range = [-128, 127]
         : tensor<16x4xf32> -> tensor<16x4xi8>
  %acc = quant.matmul ins(%q, %w : tensor<16x4xi8>, tensor<3x4xi8>)
           outs(%init : tensor<16x3xi32>) {transpose_rhs} -> tensor<16x3xi32>
  // The sums are 10, -4 and 0: times -128 is what the shift by 128 adds.
  %y = quant.rescale %acc row_scale(%s : tensor<16xf32>) channel_scale(%sw : tensor<3xf32>)
         : tensor<16x3xi32> -> tensor<16x3xf32>
  return %y : tensor<16x3xf32>
}

// -----

// Run-time zero points of rows become a rank-1 correction.

// CHECK-LABEL: @row_zero_points
// CHECK: quant.packed_matmul
// CHECK-SAME: row_factors({{.*}} : tensor<1x8xi32>) col_factors({{.*}} : tensor<1x1x16xi32>)
func.func @row_zero_points(%q: tensor<8x4xi8>, %w: tensor<4x3xi8>, %z: tensor<8xi32>) -> tensor<8x3xi32> {
  %init = arith.constant dense<0> : tensor<8x3xi32>
  %acc = quant.matmul ins(%q, %w : tensor<8x4xi8>, tensor<4x3xi8>) lhs_zero_point(%z : tensor<8xi32>)
           outs(%init : tensor<8x3xi32>) {lhs_unsigned} -> tensor<8x3xi32>
  return %acc : tensor<8x3xi32>
}

// -----

// Both sides' run-time zero points: rank 2.

// CHECK-LABEL: @both_zero_points
// CHECK: quant.packed_matmul
// CHECK-SAME: row_factors({{.*}} : tensor<2x8xi32>) col_factors({{.*}} : tensor<2x1x16xi32>)
func.func @both_zero_points(%q: tensor<8x4xi8>, %w: tensor<4x3xi8>, %zx: tensor<i32>, %zw: tensor<3xi32>) -> tensor<8x3xi32> {
  %init = arith.constant dense<0> : tensor<8x3xi32>
  %acc = quant.matmul ins(%q, %w : tensor<8x4xi8>, tensor<4x3xi8>) lhs_zero_point(%zx : tensor<i32>)
           rhs_zero_point(%zw : tensor<3xi32>)
           outs(%init : tensor<8x3xi32>) {lhs_unsigned} -> tensor<8x3xi32>
  return %acc : tensor<8x3xi32>
}

// -----

// A batch over a shared weight is merged into the rows; over a batched right
// side it becomes a loop.

// CHECK-LABEL: @batches
// CHECK: tensor.collapse_shape {{.*}} : tensor<2x5x4xi8> into tensor<10x4xi8>
// CHECK: quant.packed_matmul
// CHECK: tensor.expand_shape
// CHECK: scf.for
// CHECK: quant.packed_matmul
func.func @batches(%q: tensor<2x5x4xi8>, %w: tensor<4x3xi8>, %wb: tensor<2x4x3xi8>) -> (tensor<2x5x3xi32>, tensor<2x5x3xi32>) {
  %init = arith.constant dense<0> : tensor<2x5x3xi32>
  %a = quant.matmul ins(%q, %w : tensor<2x5x4xi8>, tensor<4x3xi8>)
         outs(%init : tensor<2x5x3xi32>) -> tensor<2x5x3xi32>
  %b = quant.matmul ins(%q, %wb : tensor<2x5x4xi8>, tensor<2x4x3xi8>)
         outs(%init : tensor<2x5x3xi32>) -> tensor<2x5x3xi32>
  return %a, %b : tensor<2x5x3xi32>, tensor<2x5x3xi32>
}

// -----

// An init that is not zero is added to the i32 result, and the rescale after
// it is not fused.

// CHECK-LABEL: @negative_nonzero_init
// CHECK: quant.packed_matmul {{.*}} -> tensor<8x3xi32>
// CHECK: arith.addi
// CHECK: quant.rescale
func.func @negative_nonzero_init(%q: tensor<8x4xi8>, %w: tensor<4x3xi8>, %init: tensor<8x3xi32>, %s: tensor<f32>) -> tensor<8x3xf32> {
  %acc = quant.matmul ins(%q, %w : tensor<8x4xi8>, tensor<4x3xi8>)
           outs(%init : tensor<8x3xi32>) {lhs_unsigned} -> tensor<8x3xi32>
  %y = quant.rescale %acc row_scale(%s : tensor<f32>) : tensor<8x3xi32> -> tensor<8x3xf32>
  return %y : tensor<8x3xf32>
}

// -----

// Between two quantized layers the first one's integers come out unsigned, as
// the second one's instruction wants them: no pass over the data.

// CHECK-LABEL: @chain
// CHECK: %[[Q:.*]] = quant.packed_matmul <vpdpbusd_512> {{.*}} unsigned {range = array<i64: 1, 255>, schedule = {{.*}}, zero_point = 131 : i32} -> tensor<8x16xi8>
// CHECK-NOT: arith.xori
// CHECK: quant.packed_matmul <vpdpbusd_512> ins(%[[Q]],

// AVX2-LABEL: @chain
// AVX2: quant.packed_matmul <vpmaddwd_256> {{.*}} {range = array<i64: -127, 127>, schedule = {{.*}}, zero_point = 3 : i32} -> tensor<8x16xi8>
func.func @chain(%q: tensor<8x4xi8>, %w: tensor<4x16xi8>, %v: tensor<16x3xi8>, %s: tensor<f32>) -> tensor<8x3xi32> {
  %i0 = arith.constant dense<0> : tensor<8x16xi32>
  %i1 = arith.constant dense<0> : tensor<8x3xi32>
  %z = arith.constant dense<3> : tensor<i32>
  %acc = quant.matmul ins(%q, %w : tensor<8x4xi8>, tensor<4x16xi8>)
           outs(%i0 : tensor<8x16xi32>) {lhs_unsigned} -> tensor<8x16xi32>
  %p = quant.rescale %acc row_scale(%s : tensor<f32>)
         {range = array<i64: -127, 127>, zero_point = 3 : i32} : tensor<8x16xi32> -> tensor<8x16xi8>
  %b = quant.matmul ins(%p, %v : tensor<8x16xi8>, tensor<16x3xi8>) lhs_zero_point(%z : tensor<i32>)
         outs(%i1 : tensor<8x3xi32>) -> tensor<8x3xi32>
  return %b : tensor<8x3xi32>
}

// -----

// A constant that is unpacked to a dynamic size is packed at run time.

// CHECK-LABEL: func @dynamic_unpack
// CHECK: linalg.pack
// CHECK: quant.packed_matmul
// AVX2-LABEL: func @dynamic_unpack
// AVX2: quant.packed_matmul
func.func @dynamic_unpack(%x: tensor<5x6xi8>, %init: tensor<5x?xi32>) -> tensor<5x?xi32> {
  %p = arith.constant dense<17> : tensor<6x4xi8>
  %w = quant.unpack_int4 %p : tensor<6x4xi8> -> tensor<6x?xi4>
  %acc = quant.matmul ins(%x, %w : tensor<5x6xi8>, tensor<6x?xi4>)
           outs(%init : tensor<5x?xi32>) -> tensor<5x?xi32>
  return %acc : tensor<5x?xi32>
}

// -----

// A matmul is not moved into the loop of its rescale, where it would be
// computed again each time.

// CHECK-LABEL: @negative_rescale_in_loop
// CHECK: quant.packed_matmul {{.*}} -> tensor<8x3xi32>
// CHECK: scf.for
// CHECK-NOT: quant.packed_matmul
// CHECK: quant.rescale
func.func @negative_rescale_in_loop(%q: tensor<8x4xi8>, %w: tensor<4x3xi8>, %s: tensor<f32>, %n: index, %y0: tensor<8x3xf32>) -> tensor<8x3xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %init = arith.constant dense<0> : tensor<8x3xi32>
  %acc = quant.matmul ins(%q, %w : tensor<8x4xi8>, tensor<4x3xi8>)
           outs(%init : tensor<8x3xi32>) {lhs_unsigned} -> tensor<8x3xi32>
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%y = %y0) -> (tensor<8x3xf32>) {
    %z = quant.rescale %acc row_scale(%s : tensor<f32>) : tensor<8x3xi32> -> tensor<8x3xf32>
    %sum = arith.addf %y, %z : tensor<8x3xf32>
    scf.yield %sum : tensor<8x3xf32>
  }
  return %r : tensor<8x3xf32>
}
