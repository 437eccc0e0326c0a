// Products as linalg's named ops of signed integers; zero points are subtracted
// behind them.

// RUN: quant-opt --convert-quant-to-linalg=named-matmul --canonicalize --split-input-file %s | FileCheck %s

// CHECK-LABEL: @signed
// CHECK-SAME: %[[X:.*]]: tensor<?x8xi8>, %[[W:.*]]: tensor<8x2xi8>, %[[C:.*]]: tensor<?x2xi32>
// CHECK-NEXT: %[[R:.*]] = linalg.matmul ins(%[[X]], %[[W]] : tensor<?x8xi8>, tensor<8x2xi8>) outs(%[[C]] : tensor<?x2xi32>)
// CHECK-NEXT: return %[[R]]
func.func @signed(%x: tensor<?x8xi8>, %w: tensor<8x2xi8>, %c: tensor<?x2xi32>) -> tensor<?x2xi32> {
  %r = quant.matmul ins(%x, %w : tensor<?x8xi8>, tensor<8x2xi8>)
         outs(%c : tensor<?x2xi32>) -> tensor<?x2xi32>
  return %r : tensor<?x2xi32>
}

// -----

// Four bits, the weight as it is stored.

// CHECK: #[[W:.*]] = affine_map<(d0, d1, d2) -> (d1, d2)>
// CHECK-LABEL: @transposed
// CHECK: linalg.matmul indexing_maps = [{{.*}}, #[[W]], {{.*}}] ins({{.*}} : tensor<4x8xi8>, tensor<2x8xi4>)
func.func @transposed(%x: tensor<4x8xi8>, %w: tensor<2x8xi4>, %c: tensor<4x2xi32>) -> tensor<4x2xi32> {
  %r = quant.matmul ins(%x, %w : tensor<4x8xi8>, tensor<2x8xi4>)
         outs(%c : tensor<4x2xi32>) {transpose_rhs} -> tensor<4x2xi32>
  return %r : tensor<4x2xi32>
}

// -----

// CHECK-LABEL: @batched
// CHECK: linalg.batch_matmul indexing_maps
func.func @batched(%x: tensor<3x4x8xi8>, %w: tensor<3x2x8xi8>, %c: tensor<3x4x2xi32>) -> tensor<3x4x2xi32> {
  %r = quant.matmul ins(%x, %w : tensor<3x4x8xi8>, tensor<3x2x8xi8>)
         outs(%c : tensor<3x4x2xi32>) {transpose_rhs} -> tensor<3x4x2xi32>
  return %r : tensor<3x4x2xi32>
}

// -----

// One weight for all batches.

// CHECK: #[[X:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d3)>
// CHECK: #[[W:.*]] = affine_map<(d0, d1, d2, d3) -> (d2, d3)>
// CHECK: #[[C:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>
// CHECK-LABEL: @shared
// CHECK: linalg.contract indexing_maps = [#[[X]], #[[W]], #[[C]]]
func.func @shared(%x: tensor<3x4x8xi8>, %w: tensor<2x8xi8>, %c: tensor<3x4x2xi32>) -> tensor<3x4x2xi32> {
  %r = quant.matmul ins(%x, %w : tensor<3x4x8xi8>, tensor<2x8xi8>)
         outs(%c : tensor<3x4x2xi32>) {transpose_rhs} -> tensor<3x4x2xi32>
  return %r : tensor<3x4x2xi32>
}

// -----

// x is made signed: its zero point is 128 less, its upper bit the other.

// CHECK-LABEL: @zero_points
// CHECK-SAME: %[[X:.*]]: tensor<?x?xi8>, %[[W:.*]]: tensor<?x?xi8>, %[[ZX:.*]]: tensor<?xi32>, %[[ZW:.*]]: tensor<i32>
// CHECK-DAG: %[[C128:.*]] = arith.constant -128 : i32
// CHECK-DAG: %[[UPPER:.*]] = arith.constant -128 : i8
// CHECK: arith.xori %{{.*}}, %[[UPPER]] : i8
// CHECK: %[[P:.*]] = linalg.matmul
// CHECK: %[[SW:.*]] = linalg.generic {{.*}} ins(%[[W]]
// CHECK: arith.extsi
// CHECK: %[[K:.*]] = arith.index_cast
// CHECK: %[[SX:.*]] = linalg.generic
// CHECK: linalg.generic {{.*}} ins(%[[P]], %[[ZX]], %[[ZW]], %[[SW]], %[[SX]]
// CHECK: ^bb0(%[[p:.*]]: i32, %[[zx:.*]]: i32, %[[zw:.*]]: i32, %[[sw:.*]]: i32, %[[sx:.*]]: i32, %{{.*}}: i32):
// CHECK: %[[zs:.*]] = arith.addi %[[zx]], %[[C128]]
// CHECK: %[[kz:.*]] = arith.muli %[[K]], %[[zw]]
// CHECK: %[[s:.*]] = arith.subi %[[sw]], %[[kz]]
// CHECK: %[[t:.*]] = arith.muli %[[zs]], %[[s]]
// CHECK: %[[u:.*]] = arith.subi %[[p]], %[[t]]
// CHECK: %[[v:.*]] = arith.muli %[[zw]], %[[sx]]
// CHECK: arith.subi %[[u]], %[[v]]
func.func @zero_points(%x: tensor<?x?xi8>, %w: tensor<?x?xi8>, %zx: tensor<?xi32>, %zw: tensor<i32>, %c: tensor<?x?xi32>) -> tensor<?x?xi32> {
  %r = quant.matmul ins(%x, %w : tensor<?x?xi8>, tensor<?x?xi8>)
         lhs_zero_point(%zx : tensor<?xi32>) rhs_zero_point(%zw : tensor<i32>)
         outs(%c : tensor<?x?xi32>) {lhs_unsigned} -> tensor<?x?xi32>
  return %r : tensor<?x?xi32>
}
