// linalg's quantized named ops and integer contractions.
// RUN: quant-opt %s -quant-import -split-input-file | FileCheck %s

// CHECK-LABEL: @quantized_matmul
func.func @quantized_matmul(%x: tensor<4x8xi8>, %w: tensor<8x2xi8>, %init: tensor<4x2xi32>) -> tensor<4x2xi32> {
  %zx = arith.constant -128 : i32
  %zw = arith.constant 0 : i32
  // CHECK: %[[Z:.*]] = arith.constant dense<-128> : tensor<i32>
  // The sums go on top of the init; a zero point of 0 is dropped.
  // CHECK: quant.matmul ins(%arg0, %arg1 : tensor<4x8xi8>, tensor<8x2xi8>) lhs_zero_point(%[[Z]] : tensor<i32>) outs(%arg2 : tensor<4x2xi32>) -> tensor<4x2xi32>
  %y = linalg.quantized_matmul ins(%x, %w, %zx, %zw : tensor<4x8xi8>, tensor<8x2xi8>, i32, i32) outs(%init : tensor<4x2xi32>) -> tensor<4x2xi32>
  return %y : tensor<4x2xi32>
}

// -----

// CHECK-LABEL: @run_time_zero_points
func.func @run_time_zero_points(%x: tensor<4x8xi8>, %w: tensor<8x2xi8>, %zx: i32, %zw: i32, %init: tensor<4x2xi32>) -> tensor<4x2xi32> {
  // CHECK: %[[ZX:.*]] = tensor.from_elements %arg2 : tensor<i32>
  // CHECK: %[[ZW:.*]] = tensor.from_elements %arg3 : tensor<i32>
  // CHECK: quant.matmul {{.*}} lhs_zero_point(%[[ZX]] : tensor<i32>) rhs_zero_point(%[[ZW]] : tensor<i32>)
  %y = linalg.quantized_matmul ins(%x, %w, %zx, %zw : tensor<4x8xi8>, tensor<8x2xi8>, i32, i32) outs(%init : tensor<4x2xi32>) -> tensor<4x2xi32>
  return %y : tensor<4x2xi32>
}

// -----

// CHECK-LABEL: @quantized_batch_matmul_broadcast_weight
func.func @quantized_batch_matmul_broadcast_weight(%x: tensor<3x4x8xi8>, %w: tensor<8x2xi8>, %init: tensor<3x4x2xi32>) -> tensor<3x4x2xi32> {
  %zx = arith.constant 5 : i32
  %zw = arith.constant 0 : i32
  %e = tensor.empty() : tensor<3x8x2xi8>
  %b = linalg.broadcast ins(%w : tensor<8x2xi8>) outs(%e : tensor<3x8x2xi8>) dimensions = [0]
  // CHECK: tensor.collapse_shape %arg0 {{.*}} into tensor<12x8xi8>
  // CHECK: %[[INIT:.*]] = tensor.collapse_shape %arg2 {{.*}} into tensor<12x2xi32>
  // CHECK: quant.matmul ins({{.*}}, %arg1 : tensor<12x8xi8>, tensor<8x2xi8>) lhs_zero_point({{.*}}) outs(%[[INIT]]
  // CHECK: tensor.expand_shape {{.*}} into tensor<3x4x2xi32>
  %y = linalg.quantized_batch_matmul ins(%x, %b, %zx, %zw : tensor<3x4x8xi8>, tensor<3x8x2xi8>, i32, i32) outs(%init : tensor<3x4x2xi32>) -> tensor<3x4x2xi32>
  return %y : tensor<3x4x2xi32>
}

// -----

// CHECK-LABEL: @integer_matmul
func.func @integer_matmul(%x: tensor<?x8xi8>, %w: tensor<8x2xi8>, %e: tensor<?x2xi32>) -> tensor<?x2xi32> {
  %c0 = arith.constant 0 : i32
  %f = linalg.fill ins(%c0 : i32) outs(%e : tensor<?x2xi32>) -> tensor<?x2xi32>
  // CHECK: quant.matmul ins(%arg0, %arg1 : tensor<?x8xi8>, tensor<8x2xi8>) outs({{.*}} : tensor<?x2xi32>) -> tensor<?x2xi32>
  %y = linalg.matmul ins(%x, %w : tensor<?x8xi8>, tensor<8x2xi8>) outs(%f : tensor<?x2xi32>) -> tensor<?x2xi32>
  return %y : tensor<?x2xi32>
}

// -----

// CHECK-LABEL: @unsigned_matmul
func.func @unsigned_matmul(%x: tensor<4x8xi8>, %w: tensor<8x2xi8>, %init: tensor<4x2xi32>) -> tensor<4x2xi32> {
  // CHECK: quant.matmul {{.*}} {lhs_unsigned, rhs_unsigned}
  %y = linalg.matmul {cast = #linalg.type_fn<cast_unsigned>} ins(%x, %w : tensor<4x8xi8>, tensor<8x2xi8>) outs(%init : tensor<4x2xi32>) -> tensor<4x2xi32>
  return %y : tensor<4x2xi32>
}

// -----

#x = affine_map<(b, m, n, k) -> (b, m, k)>
#w = affine_map<(b, m, n, k) -> (b, n, k)>
#y = affine_map<(b, m, n, k) -> (b, n, m)>
// Signed by unsigned, 4 bits, batched, result transposed.
// CHECK-LABEL: @mixed_generic
func.func @mixed_generic(%x: tensor<3x4x8xi8>, %w: tensor<3x2x8xi4>, %init: tensor<3x2x4xi32>) -> tensor<3x2x4xi32> {
  // CHECK: %[[INIT:.*]] = linalg.transpose ins(%arg2 : tensor<3x2x4xi32>) outs({{.*}}) permutation = [0, 2, 1]
  // CHECK: %[[ACC:.*]] = quant.matmul ins(%arg0, %arg1 : tensor<3x4x8xi8>, tensor<3x2x8xi4>) outs({{.*}} : tensor<3x4x2xi32>) {lhs_unsigned, transpose_rhs}
  // CHECK: linalg.transpose ins(%[[ACC]] : tensor<3x4x2xi32>) outs({{.*}}) permutation = [0, 2, 1]
  %y = linalg.generic {indexing_maps = [#x, #w, #y], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%x, %w : tensor<3x4x8xi8>, tensor<3x2x8xi4>) outs(%init : tensor<3x2x4xi32>) {
  ^bb0(%a: i8, %b: i4, %c: i32):
    %a32 = arith.extui %a : i8 to i32
    %b32 = arith.extsi %b : i4 to i32
    %p = arith.muli %a32, %b32 : i32
    %s = arith.addi %c, %p : i32
    linalg.yield %s : i32
  } -> tensor<3x2x4xi32>
  return %y : tensor<3x2x4xi32>
}
