// What may stand between a weight and its matmul.
// RUN: quant-opt %s -quant-quantize-matmul -split-input-file | FileCheck %s

// Every torch Linear: a transposed constant. Its blob may be missing.
// CHECK-LABEL: @transposed_constant
func.func @transposed_constant(%x: tensor<3x8xf32>) -> tensor<3x4xf32> {
  %zero = arith.constant dense<0.0> : tensor<3x4xf32>
  // CHECK: %[[W:.*]] = arith.constant dense_resource<w> : tensor<4x8xf32>
  %w = arith.constant dense_resource<w> : tensor<4x8xf32>
  %e = tensor.empty() : tensor<8x4xf32>
  // CHECK-NOT: linalg.transpose
  %t = linalg.transpose ins(%w : tensor<4x8xf32>) outs(%e : tensor<8x4xf32>) permutation = [1, 0]
  // CHECK: quant.choose_qparams %[[W]] axes = [0] {{.*}} -> tensor<4xf32>
  // CHECK: quant.matmul ins({{.*}} : tensor<3x8xi8>, tensor<4x8xi8>) {{.*}} {transpose_rhs}
  %y = linalg.matmul ins(%x, %t : tensor<3x8xf32>, tensor<8x4xf32>) outs(%zero : tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// -----

#id = affine_map<(i, j) -> (i, j)>
// Weights stored in f16 and widened: quantized from f16.
// CHECK-LABEL: @widened_constant
func.func @widened_constant(%x: tensor<3x8xf32>) -> tensor<3x4xf32> {
  %zero = arith.constant dense<0.0> : tensor<3x4xf32>
  %w = arith.constant dense<1.0> : tensor<8x4xf16>
  %e = tensor.empty() : tensor<8x4xf32>
  %t = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%w : tensor<8x4xf16>) outs(%e : tensor<8x4xf32>) {
  ^bb0(%in: f16, %o: f32):
    %v = arith.extf %in : f16 to f32
    linalg.yield %v : f32
  } -> tensor<8x4xf32>
  // CHECK-DAG: arith.constant dense<127> : tensor<8x4xi8>
  // CHECK-DAG: arith.constant dense<0.00787401571> : tensor<4xf32>
  // CHECK-NOT: f16
  // CHECK: quant.matmul
  %y = linalg.matmul ins(%x, %t : tensor<3x8xf32>, tensor<8x4xf32>) outs(%zero : tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// -----

// Unit dimensions inserted and removed on the way.
// CHECK-LABEL: @unit_dimensions
func.func @unit_dimensions(%x: tensor<3x8xf32>, %w: tensor<1x8x1x4xf32>) -> tensor<3x4xf32> {
  %zero = arith.constant dense<0.0> : tensor<3x4xf32>
  %c = tensor.collapse_shape %w [[0, 1], [2, 3]] : tensor<1x8x1x4xf32> into tensor<8x4xf32>
  // CHECK: %[[W:.*]] = tensor.collapse_shape %arg1 {{\[\[}}0, 1], [2, 3]] : tensor<1x8x1x4xf32> into tensor<8x4xf32>
  // CHECK: quant.choose_qparams %[[W]] axes = [1]
  %y = linalg.matmul ins(%x, %c : tensor<3x8xf32>, tensor<8x4xf32>) outs(%zero : tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// -----

// A weight that the program quantizes itself stays as it is.
// CHECK-LABEL: @weight_only_quantized
func.func @weight_only_quantized(%x: tensor<3x8xf32>, %w: tensor<4x8xi4>, %s: tensor<4xf32>) -> tensor<3x4xf32> {
  %zero = arith.constant dense<0.0> : tensor<3x4xf32>
  %e = tensor.empty() : tensor<8x4xf32>
  %d = quant.dequantize %w scale(%s : tensor<4xf32>) axes = [0] : tensor<4x8xi4> -> tensor<4x8xf32>
  %t = linalg.transpose ins(%d : tensor<4x8xf32>) outs(%e : tensor<8x4xf32>) permutation = [1, 0]
  // CHECK-NOT: quant.dequantize
  // CHECK: quant.matmul ins({{.*}}, %arg1 : tensor<3x8xi8>, tensor<4x8xi4>) {{.*}} {transpose_rhs}
  // CHECK: quant.rescale {{.*}} channel_scale(%arg2 : tensor<4xf32>)
  %y = linalg.matmul ins(%x, %t : tensor<3x8xf32>, tensor<8x4xf32>) outs(%zero : tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// -----

#x = affine_map<(m, h, e, d) -> (m, d)>
#w = affine_map<(m, h, e, d) -> (h, d, e)>
#y = affine_map<(m, h, e, d) -> (m, h, e)>
// A weight [head, in, out] has its columns apart: moved at compile time.
// CHECK-LABEL: @transposed_at_compile_time
func.func @transposed_at_compile_time(%x: tensor<3x2xf32>) -> tensor<3x2x2xf32> {
  %zero = arith.constant dense<0.0> : tensor<3x2x2xf32>
  // Rows [0, 2], [1, 3], [4, 6], [5, 7], each by its largest / 127.
  // CHECK: arith.constant dense<{{\[\[}}0, 127], [42, 127], [85, 127], [91, 127]]> : tensor<4x2xi8>
  // CHECK-NOT: linalg.transpose
  %w = arith.constant dense<[[[0.0, 1.0], [2.0, 3.0]], [[4.0, 5.0], [6.0, 7.0]]]> : tensor<2x2x2xf32>
  // CHECK: quant.matmul ins({{.*}} : tensor<3x2xi8>, tensor<4x2xi8>) {{.*}} {transpose_rhs}
  // CHECK: tensor.expand_shape {{.*}} : tensor<3x4xf32> into tensor<3x2x2xf32>
  %y = linalg.generic {indexing_maps = [#x, #w, #y], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%x, %w : tensor<3x2xf32>, tensor<2x2x2xf32>) outs(%zero : tensor<3x2x2xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %p = arith.mulf %a, %b : f32
    %s = arith.addf %c, %p : f32
    linalg.yield %s : f32
  } -> tensor<3x2x2xf32>
  return %y : tensor<3x2x2xf32>
}
