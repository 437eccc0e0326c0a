// Additions that are no bias of the matmul stay.
// RUN: quant-opt %s -quant-quantize-matmul -split-input-file | FileCheck %s
// CHECK-NOT: bias(

// A vector over the rows.
// CHECK-LABEL: @over_rows
func.func @over_rows(%x: tensor<4x8xf32>, %w: tensor<8x4xf32>, %b: tensor<4xf32>) -> tensor<4x4xf32> {
  %zero = arith.constant dense<0.0> : tensor<4x4xf32>
  %e = tensor.empty() : tensor<4x4xf32>
  %c = linalg.broadcast ins(%b : tensor<4xf32>) outs(%e : tensor<4x4xf32>) dimensions = [1]
  %y = linalg.matmul ins(%x, %w : tensor<4x8xf32>, tensor<8x4xf32>) outs(%zero : tensor<4x4xf32>) -> tensor<4x4xf32>
  // CHECK: linalg.add
  %z = linalg.add ins(%y, %c : tensor<4x4xf32>, tensor<4x4xf32>) outs(%e : tensor<4x4xf32>) -> tensor<4x4xf32>
  return %z : tensor<4x4xf32>
}

// -----

// The sum without the bias is used elsewhere.
// CHECK-LABEL: @second_use
func.func @second_use(%x: tensor<3x8xf32>, %w: tensor<8x4xf32>, %b: tensor<4xf32>) -> (tensor<3x4xf32>, tensor<3x4xf32>) {
  %zero = arith.constant dense<0.0> : tensor<3x4xf32>
  %e = tensor.empty() : tensor<3x4xf32>
  %c = linalg.broadcast ins(%b : tensor<4xf32>) outs(%e : tensor<3x4xf32>) dimensions = [0]
  %y = linalg.matmul ins(%x, %w : tensor<3x8xf32>, tensor<8x4xf32>) outs(%zero : tensor<3x4xf32>) -> tensor<3x4xf32>
  // CHECK: linalg.add
  %z = linalg.add ins(%y, %c : tensor<3x4xf32>, tensor<3x4xf32>) outs(%e : tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y, %z : tensor<3x4xf32>, tensor<3x4xf32>
}

// -----

// An f16 sum rounds twice; the fused one would round once.
// CHECK-LABEL: @half
func.func @half(%x: tensor<3x8xf16>, %w: tensor<8x4xf16>, %b: tensor<4xf16>) -> tensor<3x4xf16> {
  %zero = arith.constant dense<0.0> : tensor<3x4xf16>
  %e = tensor.empty() : tensor<3x4xf16>
  %c = linalg.broadcast ins(%b : tensor<4xf16>) outs(%e : tensor<3x4xf16>) dimensions = [0]
  %y = linalg.matmul ins(%x, %w : tensor<3x8xf16>, tensor<8x4xf16>) outs(%zero : tensor<3x4xf16>) -> tensor<3x4xf16>
  // CHECK: linalg.add
  %z = linalg.add ins(%y, %c : tensor<3x4xf16>, tensor<3x4xf16>) outs(%e : tensor<3x4xf16>) -> tensor<3x4xf16>
  return %z : tensor<3x4xf16>
}

// -----

// A residual connection.
// CHECK-LABEL: @residual
func.func @residual(%x: tensor<3x8xf32>, %w: tensor<8x4xf32>, %r: tensor<3x4xf32>) -> tensor<3x4xf32> {
  %zero = arith.constant dense<0.0> : tensor<3x4xf32>
  %e = tensor.empty() : tensor<3x4xf32>
  %y = linalg.matmul ins(%x, %w : tensor<3x8xf32>, tensor<8x4xf32>) outs(%zero : tensor<3x4xf32>) -> tensor<3x4xf32>
  // CHECK: linalg.add
  %z = linalg.add ins(%y, %r : tensor<3x4xf32>, tensor<3x4xf32>) outs(%e : tensor<3x4xf32>) -> tensor<3x4xf32>
  return %z : tensor<3x4xf32>
}
