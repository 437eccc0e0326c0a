// RUN: quant-opt %s -resolve-shaped-type-result-dims -canonicalize -cse | FileCheck %s

// The size of a result is that of the operand it comes from.
// CHECK-LABEL: @sizes
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<?x?xf32>
// CHECK-DAG: %[[D0:.*]] = tensor.dim %[[X]], %c0
// CHECK-DAG: %[[D1:.*]] = tensor.dim %[[X]], %c1
// CHECK: return %[[D1]], %[[D0]], %[[D1]] : index, index, index
func.func @sizes(%x: tensor<?x?xf32>, %s: tensor<f32>) -> (index, index, index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %p = quant.choose_qparams %x axes = [1] range = [-127, 127] : tensor<?x?xf32> -> tensor<?xf32>
  %0 = tensor.dim %p, %c0 : tensor<?xf32>
  %q = quant.quantize %x scale(%p : tensor<?xf32>) axes = [1] range = [-127, 127] : tensor<?x?xf32> -> tensor<?x?xi8>
  %1 = tensor.dim %q, %c0 : tensor<?x?xi8>
  %d = quant.dequantize %q scale(%s : tensor<f32>) axes = [] : tensor<?x?xi8> -> tensor<?x?xf32>
  %2 = tensor.dim %d, %c1 : tensor<?x?xf32>
  return %0, %1, %2 : index, index, index
}

// CHECK-LABEL: @destination
// CHECK-SAME: %[[C:[a-z0-9]+]]: tensor<?x?xi32>)
// CHECK: %[[D:.*]] = tensor.dim %[[C]], %c1
// CHECK: return %[[D]]
func.func @destination(%x: tensor<?x8xi8>, %w: tensor<8x?xi8>, %s: tensor<f32>, %c: tensor<?x?xi32>) -> index {
  %c1 = arith.constant 1 : index
  %0 = quant.matmul ins(%x, %w : tensor<?x8xi8>, tensor<8x?xi8>) outs(%c : tensor<?x?xi32>) -> tensor<?x?xi32>
  %1 = quant.rescale %0 row_scale(%s : tensor<f32>) : tensor<?x?xi32> -> tensor<?x?xf32>
  %2 = tensor.dim %1, %c1 : tensor<?x?xf32>
  return %2 : index
}
