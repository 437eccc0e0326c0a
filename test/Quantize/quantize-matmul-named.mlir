// Named linalg ops: each becomes one quant.matmul, with the weight as it lies.
// RUN: quant-opt %s -quant-quantize-matmul -split-input-file | FileCheck %s

// CHECK-LABEL: @matmul
// CHECK-SAME: %[[X:.*]]: tensor<?x8xf32>, %[[W:.*]]: tensor<8x4xf32>
func.func @matmul(%x: tensor<?x8xf32>, %w: tensor<8x4xf32>, %e: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %cst = arith.constant 0.0 : f32
  %f = linalg.fill ins(%cst : f32) outs(%e : tensor<?x4xf32>) -> tensor<?x4xf32>
  // CHECK: %[[SX:.*]] = quant.choose_qparams %[[X]] axes = [0] range = [-128, 127] : tensor<?x8xf32> -> tensor<?xf32>
  // CHECK: %[[QX:.*]] = quant.quantize %[[X]] scale(%[[SX]] : tensor<?xf32>) axes = [0] range = [-128, 127] : tensor<?x8xf32> -> tensor<?x8xi8>
  // CHECK: %[[SW:.*]] = quant.choose_qparams %[[W]] axes = [1] range = [-128, 127] : tensor<8x4xf32> -> tensor<4xf32>
  // CHECK: %[[QW:.*]] = quant.quantize %[[W]] scale(%[[SW]] : tensor<4xf32>) axes = [1]
  // CHECK: %[[ZERO:.*]] = linalg.fill {{.*}} -> tensor<?x4xi32>
  // CHECK: %[[ACC:.*]] = quant.matmul ins(%[[QX]], %[[QW]] : tensor<?x8xi8>, tensor<8x4xi8>) outs(%[[ZERO]] : tensor<?x4xi32>) -> tensor<?x4xi32>
  // CHECK: %[[Y:.*]] = quant.rescale %[[ACC]] row_scale(%[[SX]] : tensor<?xf32>) channel_scale(%[[SW]] : tensor<4xf32>) : tensor<?x4xi32> -> tensor<?x4xf32>
  // CHECK: return %[[Y]]
  %y = linalg.matmul ins(%x, %w : tensor<?x8xf32>, tensor<8x4xf32>) outs(%f : tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// -----

#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (n, k)>
#c = affine_map<(m, n, k) -> (m, n)>
// CHECK-LABEL: @matmul_transposed_by_maps
func.func @matmul_transposed_by_maps(%x: tensor<2x8xf32>, %w: tensor<4x8xf32>) -> tensor<2x4xf32> {
  %zero = arith.constant dense<0.0> : tensor<2x4xf32>
  // CHECK-NOT: linalg.transpose
  // CHECK: quant.choose_qparams %arg1 axes = [0]
  // CHECK: quant.matmul ins({{.*}} : tensor<2x8xi8>, tensor<4x8xi8>) {{.*}} {transpose_rhs}
  // CHECK-NOT: linalg.add
  %y = linalg.matmul indexing_maps = [#a, #b, #c] ins(%x, %w : tensor<2x8xf32>, tensor<4x8xf32>) outs(%zero : tensor<2x4xf32>) -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// -----

#a = affine_map<(m, n, k) -> (k, m)>
#b = affine_map<(m, n, k) -> (k, n)>
#c = affine_map<(m, n, k) -> (m, n)>
// CHECK-LABEL: @transposed_lhs
func.func @transposed_lhs(%x: tensor<8x2xf32>, %w: tensor<8x4xf32>, %init: tensor<2x4xf32>) -> tensor<2x4xf32> {
  // CHECK: %[[T:.*]] = linalg.transpose ins(%arg0 : tensor<8x2xf32>) outs({{.*}}) permutation = [1, 0]
  // CHECK: quant.choose_qparams %[[T]] axes = [0]
  // CHECK: quant.matmul ins({{.*}} : tensor<2x8xi8>, tensor<8x4xi8>)
  // CHECK: %[[Y:.*]] = quant.rescale
  // An init that is not zero is added in float.
  // CHECK: linalg.add ins(%[[Y]], %arg2
  %y = linalg.matmul indexing_maps = [#a, #b, #c] ins(%x, %w : tensor<8x2xf32>, tensor<8x4xf32>) outs(%init : tensor<2x4xf32>) -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// -----

// CHECK-LABEL: @matvec_weight_first
func.func @matvec_weight_first(%w: tensor<4x8xf32>, %x: tensor<8xf32>) -> tensor<4xf32> {
  %zero = arith.constant dense<0.0> : tensor<4xf32>
  // CHECK: %[[X:.*]] = tensor.expand_shape %arg1 {{\[\[}}0, 1]] output_shape [1, 8]
  // CHECK: quant.matmul ins({{.*}} : tensor<1x8xi8>, tensor<4x8xi8>) {{.*}} {transpose_rhs}
  // CHECK: %[[Y:.*]] = quant.rescale
  // CHECK: tensor.collapse_shape %[[Y]] {{\[\[}}0, 1]] : tensor<1x4xf32> into tensor<4xf32>
  %y = linalg.matvec ins(%w, %x : tensor<4x8xf32>, tensor<8xf32>) outs(%zero : tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

// CHECK-LABEL: @vecmat
func.func @vecmat(%x: tensor<8xf32>, %w: tensor<8x4xf32>) -> tensor<4xf32> {
  %zero = arith.constant dense<0.0> : tensor<4xf32>
  // CHECK: quant.matmul ins({{.*}} : tensor<1x8xi8>, tensor<8x4xi8>)
  %y = linalg.vecmat ins(%x, %w : tensor<8xf32>, tensor<8x4xf32>) outs(%zero : tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

// Two direct matmuls: the second reads what replaced the first.
// CHECK-LABEL: @chain
func.func @chain(%x: tensor<2x8xf32>, %w: tensor<8x8xf32>, %v: tensor<8x8xf32>) -> tensor<2x8xf32> {
  %zero = arith.constant dense<0.0> : tensor<2x8xf32>
  // CHECK: %[[Y:.*]] = quant.rescale
  // CHECK: quant.choose_qparams %[[Y]]
  %y = linalg.matmul ins(%x, %w : tensor<2x8xf32>, tensor<8x8xf32>) outs(%zero : tensor<2x8xf32>) -> tensor<2x8xf32>
  %z = linalg.matmul ins(%y, %v : tensor<2x8xf32>, tensor<8x8xf32>) outs(%zero : tensor<2x8xf32>) -> tensor<2x8xf32>
  return %z : tensor<2x8xf32>
}

// -----

// CHECK-LABEL: @half_precision
func.func @half_precision(%x: tensor<2x8xf16>, %w: tensor<8x4xbf16>) -> tensor<2x4xf32> {
  %zero = arith.constant dense<0.0> : tensor<2x4xf32>
  // CHECK: quant.choose_qparams %arg0 {{.*}} : tensor<2x8xf16> -> tensor<2xf32>
  // CHECK: quant.choose_qparams %arg1 {{.*}} : tensor<8x4xbf16> -> tensor<4xf32>
  // CHECK: quant.rescale {{.*}} -> tensor<2x4xf32>
  %y = linalg.matmul ins(%x, %w : tensor<2x8xf16>, tensor<8x4xbf16>) outs(%zero : tensor<2x4xf32>) -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// -----

#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (k, n)>
#c = affine_map<(m, n, k) -> (m, n)>
// CHECK-LABEL: @contract_f16_result
func.func @contract_f16_result(%x: tensor<2x8xf16>, %w: tensor<8x4xf16>) -> tensor<2x4xf16> {
  %zero = arith.constant dense<0.0> : tensor<2x4xf16>
  // CHECK: quant.rescale {{.*}} : tensor<2x4xi32> -> tensor<2x4xf16>
  %y = linalg.contract indexing_maps = [#a, #b, #c] ins(%x, %w : tensor<2x8xf16>, tensor<8x4xf16>) outs(%zero : tensor<2x4xf16>) -> tensor<2x4xf16>
  return %y : tensor<2x4xf16>
}
