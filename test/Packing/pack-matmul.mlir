// RUN: quant-opt --quant-set-target="cpu=icelake-server" --quant-pack-matmul --canonicalize --split-input-file %s | FileCheck %s
// RUN: quant-opt --quant-set-target="cpu=haswell" --quant-pack-matmul --canonicalize --split-input-file %s | FileCheck %s --check-prefix=AVX2

// A constant weight is packed at compile time, its column sums times the shift
// of 128 that makes signed activations unsigned become the column bias.

// CHECK-LABEL: @constant_weight_symmetric
// CHECK-DAG: %[[BIAS:.*]] = arith.constant dense<{{\[\[}}-1280, 512, {{.*}}]]> : tensor<1x16xi32>
// CHECK-DAG: %[[WEIGHT:.*]] = arith.constant dense<{{\[\[\[\[}}1, 2, 3, 4], [-1, -1, -1, -1], [0, {{.*}}> : tensor<1x1x16x4xi8>
// CHECK: %[[LHS:.*]] = quant.quantize {{.*}} zero_point({{.*}}) axes = [0] range = [0, 255] unsigned
// CHECK-NOT: linalg.pack
// CHECK: qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout{{.*}} ins(%[[LHS]], %[[WEIGHT]]
// CHECK-SAME: col_bias(%[[BIAS]] : tensor<1x16xi32>)
// CHECK-SAME: row_scale({{.*}} : tensor<16xf32>) channel_scale({{.*}} : tensor<1x16xf32>)
// CHECK-NOT: quant.rescale

// vpmaddwd reads signed 16-bit pairs: no shift, no bias.
// AVX2-LABEL: @constant_weight_symmetric
// AVX2-NOT: col_bias
// AVX2: arith.extsi {{.*}} : i8 to i16
// AVX2: qtarget.packed_matmul #qtarget.x86<vpmaddwd_256> layout<lhs = s16, rhs = s8 8x2>
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
// CHECK: qtarget.packed_matmul
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
// CHECK: qtarget.packed_matmul
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
// CHECK: qtarget.packed_matmul
// CHECK: tensor.expand_shape
// CHECK: scf.for
// CHECK: qtarget.packed_matmul
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
// CHECK: qtarget.packed_matmul {{.*}} -> tensor<8x3xi32>
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
// CHECK: %[[Q:.*]] = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout{{.*}} unsigned {range = array<i64: 1, 255>, schedule = {{.*}}, zero_point = 131 : i32} -> tensor<8x16xi8>
// CHECK-NOT: arith.xori
// CHECK: qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout{{.*}} ins(%[[Q]],

// AVX2-LABEL: @chain
// AVX2: qtarget.packed_matmul #qtarget.x86<vpmaddwd_256> layout<lhs = s16, rhs = s8 16x2> {{.*}} {range = array<i64: -127, 127>, schedule = {{.*}}, zero_point = 3 : i32} -> tensor<8x16xi8>
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
// CHECK: qtarget.packed_matmul
// AVX2-LABEL: func @dynamic_unpack
// AVX2: qtarget.packed_matmul
func.func @dynamic_unpack(%x: tensor<5x6xi8>, %init: tensor<5x?xi32>) -> tensor<5x?xi32> {
  %p = arith.constant dense<17> : tensor<6x4xi8>
  %w = quant.unpack_int4 %p : tensor<6x4xi8> -> tensor<6x?xi4>
  %acc = quant.matmul ins(%x, %w : tensor<5x6xi8>, tensor<6x?xi4>)
           outs(%init : tensor<5x?xi32>) -> tensor<5x?xi32>
  return %acc : tensor<5x?xi32>
}

// -----

// A constant weight of 4 bits stays in 4 bits: byte p of a step has element p
// and, above, element KR + p. Unsigned ones are moved by -8, and so is their
// zero point.

// CHECK-LABEL: func @nibbles
// CHECK-DAG: arith.constant dense<{{\[\[\[\[}}81, 98, -125, 4], [0, 0, 0, 0], {{.*}}> : tensor<1x1x16x4xi8>
// CHECK-DAG: arith.constant dense<{{\[\[\[\[}}-39, -22, -5, 12], [0, 0, 0, 0], {{.*}}> : tensor<1x1x16x4xi8>
// CHECK-COUNT-2: qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s4 16x8>
// AVX2-LABEL: func @nibbles
// AVX2-COUNT-2: qtarget.packed_matmul #qtarget.x86<vpmaddwd_256> layout<lhs = s16, rhs = s4 8x4>
func.func @nibbles(%x: tensor<5x8xi8>, %z: tensor<1xi32>) -> (tensor<5x1xi32>, tensor<5x1xi32>) {
  %p = arith.constant dense<[[33, 67, 101, 8]]> : tensor<1x4xi8>
  %w = quant.unpack_int4 %p : tensor<1x4xi8> -> tensor<1x8xi4>
  %i = arith.constant dense<0> : tensor<5x1xi32>
  %q = arith.constant dense<[[33, 67, 101, 135]]> : tensor<1x4xi8>
  %v = quant.unpack_int4 %q : tensor<1x4xi8> -> tensor<1x8xi4>
  %z8 = arith.constant dense<8> : tensor<i32>
  %a = quant.matmul ins(%x, %w : tensor<5x8xi8>, tensor<1x8xi4>) outs(%i : tensor<5x1xi32>)
         {transpose_rhs, lhs_unsigned} -> tensor<5x1xi32>
  %b = quant.matmul ins(%x, %v : tensor<5x8xi8>, tensor<1x8xi4>) rhs_zero_point(%z8 : tensor<i32>)
         outs(%i : tensor<5x1xi32>) {transpose_rhs, lhs_unsigned, rhs_unsigned} -> tensor<5x1xi32>
  return %a, %b : tensor<5x1xi32>, tensor<5x1xi32>
}

// -----

// 16 times the sums over so many elements would not fit: bytes.

// CHECK-LABEL: func @negative_nibbles
// CHECK: qtarget.packed_matmul {{.*}} tensor<1x17500x16x4xi8>
// CHECK-NOT: nibbles
// CHECK: return
func.func @negative_nibbles(%x: tensor<5x70000xi8>) -> tensor<5x1xi32> {
  %w = arith.constant dense<1> : tensor<1x70000xi4>
  %i = arith.constant dense<0> : tensor<5x1xi32>
  %a = quant.matmul ins(%x, %w : tensor<5x70000xi8>, tensor<1x70000xi4>) outs(%i : tensor<5x1xi32>)
         {transpose_rhs, lhs_unsigned} -> tensor<5x1xi32>
  return %a : tensor<5x1xi32>
}

// -----

// A matmul is not moved into the loop of its rescale, where it would be
// computed again each time.

// CHECK-LABEL: @negative_rescale_in_loop
// CHECK: qtarget.packed_matmul {{.*}} -> tensor<8x3xi32>
// CHECK: scf.for
// CHECK-NOT: qtarget.packed_matmul
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

// -----

// The fixed-point rescale is an epilogue as the float one is: its zero point for
// the sums joins the bias and the correction of the shift to unsigned.

// CHECK-LABEL: @fixed_point
// CHECK-DAG: %[[BIAS:.*]] = arith.constant dense<{{\[\[}}-1275, 517, 15, 0, {{.*}}]]> : tensor<1x16xi32>
// CHECK-DAG: %[[M:.*]] = arith.constant dense<{{\[\[}}1073741824, 1518500250, 2147483647, 0, {{.*}}]]> : tensor<1x16xi32>
// CHECK-DAG: %[[S:.*]] = arith.constant dense<{{\[\[}}31, 62, 2, 0, {{.*}}]]> : tensor<1x16xi8>
// CHECK: qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout
// CHECK-SAME: col_bias(%[[BIAS]] : tensor<1x16xi32>) multiplier(%[[M]] : tensor<1x16xi32>) shift(%[[S]] : tensor<1x16xi8>) rounding(DOUBLE_ROUND)
// CHECK-SAME: unsigned {range = array<i64: 0, 65535>
// CHECK-SAME: zero_point = 7 : i32} -> tensor<16x3xi16>
// CHECK-NOT: quant.rescale_fixed_point
// AVX2-LABEL: @fixed_point
// AVX2: qtarget.packed_matmul #qtarget.x86<vpmaddwd_256> layout<lhs = s16, rhs = s8 8x2> {{.*}} rounding(DOUBLE_ROUND)
// AVX2-NOT: quant.rescale_fixed_point
// AVX2: return
func.func @fixed_point(%x: tensor<16x4xi8>) -> tensor<16x3xi16> {
  %w = arith.constant dense<[[1, 2, 3, 4], [-1, -1, -1, -1], [0, 0, 0, 0]]> : tensor<3x4xi8>
  %m = arith.constant dense<[1073741824, 1518500250, 2147483647]> : tensor<3xi32>
  %s = arith.constant dense<[31, 62, 2]> : tensor<3xi8>
  %b = arith.constant dense<[10, 10, 20]> : tensor<3xi32>
  %init = arith.constant dense<0> : tensor<16x3xi32>
  %acc = quant.matmul ins(%x, %w : tensor<16x4xi8>, tensor<3x4xi8>)
           outs(%init : tensor<16x3xi32>) {transpose_rhs} -> tensor<16x3xi32>
  %y = quant.rescale_fixed_point %acc multiplier(%m : tensor<3xi32>) shift(%s : tensor<3xi8>) rounding(DOUBLE_ROUND) bias(%b : tensor<3xi32>) unsigned
         {input_zero_point = 5 : i32, output_zero_point = 7 : i32, range = array<i64: 0, 65535>} : tensor<16x3xi32> -> tensor<16x3xi16>
  return %y : tensor<16x3xi16>
}

// -----

// An i32 result is one that is rescaled here; 4-bit results and sums that add to
// others are not.

// CHECK-LABEL: @fixed_point_results
// CHECK: %[[Y:.*]] = qtarget.packed_matmul {{.*}} multiplier({{.*}} : tensor<i32>) shift({{.*}} : tensor<i8>) rounding(SINGLE_ROUND) {{.*}} -> tensor<16x3xi32>
// CHECK: qtarget.packed_matmul {{.*}} -> tensor<16x3xi32>
// CHECK: quant.rescale_fixed_point {{.*}} -> tensor<16x3xi4>
// CHECK: qtarget.packed_matmul {{.*}} -> tensor<16x3xi32>
// CHECK: linalg.generic
// CHECK: quant.rescale_fixed_point {{.*}} -> tensor<16x3xi8>
func.func @fixed_point_results(%x: tensor<16x4xi8>, %w: tensor<4x3xi8>, %m: tensor<i32>, %s: tensor<i8>, %c: tensor<16x3xi32>)
    -> (tensor<16x3xi32>, tensor<16x3xi4>, tensor<16x3xi8>) {
  %init = arith.constant dense<0> : tensor<16x3xi32>
  %0 = quant.matmul ins(%x, %w : tensor<16x4xi8>, tensor<4x3xi8>) outs(%init : tensor<16x3xi32>) -> tensor<16x3xi32>
  %y0 = quant.rescale_fixed_point %0 multiplier(%m : tensor<i32>) shift(%s : tensor<i8>) rounding(SINGLE_ROUND)
         {range = array<i64: -2147483648, 2147483647>} : tensor<16x3xi32> -> tensor<16x3xi32>
  %1 = quant.matmul ins(%x, %w : tensor<16x4xi8>, tensor<4x3xi8>) outs(%init : tensor<16x3xi32>) -> tensor<16x3xi32>
  %y1 = quant.rescale_fixed_point %1 multiplier(%m : tensor<i32>) shift(%s : tensor<i8>) rounding(SINGLE_ROUND)
         {range = array<i64: -8, 7>} : tensor<16x3xi32> -> tensor<16x3xi4>
  %2 = quant.matmul ins(%x, %w : tensor<16x4xi8>, tensor<4x3xi8>) outs(%c : tensor<16x3xi32>) -> tensor<16x3xi32>
  %y2 = quant.rescale_fixed_point %2 multiplier(%m : tensor<i32>) shift(%s : tensor<i8>) rounding(SINGLE_ROUND)
         {range = array<i64: -128, 127>} : tensor<16x3xi32> -> tensor<16x3xi8>
  return %y0, %y1, %y2 : tensor<16x3xi32>, tensor<16x3xi4>, tensor<16x3xi8>
}

// -----

// Between two layers the integers are made unsigned where they are rescaled.

// CHECK-LABEL: @fixed_point_chain
// CHECK: %[[H:.*]] = qtarget.packed_matmul {{.*}} unsigned {range = array<i64: 0, 255>{{.*}}zero_point = 125 : i32} -> tensor<16x4xi8>
// CHECK-NOT: xori
// CHECK: qtarget.packed_matmul {{.*}} ins(%[[H]],
func.func @fixed_point_chain(%x: tensor<16x4xi8>, %w: tensor<4x4xi8>, %m: tensor<i32>, %s: tensor<i8>) -> tensor<16x4xi32> {
  %init = arith.constant dense<0> : tensor<16x4xi32>
  %0 = quant.matmul ins(%x, %w : tensor<16x4xi8>, tensor<4x4xi8>) outs(%init : tensor<16x4xi32>) {lhs_unsigned} -> tensor<16x4xi32>
  %h = quant.rescale_fixed_point %0 multiplier(%m : tensor<i32>) shift(%s : tensor<i8>) rounding(SINGLE_ROUND)
         {output_zero_point = -3 : i32, range = array<i64: -128, 127>} : tensor<16x4xi32> -> tensor<16x4xi8>
  %1 = quant.matmul ins(%h, %w : tensor<16x4xi8>, tensor<4x4xi8>) outs(%init : tensor<16x4xi32>) -> tensor<16x4xi32>
  return %1 : tensor<16x4xi32>
}

// -----

// Batches: the residual's are merged, or sliced, as the rows' are.

// CHECK-LABEL: @residual_batches
// CHECK: %[[R:.*]] = tensor.collapse_shape %{{.*}} : tensor<2x8x3xf32> into tensor<16x3xf32>
// CHECK: qtarget.packed_matmul {{.*}} residual(%[[R]] : tensor<16x3xf32>)
// CHECK: scf.for
// CHECK: qtarget.packed_matmul {{.*}} residual(%{{.*}} : tensor<8x3xf32>)
func.func @residual_batches(%x: tensor<2x8x4xi8>, %w: tensor<4x3xi8>, %v: tensor<2x4x3xi8>, %s: tensor<2x8xf32>, %r: tensor<2x8x3xf32>) -> (tensor<2x8x3xf32>, tensor<2x8x3xf32>) {
  %init = arith.constant dense<0> : tensor<2x8x3xi32>
  %0 = quant.matmul ins(%x, %w : tensor<2x8x4xi8>, tensor<4x3xi8>) outs(%init : tensor<2x8x3xi32>) -> tensor<2x8x3xi32>
  %y0 = quant.rescale %0 row_scale(%s : tensor<2x8xf32>) residual(%r : tensor<2x8x3xf32>) : tensor<2x8x3xi32> -> tensor<2x8x3xf32>
  %1 = quant.matmul ins(%x, %v : tensor<2x8x4xi8>, tensor<2x4x3xi8>) outs(%init : tensor<2x8x3xi32>) -> tensor<2x8x3xi32>
  %y1 = quant.rescale %1 row_scale(%s : tensor<2x8xf32>) residual(%r : tensor<2x8x3xf32>) : tensor<2x8x3xi32> -> tensor<2x8x3xf32>
  return %y0, %y1 : tensor<2x8x3xf32>, tensor<2x8x3xf32>
}

// -----

// One of two weights, chosen at run time: both are packed at compile time, each
// padded on its own, and summed; the run slices panels and sums.
// CHECK-LABEL: @chosen
// CHECK-SAME: %[[E:[^:]*]]: index
// CHECK-DAG: %[[W:.*]] = arith.constant dense<"0x01020304FFFFFFFF{{0+}}0506070805050505{{0+}}"> : tensor<2x1x16x4xi8>
// CHECK-DAG: %[[SUMS:.*]] = arith.constant dense<[10, -4, 26, 20]> : tensor<4xi32>
// CHECK-DAG: tensor.extract_slice %[[SUMS]][%{{.*}}] [2] [1] : tensor<4xi32> to tensor<2xi32>
// CHECK-DAG: %[[C:.*]] = tensor.extract_slice %[[W]][%[[E]], 0, 0, 0] [1, 1, 16, 4] {{.*}} to tensor<1x1x16x4xi8>
// CHECK: qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 {{.*}}> ins(%{{.*}}, %[[C]] : tensor<16x4xi8>, tensor<1x1x16x4xi8>)

// AVX2-LABEL: @chosen
// AVX2: qtarget.packed_matmul
func.func @chosen(%x: tensor<16x4xi8>, %e: index) -> tensor<16x2xi32> {
  %p = arith.constant dense<[[[1, 2, 3, 4], [-1, -1, -1, -1]], [[5, 6, 7, 8], [5, 5, 5, 5]]]> : tensor<2x2x4xi8>
  %w = tensor.extract_slice %p[%e, 0, 0] [1, 2, 4] [1, 1, 1] : tensor<2x2x4xi8> to tensor<2x4xi8>
  %init = arith.constant dense<0> : tensor<16x2xi32>
  %y = quant.matmul ins(%x, %w : tensor<16x4xi8>, tensor<2x4xi8>)
         outs(%init : tensor<16x2xi32>) {transpose_rhs} -> tensor<16x2xi32>
  return %y : tensor<16x2xi32>
}

// -----

// Nibbles stay nibbles where the run chooses them, too.
// CHECK-LABEL: @chosen_nibbles
// CHECK-DAG: %[[W:.*]] = arith.constant {{.*}} : tensor<2x1x16x4xi8>
// CHECK-DAG: %[[C:.*]] = tensor.extract_slice %[[W]]
// CHECK: qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s4 {{.*}}> ins(%{{.*}}, %[[C]] : tensor<16x8xi8>
// AVX2-LABEL: @chosen_nibbles
func.func @chosen_nibbles(%x: tensor<16x8xi8>, %e: index) -> tensor<16x2xi32> {
  %p = arith.constant dense<"0x10325476103254767654321076543210"> : tensor<2x2x4xi8>
  %c = tensor.extract_slice %p[%e, 0, 0] [1, 2, 4] [1, 1, 1] : tensor<2x2x4xi8> to tensor<2x4xi8>
  %w = quant.unpack_int4 %c : tensor<2x4xi8> -> tensor<2x8xi4>
  %init = arith.constant dense<0> : tensor<16x2xi32>
  %y = quant.matmul ins(%x, %w : tensor<16x8xi8>, tensor<2x8xi4>)
         outs(%init : tensor<16x2xi32>) {transpose_rhs} -> tensor<16x2xi32>
  return %y : tensor<16x2xi32>
}
