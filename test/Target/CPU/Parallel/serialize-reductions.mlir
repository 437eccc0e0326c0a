// RUN: quant-opt --quant-serialize-reductions %s | FileCheck %s

// Sums in the order of one thread; the inner loop's is a part of the outer one's.
// CHECK-LABEL: func @nest
// CHECK-SAME: %[[X:.*]]: memref<?x?xf32>, %[[N:.*]]: index, %[[F:.*]]: f32, %[[Z:.*]]: i32
// CHECK: %[[OUT:.*]]:2 = scf.for %[[I:.*]] = %c0 to %[[N]] step %c1 iter_args(%[[A:.*]] = %[[F]], %[[B:.*]] = %[[Z]])
// CHECK-NEXT: %[[OUT2:.*]]:2 = scf.for %[[J:.*]] = %c0 to %c8 step %c2 iter_args(%[[C:.*]] = %[[A]], %[[D:.*]] = %[[B]])
// CHECK-NEXT: %[[V:.*]] = memref.load %[[X]][%[[I]], %[[J]]]
// CHECK-NEXT: %[[IN:.*]] = scf.for %{{.*}} = %c0 to %[[N]] step %c2 iter_args(%[[E:.*]] = %[[V]])
// CHECK-NEXT: %[[S:.*]] = arith.mulf %[[E]], %[[V]]
// CHECK-NEXT: scf.yield %[[S]]
// CHECK: %[[T:.*]] = arith.subf %[[C]], %[[IN]]
// CHECK-NEXT: %[[U:.*]] = arith.subi %[[Z]], %[[D]]
// CHECK-NEXT: scf.yield %[[T]], %[[U]]
// CHECK: scf.yield %[[OUT2]]#0, %[[OUT2]]#1
// CHECK: return %[[OUT]]#0, %[[OUT]]#1
func.func @nest(%x: memref<?x?xf32>, %n: index, %f: f32, %z: i32) -> (f32, i32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c8 = arith.constant 8 : index
  %r:2 = scf.parallel (%i, %j) = (%c0, %c0) to (%n, %c8) step (%c1, %c2)
      init (%f, %z) -> (f32, i32) {
    %v = memref.load %x[%i, %j] : memref<?x?xf32>
    %in = scf.parallel (%k) = (%c0) to (%n) step (%c2) init (%v) -> f32 {
      scf.reduce(%v : f32) {
      ^bb0(%a: f32, %b: f32):
        %t = arith.mulf %a, %b : f32
        scf.reduce.return %t : f32
      }
    }
    scf.reduce(%in, %z : f32, i32) {
    ^bb0(%a: f32, %b: f32):
      %t = arith.subf %a, %b : f32
      scf.reduce.return %t : f32
    }, {
    ^bb0(%a: i32, %b: i32):
      %t = arith.subi %b, %a : i32
      scf.reduce.return %t : i32
    }
  }
  return %r#0, %r#1 : f32, i32
}

// Others stay.
// CHECK-LABEL: func @plain
// CHECK: scf.parallel
func.func @plain(%x: memref<?xf32>, %n: index, %f: f32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.parallel (%i) = (%c0) to (%n) step (%c1) {
    memref.store %f, %x[%i] : memref<?xf32>
  }
  return
}
