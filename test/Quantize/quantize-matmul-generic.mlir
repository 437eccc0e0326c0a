// linalg.generic contractions are matched by their maps and body.
// RUN: quant-opt %s -quant-quantize-matmul -split-input-file | FileCheck %s

#x = affine_map<(b, s, h, e, d) -> (b, s, d)>
#w = affine_map<(b, s, h, e, d) -> (d, h, e)>
#y = affine_map<(b, s, h, e, d) -> (b, h, s, e)>
// JAX einsum "bsd,dhe->bhse": merged columns are split and moved back.
// CHECK-LABEL: @einsum_split_heads
func.func @einsum_split_heads(%x: tensor<?x3x8xf32>, %w: tensor<8x2x4xf32>, %init: tensor<?x2x3x4xf32>) -> tensor<?x2x3x4xf32> {
  // CHECK-DAG: %[[X:.*]] = tensor.collapse_shape %arg0 {{\[\[}}0, 1], [2]] : tensor<?x3x8xf32> into tensor<?x8xf32>
  // CHECK-DAG: %[[W:.*]] = tensor.collapse_shape %arg1 {{\[\[}}0], [1, 2]] : tensor<8x2x4xf32> into tensor<8x8xf32>
  // CHECK: %[[R:.*]] = quant.rescale
  // CHECK: %[[S:.*]] = tensor.expand_shape %[[R]] {{\[\[}}0, 1], [2, 3]] output_shape [%{{.*}}, 3, 2, 4] : tensor<?x8xf32> into tensor<?x3x2x4xf32>
  // CHECK: linalg.transpose ins(%[[S]] : tensor<?x3x2x4xf32>) outs({{.*}}) permutation = [0, 2, 1, 3]
  %y = linalg.generic {indexing_maps = [#x, #w, #y], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%x, %w : tensor<?x3x8xf32>, tensor<8x2x4xf32>) outs(%init : tensor<?x2x3x4xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %p = arith.mulf %b, %a : f32
    %s = arith.addf %p, %c : f32
    linalg.yield %s : f32
  } -> tensor<?x2x3x4xf32>
  return %y : tensor<?x2x3x4xf32>
}

// -----

#x = affine_map<(b, s, n, h, e) -> (b, h, s, e)>
#w = affine_map<(b, s, n, h, e) -> (h, e, n)>
#y = affine_map<(b, s, n, h, e) -> (b, s, n)>
// Two contracted dimensions: "bhse,hen->bsn".
// CHECK-LABEL: @einsum_merge_heads
func.func @einsum_merge_heads(%x: tensor<5x2x3x4xf32>, %w: tensor<2x4x8xf32>) -> tensor<5x3x8xf32> {
  %zero = arith.constant dense<0.0> : tensor<5x3x8xf32>
  // CHECK: %[[T:.*]] = linalg.transpose ins(%arg0 : tensor<5x2x3x4xf32>) outs({{.*}}) permutation = [0, 2, 1, 3]
  // CHECK: tensor.collapse_shape %[[T:.*]] {{\[\[}}0, 1], [2, 3]] : tensor<5x3x2x4xf32> into tensor<15x8xf32>
  // CHECK: tensor.collapse_shape %arg1 {{\[\[}}0, 1], [2]] : tensor<2x4x8xf32> into tensor<8x8xf32>
  // CHECK: quant.matmul ins({{.*}} : tensor<15x8xi8>, tensor<8x8xi8>)
  %y = linalg.generic {indexing_maps = [#x, #w, #y], iterator_types = ["parallel", "parallel", "parallel", "reduction", "reduction"]} ins(%x, %w : tensor<5x2x3x4xf32>, tensor<2x4x8xf32>) outs(%zero : tensor<5x3x8xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %p = arith.mulf %a, %b : f32
    %s = arith.addf %c, %p : f32
    linalg.yield %s : f32
  } -> tensor<5x3x8xf32>
  return %y : tensor<5x3x8xf32>
}

// -----

#w = affine_map<(m, n, k) -> (n, k)>
#x = affine_map<(m, n, k) -> (m, k)>
#y = affine_map<(m, n, k) -> (m, n)>
// A constant weight as the first operand: the roles are exchanged.
// CHECK-LABEL: @weight_first
func.func @weight_first(%x: tensor<3x8xf32>) -> tensor<3x4xf32> {
  %zero = arith.constant dense<0.0> : tensor<3x4xf32>
  %w = arith.constant dense<1.0> : tensor<4x8xf32>
  // CHECK: quant.choose_qparams %arg0 axes = [0]
  // CHECK: quant.matmul ins({{.*}} : tensor<3x8xi8>, tensor<4x8xi8>) {{.*}} {transpose_rhs}
  // CHECK-NOT: linalg.transpose
  %y = linalg.generic {indexing_maps = [#w, #x, #y], iterator_types = ["parallel", "parallel", "reduction"]} ins(%w, %x : tensor<4x8xf32>, tensor<3x8xf32>) outs(%zero : tensor<3x4xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %p = arith.mulf %a, %b : f32
    %s = arith.addf %c, %p : f32
    linalg.yield %s : f32
  } -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>
// CHECK-LABEL: @widening_body
func.func @widening_body(%x: tensor<3x8xf16>, %w: tensor<8x4xf16>) -> tensor<3x4xf32> {
  %zero = arith.constant dense<0.0> : tensor<3x4xf32>
  // CHECK: quant.matmul
  %y = linalg.generic {indexing_maps = [#x, #w, #y], iterator_types = ["parallel", "parallel", "reduction"]} ins(%x, %w : tensor<3x8xf16>, tensor<8x4xf16>) outs(%zero : tensor<3x4xf32>) {
  ^bb0(%a: f16, %b: f16, %c: f32):
    %a32 = arith.extf %a : f16 to f32
    %b32 = arith.extf %b : f16 to f32
    %p = arith.mulf %a32, %b32 : f32
    %s = arith.addf %c, %p : f32
    linalg.yield %s : f32
  } -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>
// One op multiplies and adds.
// CHECK-LABEL: @fma_body
func.func @fma_body(%x: tensor<3x8xf16>, %w: tensor<8x4xf32>) -> tensor<3x4xf32> {
  %zero = arith.constant dense<0.0> : tensor<3x4xf32>
  // CHECK: quant.matmul ins({{.*}} : tensor<3x8xi8>, tensor<8x4xi8>)
  // CHECK-NOT: math.fma
  %y = linalg.generic {indexing_maps = [#x, #w, #y], iterator_types = ["parallel", "parallel", "reduction"]} ins(%x, %w : tensor<3x8xf16>, tensor<8x4xf32>) outs(%zero : tensor<3x4xf32>) {
  ^bb0(%a: f16, %b: f32, %c: f32):
    %a32 = arith.extf %a : f16 to f32
    %s = math.fma %b, %a32, %c : f32
    linalg.yield %s : f32
  } -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}
