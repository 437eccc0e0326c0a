// RUN: quant-opt --quant-parallelize-loops="threads=2 min-elements=1000" %s | FileCheck %s
// RUN: quant-opt --quant-parallelize-loops %s | FileCheck %s --check-prefix=ONE

// ONE-NOT: scf.forall
// ONE-NOT: quant.independent

// The outermost marked loop with more than one iteration.
// CHECK-LABEL: func @nest
// CHECK: scf.for %[[I:.*]] = %c0 to %c1
// CHECK: scf.forall (%[[J:.*]]) = (%c0) to (%c64) step (%c2)
// CHECK: scf.for %[[K:.*]] = %c0 to %c32
// CHECK: memref.store %{{.*}}, %{{.*}}[%[[I]], %[[J]], %[[K]]]
// CHECK-NOT: quant.independent
func.func @nest(%x: memref<1x64x32xf32>, %v: f32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c32 = arith.constant 32 : index
  %c64 = arith.constant 64 : index
  scf.for %i = %c0 to %c1 step %c1 {
    scf.for %j = %c0 to %c64 step %c2 {
      scf.for %k = %c0 to %c32 step %c1 {
        memref.store %v, %x[%i, %j, %k] : memref<1x64x32xf32>
      } {quant.independent = 1 : i64}
    } {quant.independent = 32 : i64}
  } {quant.independent = 2048 : i64}
  return
}

// A number of iterations that only the run knows: 125 of 8 elements are enough.
// CHECK-LABEL: func @dynamic
// CHECK: %[[LEAST:.*]] = arith.muli %c1, %c125
// CHECK: %[[PAYS:.*]] = arith.cmpi sge, %{{.*}}, %[[LEAST]]
// CHECK: scf.if %[[PAYS]]
// CHECK: scf.forall
// CHECK: else
// CHECK: scf.for
// CHECK-NOT: quant.independent
func.func @dynamic(%x: memref<?xf32>, %v: f32, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %n step %c1 {
    memref.store %v, %x[%i] : memref<?xf32>
  } {quant.independent = 8 : i64}
  return
}

// Too little to do; nobody said that iterations are independent.
// CHECK-LABEL: func @negative
// CHECK-COUNT-2: scf.for %
// CHECK-NOT: scf.forall
func.func @negative(%x: memref<?xf32>, %v: f32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  scf.for %i = %c0 to %c8 step %c1 {
    memref.store %v, %x[%i] : memref<?xf32>
  } {quant.independent = 8 : i64}
  scf.for %i = %c0 to %c8 step %c1 {
    memref.store %v, %x[%c0] : memref<?xf32>
  }
  return
}
