// RUN: quant-opt %s -transform-interpreter -canonicalize -cse | FileCheck %s
// RUN: quant-opt %s -resolve-ranked-shaped-type-result-dims -canonicalize | FileCheck %s --check-prefix=SHAPE

// Rows are tiled; their blocks stay whole. Sizes are the input's.

// CHECK-LABEL: @rows
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<6x96xf16>
// CHECK: scf.for %[[M:.*]] = %c0 to %c6 step %c2
// CHECK: %[[T:.*]] = tensor.extract_slice %[[X]][%[[M]], 0] [2, 96] [1, 1]
// CHECK: quant.rotate %[[T]] size = 32 seed = 9 : tensor<2x96xf16> -> tensor<2x96xf32>
func.func @rows(%x: tensor<6x96xf16>) -> tensor<6x96xf32> {
  %0 = quant.rotate %x size = 32 seed = 9 : tensor<6x96xf16> -> tensor<6x96xf32>
  return %0 : tensor<6x96xf32>
}

// SHAPE-LABEL: @sizes
// SHAPE-SAME: %[[X:[a-z0-9]+]]: tensor<?x64xf32>
// SHAPE: %[[D:.*]] = tensor.dim %[[X]]
// SHAPE: return %[[D]]
func.func @sizes(%x: tensor<?x64xf32>) -> index {
  %c0 = arith.constant 0 : index
  %0 = quant.rotate %x size = 32 : tensor<?x64xf32> -> tensor<?x64xf32>
  %1 = tensor.dim %0, %c0 : tensor<?x64xf32>
  return %1 : index
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %op = transform.structured.match ops{["quant.rotate"]} in %root : (!transform.any_op) -> !transform.any_op
    %static, %dynamic = transform.split_handle %op : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    %tiled, %loop = transform.structured.tile_using_for %static tile_sizes [2] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}
