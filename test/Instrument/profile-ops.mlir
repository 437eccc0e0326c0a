// RUN: quant-opt %s -quant-profile-ops | FileCheck %s

// CHECK-DAG: llvm.func @quant_profile_begin()
// CHECK-DAG: llvm.func @quant_profile_end(!llvm.ptr)
// CHECK-DAG: llvm.mlir.global internal constant @[[FILL:.*]]("fill\0A\0A?x8xf32\0A{{.*}}profile-ops.mlir:[[#]]:[[#]]\00")
// CHECK-DAG: llvm.mlir.global internal constant @[[PRODUCT:.*]]("float product\0Alayer.q\0A?x4xf32, 4x8xf32, ?x8xf32\0A{{.*}}\00")
// CHECK-DAG: llvm.mlir.global internal constant @[[COPY:.*]]("copy\0A\0A?x8xf32, ?x8xf32\0A{{.*}}\00")
// CHECK-DAG: llvm.mlir.global internal constant @[[ATTENTION:.*]]("attention\0A\0A\0A{{.*}}\00")
// CHECK-DAG: llvm.mlir.global internal constant @[[LOOP:.*]]("loop\0A\0A\0A{{.*}}\00")
// CHECK-LABEL: func.func @f
func.func @f(%x: memref<?x4xf32>, %w: memref<4x8xf32>, %y: memref<?x8xf32>, %z: memref<?x8xf32>, %n: index) {
  %c = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // CHECK: llvm.call @quant_profile_begin()
  // CHECK-NEXT: linalg.fill
  // CHECK-NEXT: %[[A:.*]] = llvm.mlir.addressof @[[FILL]]
  // CHECK-NEXT: llvm.call @quant_profile_end(%[[A]])
  linalg.fill ins(%c : f32) outs(%y : memref<?x8xf32>)
  // What runs in order is looked into.
  // CHECK-NEXT: scf.for
  // CHECK-NEXT: llvm.call @quant_profile_begin()
  // CHECK-NEXT: linalg.matmul
  // CHECK-NEXT: llvm.mlir.addressof @[[PRODUCT]]
  // CHECK-NEXT: llvm.call @quant_profile_end
  // CHECK-NEXT: }
  scf.for %i = %c0 to %n step %c1 {
    linalg.matmul {quant.name = "layer.q"} ins(%x, %w : memref<?x4xf32>, memref<4x8xf32>) outs(%y : memref<?x8xf32>)
  }
  // A loop without such ops is one piece of work, as is one that is divided.
  // CHECK-NEXT: llvm.call @quant_profile_begin()
  // CHECK-NEXT: scf.for
  // CHECK-NOT: quant_profile_begin
  // CHECK: llvm.mlir.addressof @[[LOOP]]
  scf.for %i = %c0 to %n step %c1 {
    memref.store %c, %y[%i, %c0] : memref<?x8xf32>
  }
  // Tiles of attention are one, too.
  // CHECK: llvm.call @quant_profile_begin()
  // CHECK-NEXT: scf.forall
  // CHECK-NOT: quant_profile_begin
  // CHECK: llvm.mlir.addressof @[[ATTENTION]]
  scf.forall (%i) in (%n) {
    linalg.matmul ins(%x, %w : memref<?x4xf32>, memref<4x8xf32>) outs(%y : memref<?x8xf32>)
    linalg.matmul ins(%x, %w : memref<?x4xf32>, memref<4x8xf32>) outs(%y : memref<?x8xf32>)
  }
  // CHECK: llvm.call @quant_profile_begin()
  // CHECK-NEXT: memref.copy
  // CHECK-NEXT: llvm.mlir.addressof @[[COPY]]
  memref.copy %y, %z : memref<?x8xf32> to memref<?x8xf32>
  return
}
