// Products as float products of dequantized operands, where a rescale takes them.

// RUN: quant-opt --convert-quant-to-linalg=qdq --canonicalize --split-input-file %s | FileCheck %s

// CHECK-LABEL: @dynamic
// CHECK-SAME: %[[X:.*]]: tensor<?x8xi8>, %[[W:.*]]: tensor<2x8xi8>, %[[SX:.*]]: tensor<?xf32>, %[[SW:.*]]: tensor<2xf32>, %[[B:.*]]: tensor<2xf32>
// CHECK: %[[LHS:.*]] = linalg.generic {{.*}} ins(%[[X]], %[[SX]] : tensor<?x8xi8>, tensor<?xf32>) outs(%{{.*}} : tensor<?x8xf32>)
// CHECK: arith.sitofp
// CHECK: arith.mulf
// CHECK: %[[RHS:.*]] = linalg.generic {{.*}} ins(%[[W]], %[[SW]] : tensor<2x8xi8>, tensor<2xf32>) outs(%{{.*}} : tensor<2x8xf32>)
// CHECK: %[[Y:.*]] = linalg.matmul {{.*}} ins(%[[LHS]], %[[RHS]] : tensor<?x8xf32>, tensor<2x8xf32>) outs(%{{.*}} : tensor<?x2xf32>)
// CHECK: linalg.generic {{.*}} ins(%[[Y]], %[[B]] : tensor<?x2xf32>, tensor<2xf32>)
// CHECK: arith.addf
// CHECK-NOT: i32
// CHECK: return
func.func @dynamic(%x: tensor<?x8xi8>, %w: tensor<2x8xi8>, %sx: tensor<?xf32>, %sw: tensor<2xf32>, %b: tensor<2xf32>, %c: tensor<?x2xi32>) -> tensor<?x2xf32> {
  %zero = arith.constant 0 : i32
  %i = linalg.fill ins(%zero : i32) outs(%c : tensor<?x2xi32>) -> tensor<?x2xi32>
  %r = quant.matmul ins(%x, %w : tensor<?x8xi8>, tensor<2x8xi8>)
         outs(%i : tensor<?x2xi32>) {transpose_rhs} -> tensor<?x2xi32>
  %y = quant.rescale %r row_scale(%sx : tensor<?xf32>) channel_scale(%sw : tensor<2xf32>) bias(%b : tensor<2xf32>) : tensor<?x2xi32> -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

// Sums that are read as integers, or that begin as some, stay products of
// integers.

// CHECK-LABEL: @integers
// CHECK-COUNT-2: linalg.matmul ins({{.*}} : tensor<4x8xi8>, tensor<8x2xi8>) outs({{.*}} : tensor<4x2xi32>)
// CHECK-NOT: linalg.matmul
func.func @integers(%x: tensor<4x8xi8>, %w: tensor<8x2xi8>, %s: tensor<2xf32>, %c: tensor<4x2xi32>) -> (tensor<4x2xi32>, tensor<4x2xf32>, tensor<4x2xf32>) {
  %i = arith.constant dense<0> : tensor<4x2xi32>
  %r = quant.matmul ins(%x, %w : tensor<4x8xi8>, tensor<8x2xi8>) outs(%i : tensor<4x2xi32>) -> tensor<4x2xi32>
  %y = quant.rescale %r channel_scale(%s : tensor<2xf32>) : tensor<4x2xi32> -> tensor<4x2xf32>
  %t = quant.matmul ins(%x, %w : tensor<4x8xi8>, tensor<8x2xi8>) outs(%c : tensor<4x2xi32>) -> tensor<4x2xi32>
  %z = quant.rescale %t channel_scale(%s : tensor<2xf32>) : tensor<4x2xi32> -> tensor<4x2xf32>
  return %r, %y, %z : tensor<4x2xi32>, tensor<4x2xf32>, tensor<4x2xf32>
}
