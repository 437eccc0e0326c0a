// ONNX MatMulInteger: bytes widened and shifted by ops of their own, sums in
// i64 that are narrowed afterwards.
// RUN: quant-opt %s -quant-import -split-input-file | FileCheck %s

#id = affine_map<(i, j) -> (i, j)>
#none = affine_map<(i, j) -> ()>
// CHECK-LABEL: @matmul_integer
func.func @matmul_integer(%x: tensor<4x8xi8>, %w: tensor<8x2xi8>, %zx: tensor<i8>) -> tensor<4x2xi64> {
  %c0 = arith.constant 0 : i64
  %zw = arith.constant dense<0> : tensor<i8>
  %ex = tensor.empty() : tensor<4x8xi32>
  %ew = tensor.empty() : tensor<8x2xi32>
  %ey = tensor.empty() : tensor<4x2xi64>
  %f = linalg.fill ins(%c0 : i64) outs(%ey : tensor<4x2xi64>) -> tensor<4x2xi64>
  // CHECK: %[[E:.*]] = tensor.extract %arg2[] : tensor<i8>
  // CHECK: %[[U:.*]] = arith.extui %[[E]] : i8 to i32
  // CHECK: %[[Z:.*]] = tensor.from_elements %[[U]] : tensor<i32>
  // CHECK: %[[ACC:.*]] = quant.matmul ins(%arg0, %arg1 : tensor<4x8xi8>, tensor<8x2xi8>) lhs_zero_point(%[[Z]] : tensor<i32>) outs({{.*}} : tensor<4x2xi32>) {lhs_unsigned}
  // CHECK: linalg.generic {{.*}} ins(%[[ACC]] : tensor<4x2xi32>) outs({{.*}} : tensor<4x2xi64>)
  // CHECK: arith.extsi
  %x32 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<4x8xi8>) outs(%ex : tensor<4x8xi32>) {
  ^bb0(%in: i8, %o: i32):
    %0 = arith.extui %in : i8 to i32
    linalg.yield %0 : i32
  } -> tensor<4x8xi32>
  %w32 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%w : tensor<8x2xi8>) outs(%ew : tensor<8x2xi32>) {
  ^bb0(%in: i8, %o: i32):
    %0 = arith.extsi %in : i8 to i32
    linalg.yield %0 : i32
  } -> tensor<8x2xi32>
  %xs = linalg.generic {indexing_maps = [#id, #none, #id], iterator_types = ["parallel", "parallel"]} ins(%x32, %zx : tensor<4x8xi32>, tensor<i8>) outs(%ex : tensor<4x8xi32>) {
  ^bb0(%in: i32, %z: i8, %o: i32):
    %0 = arith.extui %z : i8 to i32
    %1 = arith.subi %in, %0 : i32
    linalg.yield %1 : i32
  } -> tensor<4x8xi32>
  %ws = linalg.generic {indexing_maps = [#id, #none, #id], iterator_types = ["parallel", "parallel"]} ins(%w32, %zw : tensor<8x2xi32>, tensor<i8>) outs(%ew : tensor<8x2xi32>) {
  ^bb0(%in: i32, %z: i8, %o: i32):
    %0 = arith.extsi %z : i8 to i32
    %1 = arith.subi %in, %0 : i32
    linalg.yield %1 : i32
  } -> tensor<8x2xi32>
  %y = linalg.matmul ins(%xs, %ws : tensor<4x8xi32>, tensor<8x2xi32>) outs(%f : tensor<4x2xi64>) -> tensor<4x2xi64>
  return %y : tensor<4x2xi64>
}

// -----

#id = affine_map<(i, j) -> (i, j)>
#col = affine_map<(i, j) -> (j)>
// Subtraction and extension in one body, a zero point for each column.
// CHECK-LABEL: @zero_point_by_column
func.func @zero_point_by_column(%x: tensor<4x8xi8>, %w: tensor<8x2xi8>, %init: tensor<4x2xi32>) -> tensor<4x2xi32> {
  %zw = arith.constant dense<[200, 3]> : tensor<2xi8>
  %ex = tensor.empty() : tensor<4x8xi32>
  %ew = tensor.empty() : tensor<8x2xi32>
  // CHECK: %[[Z:.*]] = arith.constant dense<[200, 3]> : tensor<2xi32>
  // CHECK: quant.matmul ins(%arg0, %arg1 : tensor<4x8xi8>, tensor<8x2xi8>) rhs_zero_point(%[[Z]] : tensor<2xi32>) outs(%arg2 : tensor<4x2xi32>) {rhs_unsigned}
  %xs = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<4x8xi8>) outs(%ex : tensor<4x8xi32>) {
  ^bb0(%in: i8, %o: i32):
    %0 = arith.extsi %in : i8 to i32
    linalg.yield %0 : i32
  } -> tensor<4x8xi32>
  %ws = linalg.generic {indexing_maps = [#id, #col, #id], iterator_types = ["parallel", "parallel"]} ins(%w, %zw : tensor<8x2xi8>, tensor<2xi8>) outs(%ew : tensor<8x2xi32>) {
  ^bb0(%in: i8, %z: i8, %o: i32):
    %0 = arith.extui %in : i8 to i32
    %1 = arith.extui %z : i8 to i32
    %2 = arith.subi %0, %1 : i32
    linalg.yield %2 : i32
  } -> tensor<8x2xi32>
  %y = linalg.matmul ins(%xs, %ws : tensor<4x8xi32>, tensor<8x2xi32>) outs(%init : tensor<4x2xi32>) -> tensor<4x2xi32>
  return %y : tensor<4x2xi32>
}

// -----

// Narrow sums are the low bits of those in i32.
// CHECK-LABEL: @sums_in_i16
func.func @sums_in_i16(%x: tensor<4x8xi8>, %w: tensor<8x2xi8>) -> tensor<4x2xi16> {
  %c0 = arith.constant 0 : i16
  %e = tensor.empty() : tensor<4x2xi16>
  %f = linalg.fill ins(%c0 : i16) outs(%e : tensor<4x2xi16>) -> tensor<4x2xi16>
  // CHECK: %[[ACC:.*]] = quant.matmul ins(%arg0, %arg1 : tensor<4x8xi8>, tensor<8x2xi8>) outs({{.*}} : tensor<4x2xi32>)
  // CHECK: linalg.generic {{.*}} ins(%[[ACC]] : tensor<4x2xi32>) outs({{.*}} : tensor<4x2xi16>)
  // CHECK: arith.trunci
  %y = linalg.matmul ins(%x, %w : tensor<4x8xi8>, tensor<8x2xi8>) outs(%f : tensor<4x2xi16>) -> tensor<4x2xi16>
  return %y : tensor<4x2xi16>
}

// -----

// A named product whose body converts integers to floats.
// CHECK-LABEL: @into_floats
func.func @into_floats(%x: tensor<4x8xi8>, %w: tensor<8x2xi8>) -> tensor<4x2xf32> {
  %c0 = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x2xf32>
  %f = linalg.fill ins(%c0 : f32) outs(%e : tensor<4x2xf32>) -> tensor<4x2xf32>
  // CHECK: %[[ACC:.*]] = quant.matmul ins(%arg0, %arg1 : tensor<4x8xi8>, tensor<8x2xi8>)
  // CHECK: quant.rescale %[[ACC]]
  %y = linalg.matmul ins(%x, %w : tensor<4x8xi8>, tensor<8x2xi8>) outs(%f : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %y : tensor<4x2xf32>
}
