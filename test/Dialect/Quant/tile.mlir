// RUN: quant-opt %s -transform-interpreter -canonicalize -cse -split-input-file \
// RUN:   | FileCheck %s

// Upstream's tiling of quant.matmul: loops b.., m, n, k.

// CHECK-LABEL: @batch_and_columns
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<6x4x32xi8>, %[[W:[a-z0-9]+]]: tensor<48x32xi8>, %[[ZX:[a-z0-9]+]]: tensor<6x4xi32>, %[[ZW:[a-z0-9]+]]: tensor<48xi32>, %[[C:[a-z0-9]+]]: tensor<6x4x48xi32>
// CHECK: scf.for %[[B:[a-z0-9]+]] = %c0 to %c6 step %c2 iter_args(%[[C0:.*]] = %[[C]])
// CHECK: scf.for %[[N:[a-z0-9]+]] = %c0 to %c48 step %c16 iter_args(%[[C1:.*]] = %[[C0]])
// CHECK-DAG: %[[XT:.*]] = tensor.extract_slice %[[X]][%[[B]], 0, 0] [2, 4, 32]
// CHECK-DAG: %[[WT:.*]] = tensor.extract_slice %[[W]][%[[N]], 0] [16, 32]
// CHECK-DAG: %[[ZXT:.*]] = tensor.extract_slice %[[ZX]][%[[B]], 0] [2, 4]
// CHECK-DAG: %[[ZWT:.*]] = tensor.extract_slice %[[ZW]][%[[N]]] [16]
// CHECK-DAG: %[[CT:.*]] = tensor.extract_slice %[[C1]][%[[B]], 0, %[[N]]] [2, 4, 16]
// CHECK: %[[R:.*]] = quant.matmul ins(%[[XT]], %[[WT]] : tensor<2x4x32xi8>, tensor<16x32xi8>) lhs_zero_point(%[[ZXT]] : tensor<2x4xi32>) rhs_zero_point(%[[ZWT]] : tensor<16xi32>) outs(%[[CT]] : tensor<2x4x16xi32>) {lhs_unsigned, transpose_rhs}
// CHECK: tensor.insert_slice %[[R]] into %[[C1]][%[[B]], 0, %[[N]]] [2, 4, 16]
func.func @batch_and_columns(%x: tensor<6x4x32xi8>, %w: tensor<48x32xi8>, %zx: tensor<6x4xi32>, %zw: tensor<48xi32>, %c: tensor<6x4x48xi32>) -> tensor<6x4x48xi32> {
  %0 = quant.matmul ins(%x, %w : tensor<6x4x32xi8>, tensor<48x32xi8>) lhs_zero_point(%zx : tensor<6x4xi32>) rhs_zero_point(%zw : tensor<48xi32>)
      outs(%c : tensor<6x4x48xi32>) {transpose_rhs, lhs_unsigned} -> tensor<6x4x48xi32>
  return %0 : tensor<6x4x48xi32>
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %0 = transform.structured.match ops{["quant.matmul"]} in %root : (!transform.any_op) -> !transform.any_op
    %1, %loops:2 = transform.structured.tile_using_for %0 tile_sizes [2, 0, 16, 0] : (!transform.any_op) -> (!transform.any_op, !transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

// The partial sums over K accumulate in init; a zero point of rank 0 is one for
// all tiles; a batched right side is sliced by batch.
// CHECK-LABEL: @batched_rhs_and_k
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<3x?x64xi8>, %[[W:[a-z0-9]+]]: tensor<3x64x8xi4>, %[[ZX:[a-z0-9]+]]: tensor<i32>
// CHECK: scf.for %[[M:[a-z0-9]+]] = %c0 to %{{.*}} step %c8
// CHECK: scf.for %[[K:[a-z0-9]+]] = %c0 to %c64 step %c32
// CHECK-DAG: %[[SIZE:.*]] = affine.min
// CHECK-DAG: %[[XT:.*]] = tensor.extract_slice %[[X]][0, %[[M]], %[[K]]] [3, %{{.*}}, 32]
// CHECK-DAG: %[[WT:.*]] = tensor.extract_slice %[[W]][0, %[[K]], 0] [3, 32, 8]
// CHECK: quant.matmul ins(%[[XT]], %[[WT]] : tensor<3x?x32xi8>, tensor<3x32x8xi4>) lhs_zero_point(%[[ZX]] : tensor<i32>)
func.func @batched_rhs_and_k(%x: tensor<3x?x64xi8>, %w: tensor<3x64x8xi4>, %zx: tensor<i32>, %c: tensor<3x?x8xi32>) -> tensor<3x?x8xi32> {
  %0 = quant.matmul ins(%x, %w : tensor<3x?x64xi8>, tensor<3x64x8xi4>) lhs_zero_point(%zx : tensor<i32>)
      outs(%c : tensor<3x?x8xi32>) -> tensor<3x?x8xi32>
  return %0 : tensor<3x?x8xi32>
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %0 = transform.structured.match ops{["quant.matmul"]} in %root : (!transform.any_op) -> !transform.any_op
    %1, %loops:2 = transform.structured.tile_using_for %0 tile_sizes [0, 8, 0, 32] : (!transform.any_op) -> (!transform.any_op, !transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

// A consumer that is tiled takes its matmul along: all of K for each tile.
// CHECK-LABEL: @fuse_into_consumer
// CHECK: scf.for %[[N:[a-z0-9]+]]
// CHECK: %[[T:.*]] = quant.matmul ins(%{{.*}} : tensor<4x32xi8>, tensor<32x8xi8>) outs(%{{.*}} : tensor<4x8xi32>)
// CHECK: linalg.add ins(%[[T]]
func.func @fuse_into_consumer(%x: tensor<4x32xi8>, %w: tensor<32x16xi8>, %c: tensor<4x16xi32>, %d: tensor<4x16xi32>) -> tensor<4x16xi32> {
  %0 = quant.matmul ins(%x, %w : tensor<4x32xi8>, tensor<32x16xi8>) outs(%c : tensor<4x16xi32>) -> tensor<4x16xi32>
  %1 = linalg.add ins(%0, %d : tensor<4x16xi32>, tensor<4x16xi32>) outs(%d : tensor<4x16xi32>) -> tensor<4x16xi32>
  return %1 : tensor<4x16xi32>
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %0 = transform.structured.match ops{["linalg.add"]} in %root : (!transform.any_op) -> !transform.any_op
    %1, %loop = transform.structured.fuse %0 tile_sizes [0, 8] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}
