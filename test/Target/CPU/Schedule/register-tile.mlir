// The tile follows the register file and the sizes that are known: full tiles
// for many rows, more columns for few. Blocks follow the caches.

// RUN: quant-opt --pass-pipeline='builtin.module(quant-set-target{cpu=icelake-server},quant-pack-matmul)' %s | FileCheck %s --check-prefixes=CHECK,ZMM
// RUN: quant-opt --pass-pipeline='builtin.module(quant-set-target{cpu=alderlake},quant-pack-matmul)' %s | FileCheck %s --check-prefixes=CHECK,YMM
// RUN: quant-opt --pass-pipeline='builtin.module(quant-set-target{cpu=haswell},quant-pack-matmul)' %s | FileCheck %s --check-prefixes=CHECK,AVX2

// CHECK-LABEL: func @dynamic_rows
// ZMM: packed_matmul #qtarget.x86<vpdpbusd_512> {{.*}} tensor<?x256xi8>, tensor<16x64x48x4xi8>{{.*}}<rows = 8, blockM = 1280, blockK = 0>
// YMM: packed_matmul #qtarget.x86<vpdpbusd_256> {{.*}} tensor<?x256xi8>, tensor<32x64x24x4xi8>{{.*}}<rows = 4, blockM = 1280, blockK = 0>
// AVX2: packed_matmul #qtarget.x86<vpmaddwd_256> {{.*}} tensor<?x256xi16>, tensor<48x128x16x2xi8>{{.*}}<rows = 4, blockM = 128, blockK = 0>
func.func @dynamic_rows(%x: tensor<?x256xi8>, %w: tensor<768x256xi8>, %init: tensor<?x768xi32>) -> tensor<?x768xi32> {
  %acc = quant.matmul ins(%x, %w : tensor<?x256xi8>, tensor<768x256xi8>)
           outs(%init : tensor<?x768xi32>) {transpose_rhs, lhs_unsigned} -> tensor<?x768xi32>
  return %acc : tensor<?x768xi32>
}

// CHECK-LABEL: func @one_row
// ZMM: packed_matmul #qtarget.x86<vpdpbusd_512> {{.*}} tensor<6x64x128x4xi8>{{.*}}<rows = 1, blockM = 0, blockK = 0>
// YMM: packed_matmul #qtarget.x86<vpdpbusd_256> {{.*}} tensor<12x64x64x4xi8>{{.*}}<rows = 1, blockM = 0, blockK = 0>
func.func @one_row(%x: tensor<1x256xi8>, %w: tensor<768x256xi8>, %init: tensor<1x768xi32>) -> tensor<1x768xi32> {
  %acc = quant.matmul ins(%x, %w : tensor<1x256xi8>, tensor<768x256xi8>)
           outs(%init : tensor<1x768xi32>) {transpose_rhs, lhs_unsigned} -> tensor<1x768xi32>
  return %acc : tensor<1x768xi32>
}

// CHECK-LABEL: func @nine_rows
// ZMM: packed_matmul #qtarget.x86<vpdpbusd_512> {{.*}} tensor<12x64x64x4xi8>{{.*}}<rows = 6, blockM = 0, blockK = 0>
// YMM: packed_matmul #qtarget.x86<vpdpbusd_256> {{.*}} tensor<32x64x24x4xi8>{{.*}}<rows = 4, blockM = 0, blockK = 0>
func.func @nine_rows(%x: tensor<9x256xi8>, %w: tensor<768x256xi8>, %init: tensor<9x768xi32>) -> tensor<9x768xi32> {
  %acc = quant.matmul ins(%x, %w : tensor<9x256xi8>, tensor<768x256xi8>)
           outs(%init : tensor<9x768xi32>) {transpose_rhs, lhs_unsigned} -> tensor<9x768xi32>
  return %acc : tensor<9x768xi32>
}

// CHECK-LABEL: func @few_columns
// ZMM: packed_matmul #qtarget.x86<vpdpbusd_512> {{.*}} tensor<2x64x32x4xi8>{{.*}}<rows = 8, blockM = 0, blockK = 0>
func.func @few_columns(%x: tensor<8x256xi8>, %w: tensor<60x256xi8>, %init: tensor<8x60xi32>) -> tensor<8x60xi32> {
  %acc = quant.matmul ins(%x, %w : tensor<8x256xi8>, tensor<60x256xi8>)
           outs(%init : tensor<8x60xi32>) {transpose_rhs, lhs_unsigned} -> tensor<8x60xi32>
  return %acc : tensor<8x60xi32>
}

// A long K is cut where the panel's part fills an eighth of L2, many rows where
// they fill a quarter.
// CHECK-LABEL: func @large
// ZMM: packed_matmul #qtarget.x86<vpdpbusd_512> {{.*}} tensor<32x4096x64x4xi8>{{.*}}<rows = 6, blockM = 90, blockK = 2344>
// YMM: packed_matmul #qtarget.x86<vpdpbusd_256>
func.func @large(%x: tensor<512x16384xi8>, %w: tensor<2048x16384xi8>, %init: tensor<512x2048xi32>) -> tensor<512x2048xi32> {
  %acc = quant.matmul ins(%x, %w : tensor<512x16384xi8>, tensor<2048x16384xi8>)
           outs(%init : tensor<512x2048xi32>) {transpose_rhs, lhs_unsigned} -> tensor<512x2048xi32>
  return %acc : tensor<512x2048xi32>
}
