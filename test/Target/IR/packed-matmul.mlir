// RUN: quant-opt %s | FileCheck %s
// RUN: quant-opt %s | quant-opt | FileCheck %s
// RUN: quant-opt %s -mlir-print-op-generic | quant-opt | FileCheck %s
// RUN: quant-opt %s -emit-bytecode | quant-opt | FileCheck %s

// CHECK-LABEL: @packed_matmul
func.func @packed_matmul(%a: tensor<128x384xi8>, %b: tensor<32x96x48x4xi8>,
                         %c: tensor<32x48xi32>, %rf: tensor<1x128xi32>,
                         %cf: tensor<1x32x48xi32>, %sx: tensor<128xf32>,
                         %sw: tensor<32x48xf32>, %e: tensor<128x1536xf32>,
                         %d: tensor<125x381xi8>, %i: tensor<125x1530xi32>) {
  // CHECK: qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 48x4> ins(%{{.*}}, %{{.*}} : tensor<128x384xi8>, tensor<32x96x48x4xi8>) col_bias(%{{.*}} : tensor<32x48xi32>) row_factors(%{{.*}} : tensor<1x128xi32>) col_factors(%{{.*}} : tensor<1x32x48xi32>) row_scale(%{{.*}} : tensor<128xf32>) channel_scale(%{{.*}} : tensor<32x48xf32>) outs(%{{.*}} : tensor<128x1536xf32>) -> tensor<128x1536xf32>
  %0 = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 48x4>
      ins(%a, %b : tensor<128x384xi8>, tensor<32x96x48x4xi8>)
      col_bias(%c : tensor<32x48xi32>)
      row_factors(%rf : tensor<1x128xi32>) col_factors(%cf : tensor<1x32x48xi32>)
      row_scale(%sx : tensor<128xf32>) channel_scale(%sw : tensor<32x48xf32>)
      outs(%e : tensor<128x1536xf32>) -> tensor<128x1536xf32>
  // CHECK: qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 48x4> ins(%{{.*}}, %{{.*}} : tensor<125x381xi8>, tensor<32x96x48x4xi8>) outs(%{{.*}} : tensor<125x1530xi32>) {schedule = #qtarget.schedule<rows = 6, blockM = 252, blockK = 512>} -> tensor<125x1530xi32>
  %1 = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 48x4>
      ins(%d, %b : tensor<125x381xi8>, tensor<32x96x48x4xi8>)
      outs(%i : tensor<125x1530xi32>)
      {schedule = #qtarget.schedule<rows = 6, blockM = 252, blockK = 512>}
      -> tensor<125x1530xi32>
  return
}

// CHECK-LABEL: @packed_matmul_nibbles
func.func @packed_matmul_nibbles(%a: tensor<128x381xi8>, %b: tensor<32x48x48x4xi8>, %e: tensor<128x1536xi32>) -> tensor<128x1536xi32> {
  // CHECK: qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s4 48x8> ins(%{{.*}}, %{{.*}} : tensor<128x381xi8>, tensor<32x48x48x4xi8>) outs(%{{.*}} : tensor<128x1536xi32>) -> tensor<128x1536xi32>
  %0 = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s4 48x8> ins(%a, %b : tensor<128x381xi8>, tensor<32x48x48x4xi8>) outs(%e : tensor<128x1536xi32>) -> tensor<128x1536xi32>
  return %0 : tensor<128x1536xi32>
}

// CHECK-LABEL: @packed_matmul_memref
func.func @packed_matmul_memref(%a: memref<?x?xi8>, %b: memref<1x?x16x4xi8>,
                                %s: memref<f32>, %e: memref<?x16xi8>) {
  // CHECK: qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 16x4> ins(%{{.*}}, %{{.*}} : memref<?x?xi8>, memref<1x?x16x4xi8>) row_scale(%{{.*}} : memref<f32>) outs(%{{.*}} : memref<?x16xi8>) {range = array<i64: -128, 127>, zero_point = 5 : i32}
  qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 16x4>
      ins(%a, %b : memref<?x?xi8>, memref<1x?x16x4xi8>)
      row_scale(%s : memref<f32>) outs(%e : memref<?x16xi8>)
      {zero_point = 5 : i32, range = array<i64: -128, 127>}
  return
}

// CHECK-LABEL: @packed_epilogues
func.func @packed_epilogues(%a: tensor<8x4xi8>, %b: tensor<1x1x16x4xi8>,
                            %m: tensor<1x16xi32>, %sh: tensor<1x16xi8>,
                            %mt: tensor<i32>, %st: tensor<i8>, %s: tensor<f32>,
                            %r: tensor<8x16xf32>, %e8: tensor<8x16xi8>,
                            %e32: tensor<8x16xi32>) {
  // CHECK: qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 16x4> ins(%{{.*}}, %{{.*}} : tensor<8x4xi8>, tensor<1x1x16x4xi8>) multiplier(%{{.*}} : tensor<1x16xi32>) shift(%{{.*}} : tensor<1x16xi8>) rounding(DOUBLE_ROUND) outs(%{{.*}} : tensor<8x16xi8>) unsigned {range = array<i64: 0, 255>, zero_point = 7 : i32} -> tensor<8x16xi8>
  %0 = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 16x4> ins(%a, %b : tensor<8x4xi8>, tensor<1x1x16x4xi8>)
         multiplier(%m : tensor<1x16xi32>) shift(%sh : tensor<1x16xi8>) rounding(DOUBLE_ROUND)
         outs(%e8 : tensor<8x16xi8>) unsigned {range = array<i64: 0, 255>, zero_point = 7 : i32} -> tensor<8x16xi8>
  // CHECK: qtarget.packed_matmul {{.*}} multiplier(%{{.*}} : tensor<i32>) shift(%{{.*}} : tensor<i8>) rounding(SINGLE_ROUND) outs(%{{.*}} : tensor<8x16xi32>)
  %1 = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 16x4> ins(%a, %b : tensor<8x4xi8>, tensor<1x1x16x4xi8>)
         multiplier(%mt : tensor<i32>) shift(%st : tensor<i8>) rounding(SINGLE_ROUND)
         outs(%e32 : tensor<8x16xi32>) {range = array<i64: -5, 2147483647>} -> tensor<8x16xi32>
  // CHECK: qtarget.packed_matmul {{.*}} row_scale(%{{.*}} : tensor<f32>) residual(%{{.*}} : tensor<8x16xf32>) outs(%{{.*}} : tensor<8x16xf32>)
  %2 = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 16x4> ins(%a, %b : tensor<8x4xi8>, tensor<1x1x16x4xi8>)
         row_scale(%s : tensor<f32>) residual(%r : tensor<8x16xf32>)
         outs(%r : tensor<8x16xf32>) -> tensor<8x16xf32>
  return
}

// CHECK-LABEL: @packed_groups
func.func @packed_groups(%x: tensor<?x4096xi8>, %w: tensor<64x32x16x16x4xi8>,
                         %s: tensor<64x32x16xf32>, %r: tensor<?x32xi32>,
                         %f: tensor<1x?x32xi32>, %c: tensor<1x64x32x16xi32>,
                         %o: tensor<64x32x16xf32>, %sx: tensor<?xf32>,
                         %b: tensor<64x16xf32>, %e: tensor<?x1024xf16>) {
  // CHECK: qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = s8, rhs = u4 16x8, group = 128> ins(%{{.*}}, %{{.*}} : tensor<?x4096xi8>, tensor<64x32x16x16x4xi8>) rhs_scale(%{{.*}} : tensor<64x32x16xf32>) row_bias(%{{.*}} : tensor<?x32xi32>) row_factors(%{{.*}} : tensor<1x?x32xi32>) col_factors(%{{.*}} : tensor<1x64x32x16xi32>) row_sums(%{{.*}} : tensor<?x32xi32>) rhs_offset(%{{.*}} : tensor<64x32x16xf32>) row_scale(%{{.*}} : tensor<?xf32>) bias(%{{.*}} : tensor<64x16xf32>) outs(%{{.*}} : tensor<?x1024xf16>) -> tensor<?x1024xf16>
  %0 = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = s8, rhs = u4 16x8, group = 128>
      ins(%x, %w : tensor<?x4096xi8>, tensor<64x32x16x16x4xi8>)
      rhs_scale(%s : tensor<64x32x16xf32>) row_bias(%r : tensor<?x32xi32>)
      row_factors(%f : tensor<1x?x32xi32>) col_factors(%c : tensor<1x64x32x16xi32>)
      row_sums(%r : tensor<?x32xi32>) rhs_offset(%o : tensor<64x32x16xf32>)
      row_scale(%sx : tensor<?xf32>) bias(%b : tensor<64x16xf32>)
      outs(%e : tensor<?x1024xf16>) -> tensor<?x1024xf16>
  return
}

// CHECK-LABEL: @packed_zero_points
func.func @packed_zero_points(%x: memref<?x2x1x64xi8>, %w: memref<2x3x8x8x4xi8>,
                              %s: memref<2x3x8xf32>, %z: memref<2x3x8xi32>,
                              %zx: memref<i32>, %e: memref<?x12xf32>) {
  // CHECK: qtarget.packed_matmul #qtarget.nvvm<grouped_s8> layout<lhs = s8 1x64, rhs = s8 8x4, group = 32> ins(%{{.*}}, %{{.*}} : memref<?x2x1x64xi8>, memref<2x3x8x8x4xi8>) rhs_scale(%{{.*}} : memref<2x3x8xf32>) rhs_zero_point(%{{.*}} : memref<2x3x8xi32>) lhs_zero_point(%{{.*}} : memref<i32>) rhs_sums(%{{.*}} : memref<2x3x8xi32>) outs(%{{.*}} : memref<?x12xf32>){{$}}
  qtarget.packed_matmul #qtarget.nvvm<grouped_s8> layout<lhs = s8 1x64, rhs = s8 8x4, group = 32>
      ins(%x, %w : memref<?x2x1x64xi8>, memref<2x3x8x8x4xi8>)
      rhs_scale(%s : memref<2x3x8xf32>) rhs_zero_point(%z : memref<2x3x8xi32>)
      lhs_zero_point(%zx : memref<i32>) rhs_sums(%z : memref<2x3x8xi32>)
      outs(%e : memref<?x12xf32>)
  return
}

// CHECK-LABEL: @packed_floats
func.func @packed_floats(%x: tensor<?x4096xf32>, %w: tensor<64x32x16x16x4xi8>,
                         %s: tensor<64x32x16xf32>, %z: tensor<i32>,
                         %m: tensor<?x32xf32>, %b: tensor<64x16xf32>,
                         %e: tensor<?x1024xf32>) {
  // CHECK: qtarget.packed_matmul #qtarget.x86<vfmadd_512> layout<lhs = f32, rhs = u4 16x8, group = 128> ins(%{{.*}}, %{{.*}} : tensor<?x4096xf32>, tensor<64x32x16x16x4xi8>) rhs_scale(%{{.*}} : tensor<64x32x16xf32>) row_sums(%{{.*}} : tensor<?x32xf32>) rhs_offset(%{{.*}} : tensor<64x32x16xf32>) rhs_zero_point(%{{.*}} : tensor<i32>) bias(%{{.*}} : tensor<64x16xf32>) outs(%{{.*}} : tensor<?x1024xf32>) -> tensor<?x1024xf32>
  %0 = qtarget.packed_matmul #qtarget.x86<vfmadd_512> layout<lhs = f32, rhs = u4 16x8, group = 128>
      ins(%x, %w : tensor<?x4096xf32>, tensor<64x32x16x16x4xi8>)
      rhs_scale(%s : tensor<64x32x16xf32>) row_sums(%m : tensor<?x32xf32>)
      rhs_offset(%s : tensor<64x32x16xf32>) rhs_zero_point(%z : tensor<i32>)
      bias(%b : tensor<64x16xf32>)
      outs(%e : tensor<?x1024xf32>) -> tensor<?x1024xf32>
  return
}
