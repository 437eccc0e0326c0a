// RUN: quant-opt --quant-parallelize-matmuls="threads=2 min-macs=250" --canonicalize --cse %s | FileCheck %s
// RUN: quant-opt --quant-parallelize-matmuls="threads=2" %s | FileCheck %s --check-prefixes=SMALL,TWO
// RUN: quant-opt --quant-parallelize-matmuls="threads=2 min-bytes=262145" %s | FileCheck %s --check-prefixes=SMALL,BRANCH
// RUN: quant-opt --quant-parallelize-matmuls %s | FileCheck %s --check-prefixes=SMALL,ONE

// SMALL-LABEL: func @equal
// SMALL-NOT: scf.forall
// SMALL-LABEL: func @unequal

// Four panels are two and two: sizes stay known.
// CHECK-LABEL: func @equal
// CHECK-SAME: (%[[A:.*]]: memref<1x2x16x64xi8>, %[[W:.*]]: memref<4x32x16x4xi8>, %[[SX:.*]]: memref<16xf32>, %[[SW:.*]]: memref<4x16xf32>, %[[Y:.*]]: memref<16x64xf32>)
// CHECK: scf.forall (%[[THREAD:.*]]) in (2)
// CHECK: %[[PANEL:.*]] = arith.muli %[[THREAD]], %c2
// CHECK: %[[COLUMN:.*]] = arith.muli %[[THREAD]], %c32
// CHECK: %[[WPART:.*]] = memref.subview %[[W]][%[[PANEL]], 0, 0, 0] [2, 32, 16, 4]
// CHECK: %[[SPART:.*]] = memref.subview %[[SW]][%[[PANEL]], 0] [2, 16]
// CHECK: %[[YPART:.*]] = memref.subview %[[Y]][0, %[[COLUMN]]] [16, 32]
// CHECK: qtarget.packed_matmul #qtarget.x86<amx_tdpbssd> layout{{.*}} ins(%[[A]], %[[WPART]]
// CHECK-SAME: row_scale(%[[SX]]
// CHECK-SAME: channel_scale(%[[SPART]]
// CHECK-SAME: outs(%[[YPART]]
func.func @equal(%a: memref<1x2x16x64xi8>, %w: memref<4x32x16x4xi8>, %sx: memref<16xf32>,
                 %sw: memref<4x16xf32>, %y: memref<16x64xf32>) {
  qtarget.packed_matmul #qtarget.x86<amx_tdpbssd> layout<lhs = s8 16x64, rhs = s8 16x4> ins(%a, %w : memref<1x2x16x64xi8>, memref<4x32x16x4xi8>)
    row_scale(%sx : memref<16xf32>) channel_scale(%sw : memref<4x16xf32>)
    outs(%y : memref<16x64xf32>)
  return
}

// Five panels, the last of two columns: the last thread has less.
// CHECK-LABEL: func @unequal
// CHECK: scf.forall (%{{.*}}) in (2)
// CHECK: arith.minui
// CHECK: memref.subview %arg1[%{{.*}}, 0, 0, 0] [%{{.*}}, 32, 16, 4]
// CHECK: memref.subview %arg2[0, %{{.*}}] [16, %{{.*}}]
func.func @unequal(%a: memref<1x2x16x64xi8>, %w: memref<5x32x16x4xi8>, %y: memref<16x66xi32>) {
  qtarget.packed_matmul #qtarget.x86<amx_tdpbssd> layout<lhs = s8 16x64, rhs = s8 16x4> ins(%a, %w : memref<1x2x16x64xi8>, memref<5x32x16x4xi8>)
    outs(%y : memref<16x66xi32>)
  return
}

// The number of rows decides at run time whether threads are woken.
// CHECK-LABEL: func @dynamic
// CHECK: %[[PAYS:.*]] = arith.cmpi uge
// CHECK: scf.if %[[PAYS]]
// CHECK: scf.forall
// CHECK: qtarget.packed_matmul
// CHECK: else
// CHECK-NOT: scf.forall
// CHECK: qtarget.packed_matmul
func.func @dynamic(%a: memref<?x2x16x64xi8>, %w: memref<4x32x16x4xi8>, %y: memref<?x64xi32>) {
  qtarget.packed_matmul #qtarget.x86<amx_tdpbssd> layout<lhs = s8 16x64, rhs = s8 16x4> ins(%a, %w : memref<?x2x16x64xi8>, memref<4x32x16x4xi8>)
    outs(%y : memref<?x64xi32>)
  return
}

// Groups: scales of each group are columns too.
// CHECK-LABEL: func @grouped
// CHECK: scf.forall
// CHECK: memref.subview %arg2[%{{.*}}, 0, 0] [2, 1, 16]
// CHECK: qtarget.packed_matmul
func.func @grouped(%a: memref<8x32xi8>, %w: memref<4x1x4x16x4xi8>, %s: memref<4x1x16xf32>,
                   %y: memref<8x64xf32>) {
  qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = s8, rhs = u4 16x8, group = 32> ins(%a, %w : memref<8x32xi8>, memref<4x1x4x16x4xi8>)
    rhs_scale(%s : memref<4x1x16xf32>) outs(%y : memref<8x64xf32>)
  return
}

// One panel is for one thread.
// CHECK-LABEL: func @negative_one_panel
// CHECK-NOT: scf.forall
func.func @negative_one_panel(%a: memref<1x2x16x64xi8>, %w: memref<1x32x16x4xi8>,
                              %y: memref<16x16xi32>) {
  qtarget.packed_matmul #qtarget.x86<amx_tdpbssd> layout<lhs = s8 16x64, rhs = s8 16x4> ins(%a, %w : memref<1x2x16x64xi8>, memref<1x32x16x4xi8>)
    outs(%y : memref<16x16xi32>)
  return
}

// Multipliers and shifts go with their panels, a residual with its columns.
// CHECK-LABEL: func @epilogues
// CHECK-SAME: %[[M:[a-z0-9]+]]: memref<4x16xi32>, %[[S:[a-z0-9]+]]: memref<4x16xi8>, %[[Y:[a-z0-9]+]]: memref<16x64xi8>, %[[F:[a-z0-9]+]]: memref<f32>, %[[R:[a-z0-9]+]]: memref<16x64xf32>, %[[Z:[a-z0-9]+]]: memref<16x64xf32>)
// CHECK: scf.forall
// CHECK: %[[MPART:.*]] = memref.subview %[[M]][%{{.*}}, 0] [2, 16]
// CHECK: %[[SPART:.*]] = memref.subview %[[S]][%{{.*}}, 0] [2, 16]
// CHECK: qtarget.packed_matmul {{.*}} multiplier(%[[MPART]] : {{.*}}) shift(%[[SPART]] : {{.*}}) rounding(SINGLE_ROUND)
// CHECK: scf.forall
// CHECK: %[[ZPART:.*]] = memref.subview %[[Z]][0, %{{.*}}] [16, 32]
// CHECK: %[[RPART:.*]] = memref.subview %[[R]][0, %{{.*}}] [16, 32]
// CHECK: qtarget.packed_matmul {{.*}} row_scale(%[[F]] : memref<f32>) residual(%[[RPART]] : {{.*}}) outs(%[[ZPART]]
func.func @epilogues(%a: memref<1x2x16x64xi8>, %w: memref<4x32x16x4xi8>, %m: memref<4x16xi32>, %s: memref<4x16xi8>,
                     %y: memref<16x64xi8>, %f: memref<f32>, %r: memref<16x64xf32>, %z: memref<16x64xf32>) {
  qtarget.packed_matmul #qtarget.x86<amx_tdpbssd> layout<lhs = s8 16x64, rhs = s8 16x4> ins(%a, %w : memref<1x2x16x64xi8>, memref<4x32x16x4xi8>)
    multiplier(%m : memref<4x16xi32>) shift(%s : memref<4x16xi8>) rounding(SINGLE_ROUND)
    outs(%y : memref<16x64xi8>) {range = array<i64: -128, 127>}
  qtarget.packed_matmul #qtarget.x86<amx_tdpbssd> layout<lhs = s8 16x64, rhs = s8 16x4> ins(%a, %w : memref<1x2x16x64xi8>, memref<4x32x16x4xi8>)
    row_scale(%f : memref<f32>) residual(%r : memref<16x64xf32>) outs(%z : memref<16x64xf32>)
  return
}

// One row waits for the weight: its bytes decide, and no number of rows.
// CHECK-LABEL: func @bytes
// CHECK-NOT: scf.if
// CHECK: scf.forall
// SMALL-LABEL: func @bytes
// TWO-NOT: scf.if
// TWO: scf.forall
// BRANCH: scf.if
// ONE-NOT: scf.forall
// SMALL: return
func.func @bytes(%a: memref<?x1024xi8>, %w: memref<16x256x16x4xi8>, %y: memref<?x256xi32>) {
  qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 16x4> ins(%a, %w : memref<?x1024xi8>, memref<16x256x16x4xi8>)
    outs(%y : memref<?x256xi32>)
  return
}
