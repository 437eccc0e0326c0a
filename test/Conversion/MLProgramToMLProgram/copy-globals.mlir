// RUN: quant-opt %s --quant-copy-globals | FileCheck %s
// What is read before a store keeps its value, and what is stored is computed:
// on buffers, two copies.
// RUN: quant-opt %s --quant-copy-globals \
// RUN:     --one-shot-bufferize="bufferize-function-boundaries" | FileCheck %s --check-prefix=BUFFERS
// Upstream alone stores memory that nothing was written to. Once this fails,
// the copy of what is stored can go.
// RUN: quant-opt %s --one-shot-bufferize="bufferize-function-boundaries" | FileCheck %s --check-prefix=UPSTREAM

ml_program.global private mutable @state(dense<1> : tensor<2xi8>) : tensor<2xi8>
ml_program.global private mutable @read_only(dense<2> : tensor<4xi8>) : tensor<4xi8>

// CHECK-LABEL: func.func @swap
// CHECK-SAME: %[[X:.*]]: tensor<2xi8>
// CHECK: %[[OLD:.*]] = ml_program.global_load @state
// CHECK: %[[LOADED:.*]] = bufferization.alloc_tensor() copy(%[[OLD]]) : tensor<2xi8>
// CHECK: %[[STORED:.*]] = bufferization.alloc_tensor() copy(%[[X]]) : tensor<2xi8>
// CHECK: ml_program.global_store @state = %[[STORED]]
// CHECK: return %[[LOADED]]
// BUFFERS-LABEL: func.func @swap
// BUFFERS: %[[STATE:.*]] = memref.get_global @state
// BUFFERS: %[[LOADED:.*]] = memref.alloc()
// BUFFERS: memref.copy %[[STATE]], %[[LOADED]]
// BUFFERS: memref.copy %arg0
// BUFFERS: return %[[LOADED]]
func.func @swap(%x: tensor<2xi8>) -> tensor<2xi8> {
  %old = ml_program.global_load @state : tensor<2xi8>
  ml_program.global_store @state = %x : tensor<2xi8>
  return %old : tensor<2xi8>
}

// BUFFERS-LABEL: func.func @slice
// BUFFERS: %[[SLICE:.*]] = memref.subview
// BUFFERS: %[[STORED:.*]] = memref.alloc()
// BUFFERS: memref.copy %[[SLICE]], %[[STORED]]
// BUFFERS: %[[STATE:.*]] = memref.get_global @state
// BUFFERS: memref.copy %[[STORED]], %[[STATE]]
// UPSTREAM-LABEL: func.func @slice
// UPSTREAM: %[[STORED:.*]] = memref.alloc() {alignment = 64 : i64} : memref<2xi8>
// UPSTREAM-NEXT: %[[STATE:.*]] = memref.get_global @state
// UPSTREAM-NEXT: memref.copy %[[STORED]], %[[STATE]]
func.func @slice(%x: tensor<4xi8>) -> tensor<4xi8> {
  %e = tensor.empty() : tensor<4xi8>
  %y = linalg.add ins(%x, %x : tensor<4xi8>, tensor<4xi8>) outs(%e : tensor<4xi8>) -> tensor<4xi8>
  %n = tensor.extract_slice %y[2] [2] [1] : tensor<4xi8> to tensor<2xi8>
  ml_program.global_store @state = %n : tensor<2xi8>
  return %y : tensor<4xi8>
}

// CHECK-LABEL: func.func @never_stored
// CHECK-NEXT: %[[X:.*]] = ml_program.global_load @read_only
// CHECK-NEXT: return %[[X]]
func.func @never_stored() -> tensor<4xi8> {
  %x = ml_program.global_load @read_only : tensor<4xi8>
  return %x : tensor<4xi8>
}
