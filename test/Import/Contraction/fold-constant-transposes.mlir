// Constants are moved when the program is compiled, not in every call.
//
// RUN: quant-opt %s --split-input-file --quant-fold-constant-transposes --canonicalize | FileCheck %s

// CHECK-LABEL: func @transposed
// CHECK: %[[W:.*]] = arith.constant dense<{{\[\[}}1.000000e+00, 4.000000e+00], [2.000000e+00, 5.000000e+00], [3.000000e+00, 6.000000e+00]]> : tensor<3x2xf32>
// CHECK-NOT: linalg.transpose
// CHECK: linalg.matmul ins(%{{.*}}, %[[W]]
func.func @transposed(%x: tensor<4x3xf32>, %init: tensor<4x2xf32>) -> tensor<4x2xf32> {
  %w = arith.constant dense<[[1., 2., 3.], [4., 5., 6.]]> : tensor<2x3xf32>
  %e = tensor.empty() : tensor<3x2xf32>
  %t = linalg.transpose ins(%w : tensor<2x3xf32>) outs(%e : tensor<3x2xf32>) permutation = [1, 0]
  %y = linalg.matmul ins(%x, %t : tensor<4x3xf32>, tensor<3x2xf32>) outs(%init : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %y : tensor<4x2xf32>
}

// -----

// A resource, spelt as a generic, behind a unit dimension that goes and another
// that comes.
// CHECK-LABEL: func @resource
// CHECK: %[[W:.*]] = arith.constant dense<{{\[\[\[}}1, 4]], {{\[\[}}2, 5]], {{\[\[}}3, 6]]]> : tensor<3x1x2xi16>
// CHECK: return %[[W]]
func.func @resource() -> tensor<3x1x2xi16> {
  %w = arith.constant dense_resource<w> : tensor<1x2x3xi16>
  %c = tensor.collapse_shape %w [[0, 1], [2]] : tensor<1x2x3xi16> into tensor<2x3xi16>
  %e = tensor.empty() : tensor<3x1x2xi16>
  %t = linalg.generic {
      indexing_maps = [affine_map<(a, b, c) -> (c, a)>, affine_map<(a, b, c) -> (a, b, c)>],
      iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%c : tensor<2x3xi16>) outs(%e : tensor<3x1x2xi16>) {
  ^bb0(%in: i16, %out: i16):
    linalg.yield %in : i16
  } -> tensor<3x1x2xi16>
  return %t : tensor<3x1x2xi16>
}

{-#
  dialect_resources: {
    builtin: {
      w: "0x02000000010002000300040005000600"
    }
  }
#-}

// -----

// What repeats elements is smaller as it is.
// CHECK-LABEL: func @broadcast
// CHECK: linalg.broadcast
func.func @broadcast() -> tensor<2x3xf32> {
  %b = arith.constant dense<[1., 2., 3.]> : tensor<3xf32>
  %e = tensor.empty() : tensor<2x3xf32>
  %t = linalg.broadcast ins(%b : tensor<3xf32>) outs(%e : tensor<2x3xf32>) dimensions = [0]
  return %t : tensor<2x3xf32>
}

// -----

// CHECK-LABEL: func @computed
// CHECK: linalg.transpose
func.func @computed(%x: tensor<2x3xf32>) -> tensor<3x2xf32> {
  %e = tensor.empty() : tensor<3x2xf32>
  %t = linalg.transpose ins(%x : tensor<2x3xf32>) outs(%e : tensor<3x2xf32>) permutation = [1, 0]
  return %t : tensor<3x2xf32>
}

// -----

// A resource that is not there.
// CHECK-LABEL: func @missing
// CHECK: linalg.transpose
func.func @missing() -> tensor<3x2xf32> {
  %w = arith.constant dense_resource<nowhere> : tensor<2x3xf32>
  %e = tensor.empty() : tensor<3x2xf32>
  %t = linalg.transpose ins(%w : tensor<2x3xf32>) outs(%e : tensor<3x2xf32>) permutation = [1, 0]
  return %t : tensor<3x2xf32>
}

// -----

// More elements than 64 bits count.
// CHECK-LABEL: func @huge
// CHECK: linalg.transpose
func.func @huge() -> tensor<4611686018427387904x2xf32> {
  %w = arith.constant dense_resource<nowhere> : tensor<2x4611686018427387904xf32>
  %e = tensor.empty() : tensor<4611686018427387904x2xf32>
  %t = linalg.transpose ins(%w : tensor<2x4611686018427387904xf32>) outs(%e : tensor<4611686018427387904x2xf32>) permutation = [1, 0]
  return %t : tensor<4611686018427387904x2xf32>
}
