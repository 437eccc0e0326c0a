// RUN: quant-opt --quant-set-target=cpu=icelake-server --quant-vectorize-rows --canonicalize --cse --split-input-file %s | FileCheck %s
// RUN: quant-opt --quant-set-target=cpu=x86-64 --quant-vectorize-rows --canonicalize --cse --split-input-file %s | FileCheck %s --check-prefix=SSE
// RUN: quant-opt --quant-set-target=cpu=icelake-server --quant-vectorize-rows --quant-parallelize-loops="threads=2 min-elements=1" --split-input-file %s | FileCheck %s --check-prefix=THREADS

// The largest magnitude as an integer; four instructions for a quotient, no
// division and no comparison, where the row has only finite elements; the next
// row is asked for meanwhile.
// CHECK-LABEL: func @rows
// CHECK-DAG: %[[MASK:.*]] = arith.constant dense<2147483647> : vector<64xi32>
// CHECK-DAG: %[[SHIFT:.*]] = arith.constant dense<0x4B400080> : vector<32xf32>
// CHECK: scf.for %[[ROW:.*]] = %c0 to %{{.*}} step %c1
// CHECK: scf.for
// CHECK: arith.andi %{{.*}}, %[[MASK]] : vector<64xi32>
// CHECK: arith.maxui
// CHECK: vector.reduction <maxui>
// CHECK: %[[FINITE:.*]] = arith.cmpi ult, %{{.*}}, %c2139095040_i32
// CHECK: memref.store %[[SCALE:.*]], %arg2[%[[ROW]]]
// CHECK: scf.if
// CHECK: scf.for
// CHECK: memref.prefetch %arg0[{{.*}}], read
// CHECK: memref.prefetch %arg1[{{.*}}], write
// CHECK: %[[X:.*]] = vector.load %arg0[%[[ROW]], %{{.*}}] : memref<?x200xf32>, vector<32xf32>
// CHECK: arith.mulf
// CHECK: %[[Q0:.*]] = math.fma %[[X]]
// CHECK: %[[MINUS:.*]] = arith.negf %[[Q0]]
// CHECK: %[[LEFT:.*]] = math.fma %[[MINUS]], %{{.*}}, %[[X]]
// CHECK: %[[Q1:.*]] = math.fma %[[LEFT]], %{{.*}}, %[[Q0]]
// CHECK-NEXT: %[[SUM:.*]] = arith.addf %[[Q1]], %[[SHIFT]]
// CHECK-NEXT: arith.bitcast %[[SUM]]
// CHECK-NEXT: arith.trunci
// CHECK-NEXT: vector.store %{{.*}}, %arg1[%[[ROW]], %{{.*}}] : memref<?x200xi8>, vector<32xi8>
// CHECK: vector.store %{{.*}} : memref<?x200xi8>, vector<8xi8>
// CHECK: else
// CHECK: arith.divf %{{.*}} : vector<32xf32>
// CHECK: math.roundeven
// Without fused multiply-adds all rows are divided.
// SSE-LABEL: func @rows
// SSE-NOT: math.fma
// SSE: arith.divf %{{.*}} : vector<32xf32>
// THREADS-LABEL: func @rows
// THREADS: scf.forall
// THREADS: memref.prefetch
func.func @rows(%x: memref<?x200xf32>, %q: memref<?x200xi8>, %s: memref<?xf32>) {
  quant.quantize_rows ins(%x : memref<?x200xf32>) outs(%q, %s : memref<?x200xi8>, memref<?xf32>) range = [-127, 127] unsigned
  return
}

// -----

// Every other column: through a copy.
// CHECK-LABEL: func @strided
// CHECK: %[[COPY:.*]] = memref.alloc() : memref<4x10xf32>
// CHECK: memref.copy %arg0, %[[COPY]]
// CHECK: vector.load %[[COPY]]
// CHECK: memref.dealloc %[[COPY]]
func.func @strided(%x: memref<4x10xf32, strided<[20, 2]>>, %q: memref<4x10xi8>, %s: memref<4xf32>) {
  quant.quantize_rows ins(%x : memref<4x10xf32, strided<[20, 2]>>) outs(%q, %s : memref<4x10xi8>, memref<4xf32>) range = [-128, 127]
  return
}
