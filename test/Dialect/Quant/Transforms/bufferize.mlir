// qtarget.packed_matmul becomes the same op on memrefs; its result is written in
// place of the init, whose contents it does not read.

// RUN: quant-opt --one-shot-bufferize="bufferize-function-boundaries function-boundary-type-conversion=identity-layout-map" %s | FileCheck %s

// CHECK-LABEL: @packed
// CHECK-SAME: %[[A:.*]]: memref<8x8xi8>, %[[B:.*]]: memref<1x2x16x4xi8>
// CHECK: %[[C:.*]] = memref.alloc() {{.*}} : memref<8x16xi32>
// CHECK-NOT: memref.copy
// CHECK: qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 16x4> ins(%[[A]], %[[B]] : memref<8x8xi8>, memref<1x2x16x4xi8>) outs(%[[C]] : memref<8x16xi32>)
// CHECK: return %[[C]]
func.func @packed(%a: tensor<8x8xi8>, %b: tensor<1x2x16x4xi8>) -> tensor<8x16xi32> {
  %e = tensor.empty() : tensor<8x16xi32>
  %y = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 16x4> ins(%a, %b : tensor<8x8xi8>, tensor<1x2x16x4xi8>)
         outs(%e : tensor<8x16xi32>) -> tensor<8x16xi32>
  return %y : tensor<8x16xi32>
}

// A value that is still needed is not overwritten.

// CHECK-LABEL: @init_used_later
// CHECK: memref.alloc
// CHECK: qtarget.packed_matmul
func.func @init_used_later(%a: tensor<8x8xi8>, %b: tensor<1x2x16x4xi8>, %c: tensor<8x16xi32>) -> (tensor<8x16xi32>, tensor<8x16xi32>) {
  %y = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 16x4> ins(%a, %b : tensor<8x8xi8>, tensor<1x2x16x4xi8>)
         outs(%c : tensor<8x16xi32>) -> tensor<8x16xi32>
  return %y, %c : tensor<8x16xi32>, tensor<8x16xi32>
}
