// RUN: quant-opt %s -split-input-file -quant-quantize-matmul="weights=group" -verify-diagnostics | FileCheck %s
// RUN: not quant-opt %s -split-input-file -quant-quantize-matmul="weights=group group-size=0" 2>&1 | FileCheck %s --check-prefix=SIZE
// RUN: not quant-opt %s -split-input-file -quant-quantize-matmul="damping=2" 2>&1 | FileCheck %s --check-prefix=DAMPING
// RUN: not quant-opt %s -split-input-file -quant-quantize-matmul="weight-scale=full-range weight-symmetric=false" 2>&1 | FileCheck %s --check-prefix=RANGE
// RUN: not quant-opt %s -split-input-file -quant-quantize-matmul="weight-scale=best" 2>&1 | FileCheck %s --check-prefix=SEARCH
// RUN: not quant-opt %s -split-input-file -quant-quantize-matmul="rounding=error-compensated" 2>&1 | FileCheck %s --check-prefix=STATS
// RUN: not quant-opt %s -split-input-file -quant-quantize-matmul="stats=%t.none" 2>&1 | FileCheck %s --check-prefix=FILE

// SIZE: error: option 'group-size': expected more than 0, found 0
// DAMPING: error: option 'damping': expected a number from 0 to 1, found 2
// RANGE: error: option 'weight-scale': full-range scales choose their zero points, expected 'weight-symmetric=true'
// SEARCH: error: option 'weight-scale': expected absmax, mse, full-range, full-range-mse or absmean, found 'best'
// STATS: error: option 'rounding=error-compensated' needs 'stats'
// FILE: error: {{.*}}.none: {{.*}}No such file

// CHECK-LABEL: @not_constant
// CHECK: linalg.matmul
func.func @not_constant(%x: tensor<2x8xf32>, %w: tensor<8x4xf32>) -> tensor<2x4xf32> {
  %zero = arith.constant dense<0.0> : tensor<2x4xf32>
  // expected-remark @below {{matmul stays in float: the scheme needs a constant weight whose data is there}}
  %y = linalg.matmul ins(%x, %w : tensor<2x8xf32>, tensor<8x4xf32>) outs(%zero : tensor<2x4xf32>) -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// -----

// CHECK-LABEL: @no_data
// CHECK: linalg.matmul
func.func @no_data(%x: tensor<2x80xf32>) -> tensor<2x40xf32> {
  %w = arith.constant dense_resource<missing> : tensor<80x40xf32>
  %zero = arith.constant dense<0.0> : tensor<2x40xf32>
  // expected-remark @below {{matmul stays in float: the scheme needs a constant weight whose data is there}}
  %y = linalg.matmul ins(%x, %w : tensor<2x80xf32>, tensor<80x40xf32>) outs(%zero : tensor<2x40xf32>) -> tensor<2x40xf32>
  return %y : tensor<2x40xf32>
}

// -----

// A weight that the program quantizes keeps its integers, whatever the scheme.
// CHECK-LABEL: @given
// CHECK-NOT: linalg.matmul
// CHECK: quant.matmul ins(%{{.*}}, %arg1 : tensor<2x8xi8>, tensor<8x4xi8>)
func.func @given(%x: tensor<2x8xf32>, %q: tensor<8x4xi8>, %s: tensor<f32>) -> tensor<2x4xf32> {
  %zero = arith.constant dense<0.0> : tensor<2x4xf32>
  %w = quant.dequantize %q scale(%s : tensor<f32>) axes = [] : tensor<8x4xi8> -> tensor<8x4xf32>
  %y = linalg.matmul ins(%x, %w : tensor<2x8xf32>, tensor<8x4xf32>) outs(%zero : tensor<2x4xf32>) -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// -----

// It is a constant, with scales that no kernel takes.
// CHECK-LABEL: func @scales_along_k
// CHECK: linalg.matmul
func.func @scales_along_k(%x: tensor<2x4xf32>) -> tensor<2x3xf32> {
  %w = arith.constant dense<1> : tensor<4x3xi8>
  %s = arith.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
  %d = quant.dequantize %w scale(%s : tensor<4xf32>) axes = [0] : tensor<4x3xi8> -> tensor<4x3xf32>
  %z = arith.constant dense<0.0> : tensor<2x3xf32>
  // expected-remark @below {{matmul stays in float: the program gives the weight in integers, which this product cannot use}}
  %y = linalg.matmul ins(%x, %d : tensor<2x4xf32>, tensor<4x3xf32>) outs(%z : tensor<2x3xf32>) -> tensor<2x3xf32>
  return %y : tensor<2x3xf32>
}
