// RUN: quant-opt %s --quant-quantize-matmul | FileCheck %s
// RUN: quant-opt %s --quant-quantize-matmul=activations=dynamic-block | FileCheck %s

// No product of nothing but zeros is too long for an accumulator.
// CHECK: quant.scaled_matmul ins(%{{.*}}, %{{.*}} : tensor<2x8xi8>, tensor<4x8xi4>)
func.func @main(%x: tensor<2x8xf32>) -> tensor<2x4xf32> {
  %w = arith.constant dense<1> : tensor<4x8xi4>
  %s = arith.constant dense<1.0> : tensor<4x1xf32>
  %y = quant.scaled_matmul ins(%x, %w : tensor<2x8xf32>, tensor<4x8xi4>) rhs_scale(%s : tensor<4x1xf32>) {group_size = 8 : i64, rhs_codebook = array<i8: 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}
