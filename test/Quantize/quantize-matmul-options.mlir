// Each option of quant-quantize-matmul.
// RUN: quant-opt %s -quant-quantize-matmul="activations=dynamic-tensor weights=tensor" | FileCheck %s --check-prefix=TENSOR
// RUN: quant-opt %s -quant-quantize-matmul="symmetric=false" | FileCheck %s --check-prefix=ASYM
// RUN: quant-opt %s -quant-quantize-matmul="weight-bits=4" | FileCheck %s --check-prefix=W4A8
// RUN: quant-opt %s -quant-quantize-matmul="weight-bits=4 activation-bits=4 symmetric=false" | FileCheck %s --check-prefix=W4A4
// RUN: not quant-opt %s -quant-quantize-matmul="weight-bits=5" 2>&1 | FileCheck %s --check-prefix=WBITS
// RUN: not quant-opt %s -quant-quantize-matmul="activation-bits=16" 2>&1 | FileCheck %s --check-prefix=ABITS

// WBITS: error: option 'weight-bits': expected 8, 6, 4, 3 or 2, found 5
// ABITS: error: option 'activation-bits': expected 8 or 4, found 16

// TENSOR: quant.choose_qparams %arg0 axes = [] range = [-128, 127] : tensor<2x8xf32> -> tensor<f32>
// TENSOR: quant.choose_qparams %arg1 axes = [] range = [-128, 127] : tensor<8x4xf32> -> tensor<f32>
// TENSOR: quant.rescale {{.*}} row_scale({{.*}} : tensor<f32>) channel_scale({{.*}} : tensor<f32>)

// ASYM: %[[SX:.*]], %[[ZX:.*]] = quant.choose_qparams %arg0 axes = [0] range = [0, 255] : tensor<2x8xf32> -> tensor<2xf32>, tensor<2xi32>
// ASYM: quant.quantize %arg0 scale(%[[SX]] : tensor<2xf32>) zero_point(%[[ZX]] : tensor<2xi32>) axes = [0] range = [0, 255] unsigned
// ASYM: quant.choose_qparams %arg1 axes = [1] range = [-128, 127] : tensor<8x4xf32> -> tensor<4xf32>
// ASYM: quant.matmul {{.*}} lhs_zero_point(%[[ZX]] : tensor<2xi32>) {{.*}} {lhs_unsigned}

// W4A8: quant.quantize %arg0 {{.*}} -> tensor<2x8xi8>
// W4A8: quant.choose_qparams %arg1 axes = [1] range = [-8, 7]
// W4A8: quant.quantize %arg1 {{.*}} range = [-8, 7] : tensor<8x4xf32> -> tensor<8x4xi4>
// W4A8: quant.matmul ins({{.*}} : tensor<2x8xi8>, tensor<8x4xi4>)

// W4A4: quant.choose_qparams %arg0 axes = [0] range = [0, 15]
// W4A4: quant.quantize %arg0 {{.*}} unsigned : tensor<2x8xf32> -> tensor<2x8xi4>
// W4A4: quant.matmul ins({{.*}} : tensor<2x8xi4>, tensor<8x4xi4>) {{.*}} {lhs_unsigned}
func.func @main(%x: tensor<2x8xf32>, %w: tensor<8x4xf32>) -> tensor<2x4xf32> {
  %zero = arith.constant dense<0.0> : tensor<2x4xf32>
  %y = linalg.matmul ins(%x, %w : tensor<2x8xf32>, tensor<8x4xf32>) outs(%zero : tensor<2x4xf32>) -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}
