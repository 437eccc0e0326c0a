// Blocks along K of activations and weights are rotated before they are
// quantized. (The rotated weights are against NumPy in rotation.py.)
// RUN: quant-opt %s -quant-quantize-matmul="rotation=hadamard32" -verify-diagnostics | FileCheck %s
// RUN: quant-opt %s -quant-quantize-matmul="rotation=hadamard32 rotation-seed=5 activations=dynamic-tensor symmetric=false" 2>/dev/null | FileCheck %s --check-prefix=SEED
// RUN: quant-opt %s -quant-quantize-matmul="rotation=hadamard32 activations=float weight-bits=4" 2>/dev/null | FileCheck %s --check-prefix=FLOAT
// RUN: not quant-opt %s -quant-quantize-matmul="rotation=hadamard" 2>&1 | FileCheck %s --check-prefix=NAME
// RUN: not quant-opt %s -quant-quantize-matmul="rotation=hadamard32 rotation-seed=-1" 2>&1 | FileCheck %s --check-prefix=NEGATIVE
// NAME: error: option 'rotation': expected none, hadamard32 or hadamard128, found 'hadamard'
// NEGATIVE: error: option 'rotation-seed': expected a number from 0 to 2147483647, found -1

// CHECK-LABEL: @rotated
// CHECK-SAME: %[[X:.*]]: tensor<?x32xf16>
// CHECK: %[[R:.*]] = quant.rotate %[[X]] size = 32 : tensor<?x32xf16> -> tensor<?x32xf32>
// CHECK: quant.choose_qparams %[[R]]
// CHECK: %[[Q:.*]] = quant.quantize %[[R]]
// A column of 1 becomes sqrt(32), 0, 0, ...
// CHECK: arith.constant dense<{{\[}}[127, 127], [0, 0], [0, 0]
// CHECK: %[[S:.*]] = arith.constant dense<0.0445421599> : tensor<2xf32>
// CHECK: quant.matmul ins(%[[Q]]
// CHECK: quant.rescale {{.*}}-> tensor<?x2xf16>
// SEED-LABEL: @rotated
// SEED: quant.rotate %{{.*}} size = 32 seed = 5
// FLOAT-LABEL: @rotated
// FLOAT: %[[R:.*]] = quant.rotate
// FLOAT: quant.scaled_matmul ins(%[[R]], {{.*}} : tensor<?x32xf32>, tensor<2x32xi4>)
func.func @rotated(%x: tensor<?x32xf16>, %init: tensor<?x2xf16>) -> tensor<?x2xf16> {
  %w = arith.constant dense<1.0> : tensor<32x2xf16>
  %y = linalg.matmul ins(%x, %w : tensor<?x32xf16>, tensor<32x2xf16>) outs(%init : tensor<?x2xf16>) -> tensor<?x2xf16>
  return %y : tensor<?x2xf16>
}

// Two products of one weight and one activation rotate both once; another
// activation shares the weight.
// CHECK-LABEL: @shared
// CHECK: quant.rotate %arg0
// CHECK: quant.matmul ins(%{{.*}}, %[[W:.*]] : tensor<4x64xi8>
// CHECK: quant.rotate %arg1
// CHECK: quant.matmul
func.func @shared(%x: tensor<4x64xf32>, %z: tensor<4x64xf32>) -> (tensor<4x2xf32>, tensor<4x2xf32>) {
  %w = arith.constant dense<1.0> : tensor<64x2xf32>
  %zero = arith.constant dense<0.0> : tensor<4x2xf32>
  %y = linalg.matmul ins(%x, %w : tensor<4x64xf32>, tensor<64x2xf32>) outs(%zero : tensor<4x2xf32>) -> tensor<4x2xf32>
  %v = linalg.matmul ins(%z, %w : tensor<4x64xf32>, tensor<64x2xf32>) outs(%zero : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %y, %v : tensor<4x2xf32>, tensor<4x2xf32>
}

// CHECK-LABEL: @negative_short
// CHECK-NOT: quant.rotate
// CHECK: quant.matmul
func.func @negative_short(%x: tensor<4x16xf32>) -> tensor<4x2xf32> {
  %w = arith.constant dense<1.0> : tensor<16x2xf32>
  %zero = arith.constant dense<0.0> : tensor<4x2xf32>
  // expected-remark @below {{not rotated: K = 16 has no whole block of 32}}
  %y = linalg.matmul ins(%x, %w : tensor<4x16xf32>, tensor<16x2xf32>) outs(%zero : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %y : tensor<4x2xf32>
}

// CHECK-LABEL: @negative_argument
// CHECK-NOT: quant.rotate
// CHECK: quant.matmul
func.func @negative_argument(%x: tensor<4x64xf32>, %w: tensor<64x2xf32>) -> tensor<4x2xf32> {
  %zero = arith.constant dense<0.0> : tensor<4x2xf32>
  // expected-remark @below {{not rotated: the weight is not a constant whose data is there}}
  %y = linalg.matmul ins(%x, %w : tensor<4x64xf32>, tensor<64x2xf32>) outs(%zero : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %y : tensor<4x2xf32>
}

// The weight knows K, each of its loops where it has two.
// CHECK-LABEL: @dynamic
// CHECK-SAME: %[[X:.*]]: tensor<4x?xf32>)
// CHECK: %[[CAST:.*]] = tensor.cast %[[X]] : tensor<4x?xf32> to tensor<4x64xf32>
// CHECK: quant.rotate %[[CAST]] size = 32
// CHECK: quant.matmul
func.func @dynamic(%x: tensor<4x?xf32>) -> tensor<4x2xf32> {
  %w = arith.constant dense<1.0> : tensor<64x2xf32>
  %zero = arith.constant dense<0.0> : tensor<4x2xf32>
  %y = linalg.matmul ins(%x, %w : tensor<4x?xf32>, tensor<64x2xf32>) outs(%zero : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %y : tensor<4x2xf32>
}

// CHECK-LABEL: @dynamic_loops
// CHECK: %[[CAST:.*]] = tensor.cast %{{.*}} : tensor<4x?x?xf32> to tensor<4x4x16xf32>
// CHECK: %[[ROWS:.*]] = tensor.collapse_shape %[[CAST]]
// CHECK: quant.rotate %[[ROWS]] size = 32 : tensor<4x64xf32>
func.func @dynamic_loops(%x: tensor<4x?x?xf32>) -> tensor<4x2xf32> {
  %w = arith.constant dense<1.0> : tensor<4x16x2xf32>
  %zero = arith.constant dense<0.0> : tensor<4x2xf32>
  %y = linalg.contract indexing_maps = [affine_map<(m, n, j, k) -> (m, j, k)>, affine_map<(m, n, j, k) -> (j, k, n)>, affine_map<(m, n, j, k) -> (m, n)>]
      ins(%x, %w : tensor<4x?x?xf32>, tensor<4x16x2xf32>) outs(%zero : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %y : tensor<4x2xf32>
}

// CHECK-LABEL: @negative_given
// CHECK-NOT: quant.rotate
// CHECK: quant.matmul
func.func @negative_given(%x: tensor<4x64xf32>, %q: tensor<64x2xi8>, %s: tensor<f32>) -> tensor<4x2xf32> {
  %zero = arith.constant dense<0.0> : tensor<4x2xf32>
  %w = quant.dequantize %q scale(%s : tensor<f32>) axes = [] : tensor<64x2xi8> -> tensor<64x2xf32>
  // expected-remark @below {{not rotated: the program gives the weight in integers}}
  %y = linalg.matmul ins(%x, %w : tensor<4x64xf32>, tensor<64x2xf32>) outs(%zero : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %y : tensor<4x2xf32>
}

// A product that was imported with its weight in integers.
// CHECK-LABEL: @negative_imported
// CHECK-NOT: quant.rotate
// CHECK: quant.scaled_matmul ins(%{{.*}} : tensor<4x64xi8>
func.func @negative_imported(%x: tensor<4x64xf32>, %q: tensor<2x64xi8>, %s: tensor<2x2xf32>) -> tensor<4x2xf32> {
  // expected-remark @below {{not rotated: the program gives the weight in integers}}
  %y = quant.scaled_matmul ins(%x, %q : tensor<4x64xf32>, tensor<2x64xi8>) rhs_scale(%s : tensor<2x2xf32>) {group_size = 32 : i64} -> tensor<4x2xf32>
  return %y : tensor<4x2xf32>
}
