// RUN: quant-opt --quant-set-target=cpu=icelake-server --quant-vectorize-rows --canonicalize --cse --split-input-file %s | FileCheck %s
// RUN: quant-opt --quant-set-target=cpu=x86-64 --quant-vectorize-rows --canonicalize --cse --split-input-file %s | FileCheck %s --check-prefix=SSE

// A block's magnitude and scale, then the quotient in four instructions where
// all is finite; the last block has six elements and code of its own.
// CHECK-LABEL: func @blocks
// CHECK: scf.for %[[ROW:.*]] = %c0 to %{{.*}} step %c1
// CHECK: scf.for %[[BLOCK:.*]] = %c0 to %c2 step %c1
// CHECK: vector.reduction <maxui>, %{{.*}} : vector<32xi32> into i32
// CHECK: memref.store %[[SCALE:.*]], %arg2[%[[ROW]], %[[BLOCK]]]
// CHECK: scf.if
// CHECK: math.fma
// CHECK: math.fma
// CHECK-NOT: arith.divf {{.*}} vector
// CHECK: vector.store %{{.*}}, %arg1[%[[ROW]], %{{.*}}] : memref<?x70xi8>, vector<32xi8>
// CHECK: } else {
// CHECK: arith.divf {{.*}} : vector<32xf32>
// CHECK: vector.reduction <maxui>, %{{.*}} : vector<6xi32> into i32
// CHECK: memref.store %{{.*}}, %arg2[%[[ROW]], %c2]
// SSE-LABEL: func @blocks
// SSE-NOT: vector<32xf32>, vector<32xf32>, vector<32xf32>
// SSE-NOT: math.fma
func.func @blocks(%x: memref<?x70xf32>, %q: memref<?x70xi8>, %s: memref<?x3xf32>) {
  quant.quantize_blocks ins(%x : memref<?x70xf32>) outs(%q, %s : memref<?x70xi8>, memref<?x3xf32>) block = 32 range = [-127, 127]
  return
}

// -----

// A rounded scale may be too small: quotients are clamped. Sums are those of
// the bytes that are stored.
// CHECK-LABEL: func @clamped
// CHECK: arith.truncf %{{.*}} : f32 to f16
// CHECK: scf.if
// CHECK: arith.maximumf %{{.*}} fastmath<nnan,nsz> : vector<32xf32>
// CHECK: arith.minimumf %{{.*}} fastmath<nnan,nsz> : vector<32xf32>
// CHECK: vector.reduction <add>
// CHECK: memref.store %{{.*}}, %arg3
func.func @clamped(%x: memref<4x64xf32>, %q: memref<4x64xi8>, %s: memref<4x2xf32>, %t: memref<4x2xi32>) {
  quant.quantize_blocks ins(%x : memref<4x64xf32>) outs(%q, %s, %t : memref<4x64xi8>, memref<4x2xf32>, memref<4x2xi32>) block = 32 range = [-127, 127] scales = f16
  return
}

// -----

// Nor is every range as wide below zero as above.
// CHECK-LABEL: func @lopsided
// CHECK: scf.if
// CHECK: arith.maximumf %{{.*}} fastmath<nnan,nsz> : vector<32xf32>
// CHECK: arith.minimumf %{{.*}} fastmath<nnan,nsz> : vector<32xf32>
func.func @lopsided(%x: memref<4x64xf32>, %q: memref<4x64xi8>, %s: memref<4x2xf32>) {
  quant.quantize_blocks ins(%x : memref<4x64xf32>) outs(%q, %s : memref<4x64xi8>, memref<4x2xf32>) block = 32 range = [-5, 127]
  return
}

// -----

// A rotated block is loaded once, and stays in registers.
// CHECK-LABEL: func @rotated_in_block
// CHECK: scf.for
// CHECK: scf.for %{{.*}} = %c0 to %c2 step %c1
// CHECK-COUNT-2: vector.load {{.*}} vector<32xf32>
// CHECK-NOT: vector.load {{.*}} vector<32xf32>
// CHECK: vector.store {{.*}} vector<32xi8>
func.func @rotated_in_block(%x: memref<4x128xf32>, %q: memref<4x128xi8>, %s: memref<4x2xf32>) {
  quant.quantize_blocks ins(%x : memref<4x128xf32>) outs(%q, %s : memref<4x128xi8>, memref<4x2xf32>) block = 64 range = [-127, 127] rotation = 32
  return
}

// -----

// So are blocks of what is rotated at once; those behind it are not rotated.
// CHECK-LABEL: func @blocks_in_rotated
// CHECK: scf.for
// CHECK: vector.load {{.*}} vector<128xf32>
// CHECK-COUNT-7: vector.shuffle {{.*}} vector<128xf32>
// CHECK-COUNT-4: vector.extract_strided_slice {{.*}} vector<128xf32> to vector<32xf32>
// CHECK: scf.for %{{.*}} = %c4 to %c6 step %c1
// CHECK-NOT: vector.shuffle
// CHECK: vector.load {{.*}} vector<32xf32>
func.func @blocks_in_rotated(%x: memref<4x192xf32>, %q: memref<4x192xi8>, %s: memref<4x6xf32>) {
  quant.quantize_blocks ins(%x : memref<4x192xf32>) outs(%q, %s : memref<4x192xi8>, memref<4x6xf32>) block = 32 range = [-127, 127] rotation = 128
  return
}
