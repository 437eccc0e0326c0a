// RUN: quant-opt %s | FileCheck %s
// RUN: quant-opt %s | quant-opt | FileCheck %s
// RUN: quant-opt %s -mlir-print-op-generic | quant-opt | FileCheck %s
// RUN: quant-opt %s -emit-bytecode | quant-opt | FileCheck %s

// CHECK-LABEL: @choose_qparams
func.func @choose_qparams(%x: tensor<?x384xf32>, %h: tensor<4x8x2xf16>) {
  // CHECK: quant.choose_qparams %{{.*}} axes = [0] range = [-127, 127] : tensor<?x384xf32> -> tensor<?xf32>
  %s0 = quant.choose_qparams %x axes = [0] range = [-127, 127]
      : tensor<?x384xf32> -> tensor<?xf32>
  // CHECK: quant.choose_qparams %{{.*}} axes = [] range = [0, 255] : tensor<?x384xf32> -> tensor<f32>, tensor<i32>
  %s1, %z1 = quant.choose_qparams %x axes = [] range = [0, 255]
      : tensor<?x384xf32> -> tensor<f32>, tensor<i32>
  // CHECK: quant.choose_qparams %{{.*}} axes = [0, 2] range = [-8, 7] : tensor<4x8x2xf16> -> tensor<4x2xf32>
  %s2 = quant.choose_qparams %h axes = [0, 2] range = [-8, 7]
      : tensor<4x8x2xf16> -> tensor<4x2xf32>
  return
}

// CHECK-LABEL: @quantize
func.func @quantize(%x: tensor<?x384xf32>, %b: tensor<bf16>, %s: tensor<?xf32>,
                    %st: tensor<f32>, %z: tensor<?xi32>, %zt: tensor<i32>) {
  // CHECK: quant.quantize %{{.*}} scale(%{{.*}} : tensor<?xf32>) axes = [0] range = [-127, 127] : tensor<?x384xf32> -> tensor<?x384xi8>
  %q0 = quant.quantize %x scale(%s : tensor<?xf32>) axes = [0]
      range = [-127, 127] : tensor<?x384xf32> -> tensor<?x384xi8>
  // CHECK: quant.quantize %{{.*}} scale(%{{.*}} : tensor<?xf32>) zero_point(%{{.*}} : tensor<?xi32>) axes = [0] range = [0, 255] unsigned : tensor<?x384xf32> -> tensor<?x384xi8>
  %q1 = quant.quantize %x scale(%s : tensor<?xf32>) zero_point(%z : tensor<?xi32>)
      axes = [0] range = [0, 255] unsigned : tensor<?x384xf32> -> tensor<?x384xi8>
  // CHECK: quant.quantize %{{.*}} scale(%{{.*}} : tensor<f32>) axes = [] range = [-8, 7] : tensor<bf16> -> tensor<i4>
  %q2 = quant.quantize %b scale(%st : tensor<f32>) axes = [] range = [-8, 7]
      : tensor<bf16> -> tensor<i4>
  return
}

// CHECK-LABEL: @dequantize
func.func @dequantize(%q: tensor<4x8xi8>, %n: tensor<0x3xi4>, %s: tensor<f32>,
                      %sc: tensor<3xf32>, %z: tensor<i32>) {
  // CHECK: quant.dequantize %{{.*}} scale(%{{.*}} : tensor<f32>) zero_point(%{{.*}} : tensor<i32>) axes = [] unsigned : tensor<4x8xi8> -> tensor<4x8xf32>
  %x0 = quant.dequantize %q scale(%s : tensor<f32>) zero_point(%z : tensor<i32>)
      axes = [] unsigned : tensor<4x8xi8> -> tensor<4x8xf32>
  // CHECK: quant.dequantize %{{.*}} scale(%{{.*}} : tensor<3xf32>) axes = [1] : tensor<0x3xi4> -> tensor<0x3xf16>
  %x1 = quant.dequantize %n scale(%sc : tensor<3xf32>) axes = [1]
      : tensor<0x3xi4> -> tensor<0x3xf16>
  return
}

// CHECK-LABEL: @matmul
func.func @matmul(%x: tensor<?x384xi8>, %w: tensor<1536x384xi8>,
                  %zx: tensor<?xi32>, %zw: tensor<1536xi32>,
                  %acc: tensor<?x1536xi32>) {
  // CHECK: quant.matmul ins(%{{.*}}, %{{.*}} : tensor<?x384xi8>, tensor<1536x384xi8>) lhs_zero_point(%{{.*}} : tensor<?xi32>) rhs_zero_point(%{{.*}} : tensor<1536xi32>) outs(%{{.*}} : tensor<?x1536xi32>) {lhs_unsigned, transpose_rhs} -> tensor<?x1536xi32>
  %0 = quant.matmul ins(%x, %w : tensor<?x384xi8>, tensor<1536x384xi8>)
      lhs_zero_point(%zx : tensor<?xi32>) rhs_zero_point(%zw : tensor<1536xi32>)
      outs(%acc : tensor<?x1536xi32>) {transpose_rhs, lhs_unsigned}
      -> tensor<?x1536xi32>
  return
}

// CHECK-LABEL: @matmul_batched
func.func @matmul_batched(%x: tensor<2x?x4x8xi8>, %w: tensor<2x3x8x5xi4>,
                          %v: tensor<8x5xi4>, %z: tensor<i32>,
                          %zw: tensor<2x3x5xi32>, %acc: tensor<2x3x4x5xi32>,
                          %acc2: tensor<2x?x4x5xi32>) {
  // CHECK: quant.matmul ins(%{{.*}}, %{{.*}} : tensor<2x?x4x8xi8>, tensor<2x3x8x5xi4>) rhs_zero_point(%{{.*}} : tensor<2x3x5xi32>) outs(%{{.*}} : tensor<2x3x4x5xi32>) -> tensor<2x3x4x5xi32>
  %0 = quant.matmul ins(%x, %w : tensor<2x?x4x8xi8>, tensor<2x3x8x5xi4>)
      rhs_zero_point(%zw : tensor<2x3x5xi32>)
      outs(%acc : tensor<2x3x4x5xi32>) -> tensor<2x3x4x5xi32>
  // CHECK: quant.matmul ins(%{{.*}}, %{{.*}} : tensor<2x?x4x8xi8>, tensor<8x5xi4>) lhs_zero_point(%{{.*}} : tensor<i32>) outs(%{{.*}} : tensor<2x?x4x5xi32>) {rhs_unsigned} -> tensor<2x?x4x5xi32>
  %1 = quant.matmul ins(%x, %v : tensor<2x?x4x8xi8>, tensor<8x5xi4>)
      lhs_zero_point(%z : tensor<i32>)
      outs(%acc2 : tensor<2x?x4x5xi32>) {rhs_unsigned} -> tensor<2x?x4x5xi32>
  return
}

// The largest K that is safe for any two 8-bit signed operands.
// CHECK-LABEL: @matmul_largest_k
func.func @matmul_largest_k(%x: tensor<1x131071xi8>, %w: tensor<131071x1xi8>,
                            %acc: tensor<1x1xi32>) -> tensor<1x1xi32> {
  // CHECK: quant.matmul
  %0 = quant.matmul ins(%x, %w : tensor<1x131071xi8>, tensor<131071x1xi8>)
      outs(%acc : tensor<1x1xi32>) -> tensor<1x1xi32>
  return %0 : tensor<1x1xi32>
}

// CHECK-LABEL: @rescale
func.func @rescale(%acc: tensor<?x64xi32>, %sx: tensor<?xf32>,
                   %sw: tensor<64xf32>, %s: tensor<f32>, %b: tensor<64xf32>,
                   %bi: tensor<64xi32>, %r: tensor<?x64xf32>) {
  // CHECK: quant.rescale %{{.*}} row_scale(%{{.*}} : tensor<?xf32>) channel_scale(%{{.*}} : tensor<64xf32>) bias(%{{.*}} : tensor<64xf32>) : tensor<?x64xi32> -> tensor<?x64xf32>
  %y0 = quant.rescale %acc row_scale(%sx : tensor<?xf32>)
      channel_scale(%sw : tensor<64xf32>) bias(%b : tensor<64xf32>)
      : tensor<?x64xi32> -> tensor<?x64xf32>
  // CHECK: quant.rescale %{{.*}} channel_scale(%{{.*}} : tensor<f32>) bias(%{{.*}} : tensor<64xi32>) unsigned {range = array<i64: 0, 255>, zero_point = 3 : i32} : tensor<?x64xi32> -> tensor<?x64xi8>
  %y1 = quant.rescale %acc channel_scale(%s : tensor<f32>)
      bias(%bi : tensor<64xi32>) unsigned
      {zero_point = 3 : i32, range = array<i64: 0, 255>}
      : tensor<?x64xi32> -> tensor<?x64xi8>
  // CHECK: quant.rescale %{{.*}} row_scale(%{{.*}} : tensor<f32>) {clamp_max = 6.000000e+00 : f32, clamp_min = 0.000000e+00 : f32} : tensor<?x64xi32> -> tensor<?x64xbf16>
  %y2 = quant.rescale %acc row_scale(%s : tensor<f32>)
      {clamp_min = 0.0 : f32, clamp_max = 6.0 : f32}
      : tensor<?x64xi32> -> tensor<?x64xbf16>
  // CHECK: quant.rescale %{{.*}} row_scale(%{{.*}} : tensor<f32>) residual(%{{.*}} : tensor<?x64xf32>) : tensor<?x64xi32> -> tensor<?x64xf32>
  %y3 = quant.rescale %acc row_scale(%s : tensor<f32>) residual(%r : tensor<?x64xf32>)
      : tensor<?x64xi32> -> tensor<?x64xf32>
  return
}

// CHECK-LABEL: @rescale_fixed_point
func.func @rescale_fixed_point(%acc: tensor<?x64xi32>, %m: tensor<64xi32>,
                               %s: tensor<64xi8>, %mt: tensor<i32>,
                               %st: tensor<i8>, %b: tensor<64xi32>) {
  // CHECK: quant.rescale_fixed_point %{{.*}} multiplier(%{{.*}} : tensor<64xi32>) shift(%{{.*}} : tensor<64xi8>) rounding(SINGLE_ROUND) bias(%{{.*}} : tensor<64xi32>) {output_zero_point = 3 : i32, range = array<i64: -128, 127>} : tensor<?x64xi32> -> tensor<?x64xi8>
  %q0 = quant.rescale_fixed_point %acc multiplier(%m : tensor<64xi32>)
      shift(%s : tensor<64xi8>) rounding(SINGLE_ROUND) bias(%b : tensor<64xi32>)
      {output_zero_point = 3 : i32, range = array<i64: -128, 127>}
      : tensor<?x64xi32> -> tensor<?x64xi8>
  // CHECK: quant.rescale_fixed_point %{{.*}} rounding(DOUBLE_ROUND) unsigned {range = array<i64: 0, 65535>} : tensor<?x64xi32> -> tensor<?x64xi16>
  %q1 = quant.rescale_fixed_point %acc multiplier(%mt : tensor<i32>)
      shift(%st : tensor<i8>) rounding(DOUBLE_ROUND) unsigned
      {range = array<i64: 0, 65535>}
      : tensor<?x64xi32> -> tensor<?x64xi16>
  return
}

// CHECK-LABEL: @int2
func.func @int2(%q: tensor<8x5xi2>, %d: tensor<?xi2>) {
  // CHECK: quant.pack_int2 %{{.*}} : tensor<8x5xi2> -> tensor<8x2xi8>
  %p = quant.pack_int2 %q : tensor<8x5xi2> -> tensor<8x2xi8>
  // CHECK: quant.unpack_int2 %{{.*}} : tensor<8x2xi8> -> tensor<8x7xi2>
  %u = quant.unpack_int2 %p : tensor<8x2xi8> -> tensor<8x7xi2>
  // CHECK: quant.pack_int2 %{{.*}} : tensor<?xi2> -> tensor<?xi8>
  %e = quant.pack_int2 %d : tensor<?xi2> -> tensor<?xi8>
  return
}

// CHECK-LABEL: @int4
func.func @int4(%q: tensor<8x5xi4>, %d: tensor<?xi4>) {
  // CHECK: quant.pack_int4 %{{.*}} : tensor<8x5xi4> -> tensor<8x3xi8>
  %p = quant.pack_int4 %q : tensor<8x5xi4> -> tensor<8x3xi8>
  // CHECK: quant.unpack_int4 %{{.*}} : tensor<8x3xi8> -> tensor<8x5xi4>
  %u = quant.unpack_int4 %p : tensor<8x3xi8> -> tensor<8x5xi4>
  // CHECK: quant.unpack_int4 %{{.*}} : tensor<8x3xi8> -> tensor<8x6xi4>
  %v = quant.unpack_int4 %p : tensor<8x3xi8> -> tensor<8x6xi4>
  // CHECK: quant.pack_int4 %{{.*}} : tensor<?xi4> -> tensor<?xi8>
  %e = quant.pack_int4 %d : tensor<?xi4> -> tensor<?xi8>
  return
}
