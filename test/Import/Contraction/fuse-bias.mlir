// A bias addition that follows is part of quant.rescale: same f32 arithmetic.
// RUN: quant-opt %s -quant-quantize-matmul -split-input-file | FileCheck %s

#id = affine_map<(m, n) -> (m, n)>
#row = affine_map<(m, n) -> (n)>
// CHECK-LABEL: @vector
func.func @vector(%x: tensor<?x8xf32>, %w: tensor<8x4xf32>, %b: tensor<4xf32>, %e: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %cst = arith.constant 0.0 : f32
  %f = linalg.fill ins(%cst : f32) outs(%e : tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = linalg.matmul ins(%x, %w : tensor<?x8xf32>, tensor<8x4xf32>) outs(%f : tensor<?x4xf32>) -> tensor<?x4xf32>
  // CHECK: %[[Y:.*]] = quant.rescale {{.*}} bias(%arg2 : tensor<4xf32>)
  // CHECK-NOT: linalg.generic
  // CHECK: return %[[Y]]
  %z = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]} ins(%y, %b : tensor<?x4xf32>, tensor<4xf32>) outs(%e : tensor<?x4xf32>) {
  ^bb0(%in: f32, %bi: f32, %o: f32):
    %s = arith.addf %bi, %in : f32
    linalg.yield %s : f32
  } -> tensor<?x4xf32>
  return %z : tensor<?x4xf32>
}

// -----

// JAX: the bias is a row of one, copied to every row.
// CHECK-LABEL: @broadcast_row
func.func @broadcast_row(%x: tensor<3x8xf32>, %w: tensor<8x4xf32>, %b: tensor<4xf32>) -> tensor<3x4xf32> {
  %zero = arith.constant dense<0.0> : tensor<3x4xf32>
  %e = tensor.empty() : tensor<3x4xf32>
  %y = linalg.matmul ins(%x, %w : tensor<3x8xf32>, tensor<8x4xf32>) outs(%zero : tensor<3x4xf32>) -> tensor<3x4xf32>
  %c = linalg.broadcast ins(%b : tensor<4xf32>) outs(%e : tensor<3x4xf32>) dimensions = [0]
  // CHECK: quant.rescale {{.*}} bias(%arg2 : tensor<4xf32>)
  // CHECK-NOT: linalg.add
  %z = linalg.add ins(%y, %c : tensor<3x4xf32>, tensor<3x4xf32>) outs(%e : tensor<3x4xf32>) -> tensor<3x4xf32>
  return %z : tensor<3x4xf32>
}

// -----

#id = affine_map<(b, m, n) -> (b, m, n)>
#row = affine_map<(b, m, n) -> (n)>
// The rows are split before the bias is added.
// CHECK-LABEL: @after_expand
func.func @after_expand(%x: tensor<6x8xf32>, %w: tensor<8x4xf32>, %b: tensor<4xf32>) -> tensor<2x3x4xf32> {
  %zero = arith.constant dense<0.0> : tensor<6x4xf32>
  %e = tensor.empty() : tensor<2x3x4xf32>
  %y = linalg.matmul ins(%x, %w : tensor<6x8xf32>, tensor<8x4xf32>) outs(%zero : tensor<6x4xf32>) -> tensor<6x4xf32>
  %s = tensor.expand_shape %y [[0, 1], [2]] output_shape [2, 3, 4] : tensor<6x4xf32> into tensor<2x3x4xf32>
  // CHECK: %[[Y:.*]] = quant.rescale {{.*}} bias(%arg2 : tensor<4xf32>)
  // CHECK: %[[S:.*]] = tensor.expand_shape %[[Y]]
  // CHECK: return %[[S]]
  %z = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel", "parallel"]} ins(%s, %b : tensor<2x3x4xf32>, tensor<4xf32>) outs(%e : tensor<2x3x4xf32>) {
  ^bb0(%in: f32, %bi: f32, %o: f32):
    %t = arith.addf %in, %bi : f32
    linalg.yield %t : f32
  } -> tensor<2x3x4xf32>
  return %z : tensor<2x3x4xf32>
}

// -----

// torch addmm: the bias is the matmul's init.
// CHECK-LABEL: @init_is_bias
func.func @init_is_bias(%x: tensor<3x8xf32>, %w: tensor<8x4xf32>, %b: tensor<4xf32>) -> tensor<3x4xf32> {
  %e = tensor.empty() : tensor<3x4xf32>
  %c = linalg.broadcast ins(%b : tensor<4xf32>) outs(%e : tensor<3x4xf32>) dimensions = [0]
  // CHECK: quant.rescale {{.*}} bias(%arg2 : tensor<4xf32>)
  // CHECK-NOT: linalg.add
  %y = linalg.matmul ins(%x, %w : tensor<3x8xf32>, tensor<8x4xf32>) outs(%c : tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// -----

#id = affine_map<(m, n) -> (m, n)>
#row = affine_map<(m, n) -> (n)>
// The op that adds the bias does more: it keeps the rest.
// CHECK-LABEL: @with_relu
func.func @with_relu(%x: tensor<3x8xf32>, %w: tensor<8x4xf32>, %b: tensor<4xf32>) -> tensor<3x4xf32> {
  %zero = arith.constant dense<0.0> : tensor<3x4xf32>
  %c0 = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<3x4xf32>
  %y = linalg.matmul ins(%x, %w : tensor<3x8xf32>, tensor<8x4xf32>) outs(%zero : tensor<3x4xf32>) -> tensor<3x4xf32>
  // CHECK: %[[Y:.*]] = quant.rescale {{.*}} bias(%arg2 : tensor<4xf32>)
  // CHECK: linalg.generic {indexing_maps = [#{{.*}}, #{{.*}}], {{.*}} ins(%[[Y]] : tensor<3x4xf32>)
  // CHECK-NOT: arith.addf
  // CHECK: arith.maximumf
  %z = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]} ins(%y, %b : tensor<3x4xf32>, tensor<4xf32>) outs(%e : tensor<3x4xf32>) {
  ^bb0(%in: f32, %bi: f32, %o: f32):
    %s = arith.addf %in, %bi : f32
    %r = arith.maximumf %s, %c0 : f32
    linalg.yield %r : f32
  } -> tensor<3x4xf32>
  return %z : tensor<3x4xf32>
}
