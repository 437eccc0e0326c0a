// RUN: quant-opt %s --quant-set-target=cpu=znver4 --quant-vectorize-rows | FileCheck %s --check-prefixes=CHECK,WIDE
// RUN: quant-opt %s --quant-set-target=cpu=haswell --quant-vectorize-rows | FileCheck %s --check-prefixes=CHECK,NARROW
// RUN: quant-opt %s --quant-set-arm-target=cpu=neoverse-n1 --quant-vectorize-rows | FileCheck %s --check-prefixes=CHECK,SHORT

// Three heads of queries at once, of two tokens where registers are 32; no head
// is copied, and scores stay in a few rows.

// CHECK-LABEL: func @attention
// CHECK-NOT: memref.copy
// CHECK: scf.for
// WIDE: memref.alloc(%{{.*}}) {alignment = 64 : i64} : memref<8x?xf32>
// WIDE-COUNT-24: math.fma {{.*}} : vector<16xf32>
// NARROW: memref.alloc(%{{.*}}) {alignment = 64 : i64} : memref<4x?xf32>
// NARROW-COUNT-12: math.fma {{.*}} : vector<8xf32>
// SHORT: memref.alloc(%{{.*}}) {alignment = 64 : i64} : memref<8x?xf32>
// SHORT-COUNT-24: math.fma {{.*}} : vector<4xf32>
// CHECK: math.exp {{.*}} : vector<16xf32>
// WIDE: math.fma {{.*}} : vector<16xf32>
// NARROW: math.fma {{.*}} : vector<8xf32>
// SHORT: math.fma {{.*}} : vector<4xf32>
// CHECK: arith.divf {{.*}} : vector
func.func @attention(%q: memref<2x3x?x64xf32>, %pk: memref<2x64x?xf32>, %pv: memref<2x?x64xf32>,
                     %nk: memref<2x64x?xf32>, %nv: memref<2x?x64xf32>, %y: memref<?x2x3x64xf32>) {
  quant.float_attention query(%q : memref<2x3x?x64xf32>)
    past(%pk, %pv : memref<2x64x?xf32>, memref<2x?x64xf32>)
    new(%nk, %nv : memref<2x64x?xf32>, memref<2x?x64xf32>)
    outs(%y : memref<?x2x3x64xf32>) scale = 0.125
  return
}
