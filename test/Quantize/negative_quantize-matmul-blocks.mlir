// RUN: quant-opt %s -split-input-file -quant-quantize-matmul="weights=group group-size=6 activations=dynamic-block block-size=4" -verify-diagnostics | FileCheck %s
// RUN: not quant-opt %s -split-input-file -quant-quantize-matmul="activations=dynamic-block block-size=0" 2>&1 | FileCheck %s --check-prefix=SIZE
// RUN: not quant-opt %s -split-input-file -quant-quantize-matmul="activations=dynamic-block symmetric=false" 2>&1 | FileCheck %s --check-prefix=ZERO
// RUN: not quant-opt %s -split-input-file -quant-quantize-matmul="activation-scales=f16" 2>&1 | FileCheck %s --check-prefix=TOKEN
// RUN: not quant-opt %s -split-input-file -quant-quantize-matmul="activations=dynamic-block activation-scales=q8_0 block-size=64" 2>&1 | FileCheck %s --check-prefix=Q8
// RUN: not quant-opt %s -split-input-file -quant-quantize-matmul="activations=dynamic-block activation-scales=e4m3" 2>&1 | FileCheck %s --check-prefix=WORD
// RUN: not quant-opt %s -split-input-file -quant-quantize-matmul="activations=dynamic-block activation-scales=mlas activation-bits=4" 2>&1 | FileCheck %s --check-prefix=MLAS

// SIZE: error: option 'block-size': expected more than 0, found 0
// ZERO: error: option 'activations=dynamic-block': blocks have no zero points, expected 'symmetric=true'
// TOKEN: error: option 'activation-scales': expected 'f32' without 'activations=dynamic-block'
// Q8: error: option 'activation-scales=q8_0': expected 'activation-bits=8' and 'block-size=32', found 8 and 64
// MLAS: error: option 'activation-scales=mlas': expected 'activation-bits=8', found 4
// WORD: error: option 'activation-scales': expected f32, f16, bf16, e8m0, q8_0 or mlas, found 'e4m3'

// CHECK-LABEL: @neither_divides
// CHECK: linalg.matmul
func.func @neither_divides(%x: tensor<2x12xf32>) -> tensor<2x4xf32> {
  %w = arith.constant dense<1.0> : tensor<12x4xf32>
  %zero = arith.constant dense<0.0> : tensor<2x4xf32>
  // expected-remark @below {{matmul stays in float: expected one of groups of 6 and blocks of 4 to divide the other}}
  %y = linalg.matmul ins(%x, %w : tensor<2x12xf32>, tensor<12x4xf32>) outs(%zero : tensor<2x4xf32>) -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// -----

// CHECK-LABEL: @given_groups
// CHECK: quant.scaled_matmul ins(%arg0, %arg1 : tensor<2x12xf32>, tensor<4x12xi4>)
func.func @given_groups(%x: tensor<2x12xf32>, %w: tensor<4x12xi4>, %s: tensor<4x2xf32>) -> tensor<2x4xf32> {
  // expected-remark @below {{activations stay in float: expected one of groups of 6 and blocks of 4 to divide the other}}
  %y = quant.scaled_matmul ins(%x, %w : tensor<2x12xf32>, tensor<4x12xi4>) rhs_scale(%s : tensor<4x2xf32>) {group_size = 6 : i64} -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// -----

// CHECK-LABEL: @dynamic
// CHECK: quant.scaled_matmul ins(%arg0, %arg1 : tensor<2x?xf32>, tensor<4x?xi8>)
func.func @dynamic(%x: tensor<2x?xf32>, %w: tensor<4x?xi8>, %s: tensor<4x?xf32>) -> tensor<2x4xf32> {
  // expected-remark @below {{activations stay in float: expected a contracted dimension of static size for blocks of activations}}
  %y = quant.scaled_matmul ins(%x, %w : tensor<2x?xf32>, tensor<4x?xi8>) rhs_scale(%s : tensor<4x?xf32>) {group_size = 4 : i64} -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// -----

// CHECK-LABEL: @runtime_weight
// CHECK: linalg.matmul
func.func @runtime_weight(%x: tensor<2x8xf32>, %w: tensor<8x4xf32>) -> tensor<2x4xf32> {
  %zero = arith.constant dense<0.0> : tensor<2x4xf32>
  // expected-remark @below {{matmul stays in float: the scheme needs a constant weight whose data is there}}
  %y = linalg.matmul ins(%x, %w : tensor<2x8xf32>, tensor<8x4xf32>) outs(%zero : tensor<2x4xf32>) -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}
