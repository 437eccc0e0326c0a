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

// -----

// A whole layer in tiles: the rescale is tiled, its matmul and the quantize of
// the left side come along. Parameters are sliced along the dimensions that
// they have.
// CHECK-LABEL: @fuse_layer
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<16x32xf32>, %[[SX:[a-z0-9]+]]: tensor<16xf32>, %[[W:[a-z0-9]+]]: tensor<64x32xi8>, %[[SW:[a-z0-9]+]]: tensor<64xf32>, %[[B:[a-z0-9]+]]: tensor<64xf32>
// CHECK: scf.for %[[M:[a-z0-9]+]] = %c0 to %c16 step %c4
// CHECK: scf.for %[[N:[a-z0-9]+]] = %c0 to %c64 step %c8
// CHECK-DAG: %[[XT:.*]] = tensor.extract_slice %[[X]][%[[M]], 0] [4, 32]
// CHECK-DAG: %[[SXT:.*]] = tensor.extract_slice %[[SX]][%[[M]]] [4]
// CHECK-DAG: %[[WT:.*]] = tensor.extract_slice %[[W]][%[[N]], 0] [8, 32]
// CHECK-DAG: %[[SWT:.*]] = tensor.extract_slice %[[SW]][%[[N]]] [8]
// CHECK-DAG: %[[BT:.*]] = tensor.extract_slice %[[B]][%[[N]]] [8]
// CHECK-DAG: %[[Q:.*]] = quant.quantize %[[XT]] scale(%[[SXT]] : tensor<4xf32>)
// CHECK-DAG: %[[ACC:.*]] = quant.matmul ins(%[[Q]], %[[WT]] : tensor<4x32xi8>, tensor<8x32xi8>)
// CHECK-DAG: quant.rescale %[[ACC]] row_scale(%[[SXT]] : tensor<4xf32>) channel_scale(%[[SWT]] : tensor<8xf32>) bias(%[[BT]] : tensor<8xf32>) {clamp_min = 0.000000e+00 : f32} : tensor<4x8xi32> -> tensor<4x8xf32>
func.func @fuse_layer(%x: tensor<16x32xf32>, %sx: tensor<16xf32>, %w: tensor<64x32xi8>, %sw: tensor<64xf32>, %b: tensor<64xf32>, %c: tensor<16x64xi32>) -> tensor<16x64xf32> {
  %q = quant.quantize %x scale(%sx : tensor<16xf32>) axes = [0] range = [-127, 127] : tensor<16x32xf32> -> tensor<16x32xi8>
  %acc = quant.matmul ins(%q, %w : tensor<16x32xi8>, tensor<64x32xi8>) outs(%c : tensor<16x64xi32>) {transpose_rhs} -> tensor<16x64xi32>
  %y = quant.rescale %acc row_scale(%sx : tensor<16xf32>) channel_scale(%sw : tensor<64xf32>) bias(%b : tensor<64xf32>) {clamp_min = 0.0 : f32} : tensor<16x64xi32> -> tensor<16x64xf32>
  return %y : tensor<16x64xf32>
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %0 = transform.structured.match ops{["quant.rescale"]} in %root : (!transform.any_op) -> !transform.any_op
    %1, %loops:2 = transform.structured.fuse %0 tile_sizes [4, 8] : (!transform.any_op) -> (!transform.any_op, !transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

// One multiplier for all columns is not sliced; a bias is.
// CHECK-LABEL: @fixed_point_and_dequantize
// CHECK-DAG: quant.rescale_fixed_point %{{.*}} multiplier(%{{.*}} : tensor<i32>) shift(%{{.*}} : tensor<i8>) rounding(DOUBLE_ROUND) bias(%{{.*}} : tensor<16xi32>) {range = array<i64: -128, 127>} : tensor<?x16xi32> -> tensor<?x16xi8>
// CHECK-DAG: quant.dequantize %{{.*}} scale(%{{.*}} : tensor<16xf32>) axes = [1] : tensor<?x16xi8> -> tensor<?x16xf32>
func.func @fixed_point_and_dequantize(%acc: tensor<?x64xi32>, %m: tensor<i32>, %s: tensor<i8>, %b: tensor<64xi32>, %t: tensor<64xf32>) -> tensor<?x64xf32> {
  %q = quant.rescale_fixed_point %acc multiplier(%m : tensor<i32>) shift(%s : tensor<i8>) rounding(DOUBLE_ROUND) bias(%b : tensor<64xi32>)
      {range = array<i64: -128, 127>} : tensor<?x64xi32> -> tensor<?x64xi8>
  %y = quant.dequantize %q scale(%t : tensor<64xf32>) axes = [1] : tensor<?x64xi8> -> tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %0 = transform.structured.match ops{["quant.dequantize"]} in %root : (!transform.any_op) -> !transform.any_op
    %1, %loops:2 = transform.structured.fuse %0 tile_sizes [5, 16] : (!transform.any_op) -> (!transform.any_op, !transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

// A residual is sliced as the accumulator is.
// CHECK-LABEL: @residual
// CHECK-SAME: %[[R:[a-z0-9]+]]: tensor<6x64xf32>)
// CHECK: scf.for %[[M:[a-z0-9]+]] = %c0 to %c6 step %c2
// CHECK: scf.for %[[N:[a-z0-9]+]] = %c0 to %c64 step %c16
// CHECK-DAG: %[[RT:.*]] = tensor.extract_slice %[[R]][%[[M]], %[[N]]] [2, 16]
// CHECK: quant.rescale %{{.*}} channel_scale(%{{.*}} : tensor<16xf32>) residual(%[[RT]] : tensor<2x16xf32>) : tensor<2x16xi32> -> tensor<2x16xf32>
func.func @residual(%acc: tensor<6x64xi32>, %s: tensor<64xf32>, %r: tensor<6x64xf32>) -> tensor<6x64xf32> {
  %y = quant.rescale %acc channel_scale(%s : tensor<64xf32>) residual(%r : tensor<6x64xf32>) : tensor<6x64xi32> -> tensor<6x64xf32>
  return %y : tensor<6x64xf32>
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %0 = transform.structured.match ops{["quant.rescale"]} in %root : (!transform.any_op) -> !transform.any_op
    %1, %loops:2 = transform.structured.tile_using_for %0 tile_sizes [2, 16] : (!transform.any_op) -> (!transform.any_op, !transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

// A grouped matmul keeps all groups of its rows; its quantize comes along.
// CHECK-LABEL: @scaled_matmul
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<16x96xf32>, %[[SX:[a-z0-9]+]]: tensor<16xf32>, %[[W:[a-z0-9]+]]: tensor<64x96xi4>, %[[SW:[a-z0-9]+]]: tensor<64x3xf32>, %[[B:[a-z0-9]+]]: tensor<64xf32>
// CHECK: scf.for %[[M:[a-z0-9]+]] = %c0 to %c16 step %c4
// CHECK: scf.for %[[N:[a-z0-9]+]] = %c0 to %c64 step %c8
// CHECK-DAG: %[[XT:.*]] = tensor.extract_slice %[[X]][%[[M]], 0] [4, 96]
// CHECK-DAG: %[[WT:.*]] = tensor.extract_slice %[[W]][%[[N]], 0] [8, 96]
// CHECK-DAG: %[[SWT:.*]] = tensor.extract_slice %[[SW]][%[[N]], 0] [8, 3]
// CHECK-DAG: %[[BT:.*]] = tensor.extract_slice %[[B]][%[[N]]] [8]
// CHECK-DAG: %[[Q:.*]] = quant.quantize %[[XT]]
// CHECK: quant.scaled_matmul ins(%[[Q]], %[[WT]] : tensor<4x96xi8>, tensor<8x96xi4>) row_scale(%{{.*}} : tensor<4xf32>) rhs_scale(%[[SWT]] : tensor<8x3xf32>) bias(%[[BT]] : tensor<8xf32>) {group_size = 32 : i64, rhs_codebook = array<i8: 0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12>} -> tensor<4x8xf32>
func.func @scaled_matmul(%x: tensor<16x96xf32>, %sx: tensor<16xf32>, %w: tensor<64x96xi4>, %sw: tensor<64x3xf32>, %b: tensor<64xf32>) -> tensor<16x64xf32> {
  %q = quant.quantize %x scale(%sx : tensor<16xf32>) axes = [0] range = [-127, 127] : tensor<16x96xf32> -> tensor<16x96xi8>
  %y = quant.scaled_matmul ins(%q, %w : tensor<16x96xi8>, tensor<64x96xi4>) row_scale(%sx : tensor<16xf32>) rhs_scale(%sw : tensor<64x3xf32>) bias(%b : tensor<64xf32>) {group_size = 32 : i64, rhs_codebook = array<i8: 0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12>} -> tensor<16x64xf32>
  return %y : tensor<16x64xf32>
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %0 = transform.structured.match ops{["quant.scaled_matmul"]} in %root : (!transform.any_op) -> !transform.any_op
    %1, %loops:2 = transform.structured.fuse %0 tile_sizes [4, 8] : (!transform.any_op) -> (!transform.any_op, !transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

// Blocks of activations: their scales are cut by rows and keep all blocks.
// CHECK-LABEL: @scaled_matmul_blocks
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<16x96xi8>, %[[SX:[a-z0-9]+]]: tensor<16x6xf32>
// CHECK: scf.for %[[M:[a-z0-9]+]] = %c0 to %c16 step %c4
// CHECK: %[[SXT:.*]] = tensor.extract_slice %[[SX]][%[[M]], 0] [4, 6]
// CHECK: quant.scaled_matmul {{.*}} lhs_scale(%[[SXT]] : tensor<4x6xf32>) {group_size = 32 : i64, lhs_group_size = 16 : i64} -> tensor<4x8xf32>
func.func @scaled_matmul_blocks(%x: tensor<16x96xi8>, %sx: tensor<16x6xf32>, %w: tensor<64x96xi4>, %sw: tensor<64x3xf32>) -> tensor<16x64xf32> {
  %y = quant.scaled_matmul ins(%x, %w : tensor<16x96xi8>, tensor<64x96xi4>) rhs_scale(%sw : tensor<64x3xf32>) lhs_scale(%sx : tensor<16x6xf32>) {group_size = 32 : i64, lhs_group_size = 16 : i64} -> tensor<16x64xf32>
  return %y : tensor<16x64xf32>
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %0 = transform.structured.match ops{["quant.scaled_matmul"]} in %root : (!transform.any_op) -> !transform.any_op
    %1, %loops:2 = transform.structured.tile_using_for %0 tile_sizes [4, 8] : (!transform.any_op) -> (!transform.any_op, !transform.any_op, !transform.any_op)
    transform.yield
  }
}
