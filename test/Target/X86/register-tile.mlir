// The tile follows the register file and the sizes that are known: full tiles
// for many rows, equal parts where rows do not divide, more columns for few.

// RUN: quant-opt --pass-pipeline='builtin.module(quant-set-target{cpu=icelake-server},quant-pack-matmul)' %s | FileCheck %s --check-prefixes=CHECK,ZMM
// RUN: quant-opt --pass-pipeline='builtin.module(quant-set-target{cpu=alderlake},quant-pack-matmul)' %s | FileCheck %s --check-prefixes=CHECK,YMM
// RUN: quant-opt --pass-pipeline='builtin.module(quant-set-target{cpu=haswell},quant-pack-matmul)' %s | FileCheck %s --check-prefixes=CHECK,AVX2

// CHECK-LABEL: func @dynamic_rows
// ZMM: packed_matmul <vpdpbusd_512> {{.*}} tensor<?x64x8x4xi8>, tensor<16x64x48x4xi8>
// YMM: packed_matmul <vpdpbusd_256> {{.*}} tensor<?x64x4x4xi8>, tensor<32x64x24x4xi8>
// AVX2: packed_matmul <vpmaddwd_256> {{.*}} tensor<?x128x4x2xi16>, tensor<48x128x16x2xi8>
func.func @dynamic_rows(%x: tensor<?x256xi8>, %w: tensor<768x256xi8>, %init: tensor<?x768xi32>) -> tensor<?x768xi32> {
  %acc = quant.matmul ins(%x, %w : tensor<?x256xi8>, tensor<768x256xi8>)
           outs(%init : tensor<?x768xi32>) {transpose_rhs, lhs_unsigned} -> tensor<?x768xi32>
  return %acc : tensor<?x768xi32>
}

// CHECK-LABEL: func @one_row
// ZMM: packed_matmul <vpdpbusd_512> {{.*}} tensor<1x64x1x4xi8>, tensor<6x64x128x4xi8>
// YMM: packed_matmul <vpdpbusd_256> {{.*}} tensor<1x64x1x4xi8>, tensor<12x64x64x4xi8>
func.func @one_row(%x: tensor<1x256xi8>, %w: tensor<768x256xi8>, %init: tensor<1x768xi32>) -> tensor<1x768xi32> {
  %acc = quant.matmul ins(%x, %w : tensor<1x256xi8>, tensor<768x256xi8>)
           outs(%init : tensor<1x768xi32>) {transpose_rhs, lhs_unsigned} -> tensor<1x768xi32>
  return %acc : tensor<1x768xi32>
}

// CHECK-LABEL: func @nine_rows
// ZMM: packed_matmul <vpdpbusd_512> {{.*}} tensor<2x64x5x4xi8>, tensor<12x64x64x4xi8>
// YMM: packed_matmul <vpdpbusd_256> {{.*}} tensor<3x64x3x4xi8>, tensor<32x64x24x4xi8>
func.func @nine_rows(%x: tensor<9x256xi8>, %w: tensor<768x256xi8>, %init: tensor<9x768xi32>) -> tensor<9x768xi32> {
  %acc = quant.matmul ins(%x, %w : tensor<9x256xi8>, tensor<768x256xi8>)
           outs(%init : tensor<9x768xi32>) {transpose_rhs, lhs_unsigned} -> tensor<9x768xi32>
  return %acc : tensor<9x768xi32>
}

// CHECK-LABEL: func @few_columns
// ZMM: packed_matmul <vpdpbusd_512> {{.*}} tensor<1x64x8x4xi8>, tensor<2x64x32x4xi8>
func.func @few_columns(%x: tensor<8x256xi8>, %w: tensor<60x256xi8>, %init: tensor<8x60xi32>) -> tensor<8x60xi32> {
  %acc = quant.matmul ins(%x, %w : tensor<8x256xi8>, tensor<60x256xi8>)
           outs(%init : tensor<8x60xi32>) {transpose_rhs, lhs_unsigned} -> tensor<8x60xi32>
  return %acc : tensor<8x60xi32>
}
