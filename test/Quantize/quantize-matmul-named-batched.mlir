// Batched matrix-vector products against one weight, and ops with two
// contracted dimensions.
// RUN: quant-opt %s -quant-quantize-matmul -split-input-file | FileCheck %s

// CHECK-LABEL: @batch_matvec
func.func @batch_matvec(%w: tensor<4x8xf32>, %x: tensor<5x8xf32>) -> tensor<5x4xf32> {
  %zero = arith.constant dense<0.0> : tensor<5x4xf32>
  %e = tensor.empty() : tensor<5x4x8xf32>
  %b = linalg.broadcast ins(%w : tensor<4x8xf32>) outs(%e : tensor<5x4x8xf32>) dimensions = [0]
  // CHECK: quant.matmul ins({{.*}} : tensor<5x8xi8>, tensor<4x8xi8>) {{.*}} {transpose_rhs}
  %y = linalg.batch_matvec ins(%b, %x : tensor<5x4x8xf32>, tensor<5x8xf32>) outs(%zero : tensor<5x4xf32>) -> tensor<5x4xf32>
  return %y : tensor<5x4xf32>
}

// -----

// CHECK-LABEL: @batch_vecmat
func.func @batch_vecmat(%x: tensor<5x8xf32>, %w: tensor<8x4xf32>) -> tensor<5x4xf32> {
  %zero = arith.constant dense<0.0> : tensor<5x4xf32>
  %e = tensor.empty() : tensor<5x8x4xf32>
  %b = linalg.broadcast ins(%w : tensor<8x4xf32>) outs(%e : tensor<5x8x4xf32>) dimensions = [0]
  // CHECK: quant.matmul ins({{.*}} : tensor<5x8xi8>, tensor<8x4xi8>)
  %y = linalg.batch_vecmat ins(%x, %b : tensor<5x8xf32>, tensor<5x8x4xf32>) outs(%zero : tensor<5x4xf32>) -> tensor<5x4xf32>
  return %y : tensor<5x4xf32>
}

// -----

// CHECK-LABEL: @batch_reduce_matmul
func.func @batch_reduce_matmul(%x: tensor<2x3x8xf32>, %w: tensor<2x8x4xf32>) -> tensor<3x4xf32> {
  %zero = arith.constant dense<0.0> : tensor<3x4xf32>
  // CHECK: quant.matmul ins({{.*}} : tensor<3x16xi8>, tensor<16x4xi8>)
  %y = linalg.batch_reduce_matmul ins(%x, %w : tensor<2x3x8xf32>, tensor<2x8x4xf32>) outs(%zero : tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// -----

// CHECK-LABEL: @mmt4d
func.func @mmt4d(%x: tensor<2x3x4x8xf32>, %w: tensor<5x3x6x8xf32>) -> tensor<2x5x4x6xf32> {
  %zero = arith.constant dense<0.0> : tensor<2x5x4x6xf32>
  // CHECK: quant.matmul ins({{.*}} : tensor<8x24xi8>, tensor<30x24xi8>) {{.*}} {transpose_rhs}
  %y = linalg.mmt4d ins(%x, %w : tensor<2x3x4x8xf32>, tensor<5x3x6x8xf32>) outs(%zero : tensor<2x5x4x6xf32>) -> tensor<2x5x4x6xf32>
  return %y : tensor<2x5x4x6xf32>
}
