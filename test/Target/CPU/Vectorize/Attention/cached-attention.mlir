// RUN: quant-opt %s --quant-set-target=cpu=znver4 --quant-vectorize-rows | FileCheck %s --check-prefixes=CHECK,VNNI
// RUN: quant-opt %s --quant-set-target=cpu=haswell --quant-vectorize-rows | FileCheck %s --check-prefixes=CHECK,AVX2
// RUN: quant-opt %s --quant-set-arm-target=cpu=neoverse-n1 --quant-vectorize-rows | FileCheck %s --check-prefixes=CHECK,ARM

// Both products are of the cache's integers, three heads of queries at once; no
// element of the cache becomes a float, and no head is copied.

// CHECK-LABEL: func @attention
// CHECK-NOT: arith.sitofp {{.*}}i8
// CHECK-NOT: memref.copy
// CHECK: scf.for
// VNNI: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
// AVX2: llvm.call_intrinsic "llvm.x86.avx2.pmadd.wd"
// ARM: llvm.call_intrinsic "llvm.aarch64.neon.sdot.v4i32.v16i8"
// CHECK: math.exp
// VNNI: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
// AVX2: llvm.call_intrinsic "llvm.x86.avx2.pmadd.wd"
// ARM: llvm.call_intrinsic "llvm.aarch64.neon.sdot.v4i32.v16i8"
// CHECK: arith.divf {{.*}} : vector
func.func @attention(%q: memref<2x3x?x64xi8>, %qs: memref<2x3x?xf32>,
                     %pk: memref<2x16x?xi32>, %ps: memref<2x?xf32>, %pv: memref<2x?x16xi32>,
                     %nk: memref<2x16x?xi32>, %ns: memref<2x?xf32>, %nv: memref<2x?x16xi32>,
                     %y: memref<?x2x3x64xf32>) {
  quant.cached_attention query(%q, %qs : memref<2x3x?x64xi8>, memref<2x3x?xf32>)
    past(%pk, %ps, %pv, %ps : memref<2x16x?xi32>, memref<2x?xf32>, memref<2x?x16xi32>, memref<2x?xf32>)
    new(%nk, %ns, %nv, %ns : memref<2x16x?xi32>, memref<2x?xf32>, memref<2x?x16xi32>, memref<2x?xf32>)
    outs(%y : memref<?x2x3x64xf32>) bits = 8
  return
}
