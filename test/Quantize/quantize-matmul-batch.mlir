// Batch dimensions against one weight become rows of one matmul.
// RUN: quant-opt %s -quant-quantize-matmul -split-input-file | FileCheck %s

#in = affine_map<(b, k, n) -> (k, n)>
#out = affine_map<(b, k, n) -> (b, k, n)>
// ONNX MatMul of 3-D by 2-D: the exporter copies the weight for each batch.
// CHECK-LABEL: @broadcast_by_generic
func.func @broadcast_by_generic(%x: tensor<?x3x8xf32>, %e: tensor<?x3x4xf32>, %c: tensor<?x8x4xf32>) -> tensor<?x3x4xf32> {
  %cst = arith.constant 0.0 : f32
  %w = arith.constant dense<1.0> : tensor<8x4xf32>
  %f = linalg.fill ins(%cst : f32) outs(%e : tensor<?x3x4xf32>) -> tensor<?x3x4xf32>
  // CHECK-NOT: linalg.generic
  %b = linalg.generic {indexing_maps = [#in, #out], iterator_types = ["parallel", "parallel", "parallel"]} ins(%w : tensor<8x4xf32>) outs(%c : tensor<?x8x4xf32>) {
  ^bb0(%in: f32, %o: f32):
    linalg.yield %in : f32
  } -> tensor<?x8x4xf32>
  // CHECK: tensor.collapse_shape %arg0 {{\[\[}}0, 1], [2]] : tensor<?x3x8xf32> into tensor<?x8xf32>
  // CHECK: %[[W:.*]] = arith.constant dense<127> : tensor<8x4xi8>
  // CHECK: quant.matmul ins({{.*}}, %[[W]] : tensor<?x8xi8>, tensor<8x4xi8>)
  // CHECK: tensor.expand_shape {{.*}} {{\[\[}}0, 1], [2]] {{.*}} : tensor<?x4xf32> into tensor<?x3x4xf32>
  %y = linalg.batch_matmul ins(%x, %b : tensor<?x3x8xf32>, tensor<?x8x4xf32>) outs(%f : tensor<?x3x4xf32>) -> tensor<?x3x4xf32>
  return %y : tensor<?x3x4xf32>
}

// -----

// CHECK-LABEL: @broadcast_named
func.func @broadcast_named(%x: tensor<5x3x8xf32>, %w: tensor<8x4xf32>) -> tensor<5x3x4xf32> {
  %zero = arith.constant dense<0.0> : tensor<5x3x4xf32>
  %e = tensor.empty() : tensor<5x8x4xf32>
  // CHECK-NOT: linalg.broadcast
  %b = linalg.broadcast ins(%w : tensor<8x4xf32>) outs(%e : tensor<5x8x4xf32>) dimensions = [0]
  // CHECK: quant.matmul ins({{.*}} : tensor<15x8xi8>, tensor<8x4xi8>)
  // CHECK: tensor.expand_shape {{.*}} output_shape [5, 3, 4]
  %y = linalg.batch_matmul ins(%x, %b : tensor<5x3x8xf32>, tensor<5x8x4xf32>) outs(%zero : tensor<5x3x4xf32>) -> tensor<5x3x4xf32>
  return %y : tensor<5x3x4xf32>
}

// -----

// A constant with a batch of one, as TOSA has it: the blob is shared.
// CHECK-LABEL: @unit_batch_constant
func.func @unit_batch_constant(%x: tensor<1x3x8xf32>) -> tensor<1x3x4xf32> {
  %zero = arith.constant dense<0.0> : tensor<1x3x4xf32>
  %w = arith.constant dense_resource<no_blob> : tensor<1x8x4xf32>
  // CHECK: %[[W:.*]] = arith.constant dense_resource<no_blob> : tensor<8x4xf32>
  // CHECK: quant.choose_qparams %[[W]] axes = [1]
  // CHECK: quant.matmul ins({{.*}} : tensor<3x8xi8>, tensor<8x4xi8>)
  %y = linalg.batch_matmul ins(%x, %w : tensor<1x3x8xf32>, tensor<1x8x4xf32>) outs(%zero : tensor<1x3x4xf32>) -> tensor<1x3x4xf32>
  return %y : tensor<1x3x4xf32>
}

// -----

#a = affine_map<(b, m, n, k) -> (b, m, k)>
#w = affine_map<(b, m, n, k) -> (k, n)>
#c = affine_map<(b, m, n, k) -> (b, m, n)>
// CHECK-LABEL: @batch_matmul_broadcast_by_map
func.func @batch_matmul_broadcast_by_map(%x: tensor<5x3x8xf32>, %w: tensor<8x4xf32>) -> tensor<5x3x4xf32> {
  %zero = arith.constant dense<0.0> : tensor<5x3x4xf32>
  // CHECK: quant.matmul ins({{.*}} : tensor<15x8xi8>, tensor<8x4xi8>)
  %y = linalg.batch_matmul indexing_maps = [#a, #w, #c] ins(%x, %w : tensor<5x3x8xf32>, tensor<8x4xf32>) outs(%zero : tensor<5x3x4xf32>) -> tensor<5x3x4xf32>
  return %y : tensor<5x3x4xf32>
}

// -----

#a = affine_map<(b, m, n, k) -> (b, m, k)>
#w = affine_map<(b, m, n, k) -> (k, n)>
#c = affine_map<(b, m, n, k) -> (b, m, n)>
#row = affine_map<(b, m, n) -> (n)>
#id = affine_map<(b, m, n) -> (b, m, n)>
// Two dynamic sizes in one: a reshape, as upstream cannot lower the
// expand_shape. The bias is still found behind it.
// CHECK-LABEL: @two_dynamic_rows
func.func @two_dynamic_rows(%x: tensor<?x?x8xf32>, %w: tensor<8x4xf32>, %b: tensor<4xf32>, %e: tensor<?x?x4xf32>) -> tensor<?x?x4xf32> {
  %cst = arith.constant 0.0 : f32
  %f = linalg.fill ins(%cst : f32) outs(%e : tensor<?x?x4xf32>) -> tensor<?x?x4xf32>
  // CHECK: %[[Y:.*]] = quant.rescale {{.*}} bias(%arg2 : tensor<4xf32>)
  // CHECK: %[[R:.*]] = tensor.reshape %[[Y]](%{{.*}}) : (tensor<?x4xf32>, tensor<3xindex>) -> tensor<?x?x4xf32>
  // CHECK: return %[[R]]
  %y = linalg.batch_matmul indexing_maps = [#a, #w, #c] ins(%x, %w : tensor<?x?x8xf32>, tensor<8x4xf32>) outs(%f : tensor<?x?x4xf32>) -> tensor<?x?x4xf32>
  %z = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel", "parallel"]} ins(%y, %b : tensor<?x?x4xf32>, tensor<4xf32>) outs(%e : tensor<?x?x4xf32>) {
  ^bb0(%in: f32, %bi: f32, %o: f32):
    %s = arith.addf %in, %bi : f32
    linalg.yield %s : f32
  } -> tensor<?x?x4xf32>
  return %z : tensor<?x?x4xf32>
}
