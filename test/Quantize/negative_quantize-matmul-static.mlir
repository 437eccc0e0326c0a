// RUN: quant-opt %s -quant-quantize-matmul="activations=static" -verify-diagnostics | FileCheck %s

// CHECK: linalg.matmul
func.func @no_scale(%x: tensor<2x8xf32>, %w: tensor<8x4xf32>) -> tensor<2x4xf32> {
  %zero = arith.constant dense<0.0> : tensor<2x4xf32>
  // expected-remark @below {{matmul stays in float: no static scale given for the activations}}
  %y = linalg.matmul ins(%x, %w : tensor<2x8xf32>, tensor<8x4xf32>) outs(%zero : tensor<2x4xf32>) -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}
