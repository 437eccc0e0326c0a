// Weights alone are quantized: no float copy of them, float activations.
// RUN: quant-opt %s --quant-import=weight-only=true --split-input-file --verify-diagnostics | FileCheck %s
// RUN: quant-opt %s --quant-import --split-input-file | FileCheck %s --check-prefix=OFF
// RUN: quant-opt %s --quant-import --quant-quantize-matmul="activations=float weights=group" --split-input-file 2>/dev/null \
// RUN:   | FileCheck %s --check-prefix=SCHEME

// A scale for each column; [K, N] is turned at compile time.
// CHECK-LABEL: @per_channel
// CHECK-DAG: %[[W:.*]] = arith.constant dense<{{\[\[}}1, 3, 5], [2, 4, 6]]> : tensor<2x3xi8>
// CHECK-DAG: %[[S:.*]] = arith.constant dense<{{\[\[}}2.500000e-01], [5.000000e-01]]> : tensor<2x1xf32>
// CHECK-DAG: %[[Z:.*]] = arith.constant dense<{{\[\[}}7], [-7]]> : tensor<2x1xi32>
// CHECK-NOT: quant.dequantize
// CHECK: quant.scaled_matmul ins(%arg0, %[[W]] : tensor<?x3xf32>, tensor<2x3xi8>)
// CHECK-SAME: rhs_scale(%[[S]] : tensor<2x1xf32>) rhs_zero_point(%[[Z]] : tensor<2x1xi32>)
// CHECK-SAME: {group_size = 3 : i64} -> tensor<?x2xf32>
// Without the option quant-quantize-matmul is to decide.
// OFF-LABEL: @per_channel
// OFF: linalg.matmul
// SCHEME-LABEL: @per_channel
// SCHEME-NOT: quant.dequantize
// SCHEME: quant.scaled_matmul ins(%arg0, %{{.*}} : tensor<?x3xf32>, tensor<2x3xi8>)
// SCHEME-SAME: group_size = 3
func.func @per_channel(%x: tensor<?x3xf32>, %init: tensor<?x2xf32>) -> tensor<?x2xf32> {
  %q = arith.constant dense<[[1, 2], [3, 4], [5, 6]]> : tensor<3x2xi8>
  %s = arith.constant dense<[0.25, 0.5]> : tensor<2xf32>
  %z = arith.constant dense<[7, -7]> : tensor<2xi32>
  %w = quant.dequantize %q scale(%s : tensor<2xf32>) zero_point(%z : tensor<2xi32>) axes = [1] : tensor<3x2xi8> -> tensor<3x2xf32>
  %y = linalg.matmul ins(%x, %w : tensor<?x3xf32>, tensor<3x2xf32>) outs(%init : tensor<?x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

// One scale, unsigned; the weight comes first and is an argument.
// CHECK-LABEL: @per_tensor
// CHECK-DAG: %[[S:.*]] = arith.constant dense<2.500000e-01> : tensor<4x1xf32>
// CHECK-DAG: %[[Z:.*]] = arith.constant dense<128> : tensor<4x1xi32>
// CHECK: quant.scaled_matmul ins(%arg0, %arg1 : tensor<5x8xf32>, tensor<4x8xi8>)
// CHECK-SAME: rhs_scale(%[[S]] : tensor<4x1xf32>) rhs_zero_point(%[[Z]] : tensor<4x1xi32>)
// CHECK-SAME: {group_size = 8 : i64, rhs_unsigned}
func.func @per_tensor(%x: tensor<5x8xf32>, %q: tensor<4x8xi8>, %init: tensor<5x4xf32>) -> tensor<5x4xf32> {
  %s = arith.constant dense<0.25> : tensor<f32>
  %z = arith.constant dense<128> : tensor<i32>
  %w = quant.dequantize %q scale(%s : tensor<f32>) zero_point(%z : tensor<i32>) axes = [] unsigned : tensor<4x8xi8> -> tensor<4x8xf32>
  %y = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
    ins(%x, %w : tensor<5x8xf32>, tensor<4x8xf32>) outs(%init : tensor<5x4xf32>) -> tensor<5x4xf32>
  return %y : tensor<5x4xf32>
}

// -----

// A scale that is known at run time only is spread over the rows there.
// CHECK-LABEL: @run_time_scale
// CHECK: %[[S:.*]] = linalg.broadcast ins(%arg1 : tensor<f32>) outs(%{{.*}} : tensor<4x1xf32>) dimensions = [0, 1]
// CHECK: quant.scaled_matmul ins(%{{.*}}, %{{.*}} : tensor<10x8xf32>, tensor<4x8xi8>) rhs_scale(%[[S]] : tensor<4x1xf32>)
func.func @run_time_scale(%x: tensor<2x5x8xf32>, %s: tensor<f32>, %init: tensor<2x5x4xf32>) -> tensor<2x5x4xf32> {
  %q = arith.constant dense<3> : tensor<4x8xi8>
  %w = quant.dequantize %q scale(%s : tensor<f32>) axes = [] : tensor<4x8xi8> -> tensor<4x8xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(b, m, n, k) -> (b, m, k)>, affine_map<(b, m, n, k) -> (n, k)>, affine_map<(b, m, n, k) -> (b, m, n)>],
    iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%x, %w : tensor<2x5x8xf32>, tensor<4x8xf32>) outs(%init : tensor<2x5x4xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %0 = arith.mulf %a, %b : f32
    %1 = arith.addf %c, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<2x5x4xf32>
  return %y : tensor<2x5x4xf32>
}

// -----

// Dequantized activations and a float weight are no weight-only product.
// CHECK-LABEL: @activations
// CHECK: linalg.matmul
func.func @activations(%q: tensor<5x8xi8>, %init: tensor<5x4xf32>) -> tensor<5x4xf32> {
  %s = arith.constant dense<0.25> : tensor<f32>
  %w = arith.constant dense<0.5> : tensor<8x4xf32>
  %x = quant.dequantize %q scale(%s : tensor<f32>) axes = [] : tensor<5x8xi8> -> tensor<5x8xf32>
  %y = linalg.matmul ins(%x, %w : tensor<5x8xf32>, tensor<8x4xf32>) outs(%init : tensor<5x4xf32>) -> tensor<5x4xf32>
  return %y : tensor<5x4xf32>
}

// -----

// CHECK-LABEL: @batched
// CHECK: linalg.batch_matmul
func.func @batched(%x: tensor<2x5x8xf32>, %init: tensor<2x5x4xf32>) -> tensor<2x5x4xf32> {
  %s = arith.constant dense<0.25> : tensor<f32>
  %q = arith.constant dense<1> : tensor<2x8x4xi8>
  %w = quant.dequantize %q scale(%s : tensor<f32>) axes = [] : tensor<2x8x4xi8> -> tensor<2x8x4xf32>
  // expected-remark @below {{quantized matmul is not imported: the weight has batch dimensions of its own}}
  %y = linalg.batch_matmul ins(%x, %w : tensor<2x5x8xf32>, tensor<2x8x4xf32>) outs(%init : tensor<2x5x4xf32>) -> tensor<2x5x4xf32>
  return %y : tensor<2x5x4xf32>
}

// -----

// CHECK-LABEL: @dynamic_k
// CHECK: linalg.matmul
func.func @dynamic_k(%x: tensor<5x?xf32>, %q: tensor<?x4xi8>, %init: tensor<5x4xf32>) -> tensor<5x4xf32> {
  %s = arith.constant dense<0.25> : tensor<f32>
  %w = quant.dequantize %q scale(%s : tensor<f32>) axes = [] : tensor<?x4xi8> -> tensor<?x4xf32>
  // expected-remark @below {{quantized matmul is not imported: expected a weight whose contracted dimension is static}}
  %y = linalg.matmul ins(%x, %w : tensor<5x?xf32>, tensor<?x4xf32>) outs(%init : tensor<5x4xf32>) -> tensor<5x4xf32>
  return %y : tensor<5x4xf32>
}

// -----

// One scale for all is one, however many columns there are.
// CHECK-LABEL: func.func @as_many_as_you_like(
// CHECK-DAG: dense<2.500000e-01> : tensor<2147483648x1xf32>
// CHECK-DAG: dense<128> : tensor<2147483648x1xi32>
// CHECK: quant.scaled_matmul
func.func @as_many_as_you_like(%x: tensor<5x8xf32>, %q: tensor<2147483648x8xi8>, %init: tensor<5x2147483648xf32>) -> tensor<5x2147483648xf32> {
  %s = arith.constant dense<0.25> : tensor<f32>
  %z = arith.constant dense<128> : tensor<i32>
  %w = quant.dequantize %q scale(%s : tensor<f32>) zero_point(%z : tensor<i32>) axes = [] unsigned : tensor<2147483648x8xi8> -> tensor<2147483648x8xf32>
  %y = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
    ins(%x, %w : tensor<5x8xf32>, tensor<2147483648x8xf32>) outs(%init : tensor<5x2147483648xf32>) -> tensor<5x2147483648xf32>
  return %y : tensor<5x2147483648xf32>
}
