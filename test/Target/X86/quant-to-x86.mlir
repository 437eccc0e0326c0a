// RUN: quant-opt --convert-quant-to-x86 --split-input-file %s | FileCheck %s

// Panels of columns outside, panels of rows inside, the loop over K innermost
// with the accumulators in its iter_args. Sizes divide: nothing is masked.

// CHECK-LABEL: @whole_tiles
// CHECK: scf.for
// CHECK: scf.for
// CHECK: %[[ACC:.*]]:2 = scf.for {{.*}} -> (vector<16xi32>, vector<16xi32>)
// CHECK: %[[B:.*]] = vector.load {{.*}} vector<64xi8>
// CHECK: vector.load {{.*}} vector<4xi8>
// CHECK-COUNT-2: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
// CHECK-NOT: memref.alloc
// CHECK-NOT: scf.if
// CHECK: vector.store
// CHECK-NOT: maskedstore
// CHECK: return
func.func @whole_tiles(%a: memref<3x8x2x4xi8>, %b: memref<2x8x16x4xi8>, %c: memref<6x32xi32>) {
  quant.packed_matmul <vpdpbusd_512> ins(%a, %b : memref<3x8x2x4xi8>, memref<2x8x16x4xi8>)
    outs(%c : memref<6x32xi32>)
  return
}

// -----

// The epilogue works on vectors: the i32 result never is in memory.

// CHECK-LABEL: @epilogue
// CHECK: %[[START:.*]] = vector.load %{{.*}} : memref<2x16xi32>, vector<16xi32>
// CHECK: scf.for {{.*}} iter_args({{.*}} = %[[START]])
// CHECK: arith.muli {{.*}} : vector<16xi32>
// CHECK: arith.addi {{.*}} : vector<16xi32>
// CHECK: %[[S:.*]] = arith.mulf
// CHECK: %[[F:.*]] = arith.sitofp
// CHECK: arith.mulf %[[F]], %[[S]]
// CHECK: arith.addf
// CHECK: math.roundeven
// CHECK: arith.fptosi {{.*}} : vector<16xf32> to vector<16xi32>
// CHECK: vector.create_mask
// CHECK: vector.maskedstore {{.*}} vector<16xi8>
func.func @epilogue(%a: memref<3x8x1x4xi8>, %b: memref<2x8x16x4xi8>, %bias: memref<2x16xi32>,
                    %rf: memref<1x3xi32>, %cf: memref<1x2x16xi32>, %sx: memref<3xf32>,
                    %sw: memref<2x16xf32>, %fb: memref<2x16xf32>, %c: memref<3x20xi8>) {
  quant.packed_matmul <vpdpbusd_512> ins(%a, %b : memref<3x8x1x4xi8>, memref<2x8x16x4xi8>)
    col_bias(%bias : memref<2x16xi32>) row_factors(%rf : memref<1x3xi32>)
    col_factors(%cf : memref<1x2x16xi32>) row_scale(%sx : memref<3xf32>)
    channel_scale(%sw : memref<2x16xf32>) bias(%fb : memref<2x16xf32>)
    outs(%c : memref<3x20xi8>) {zero_point = 3 : i32, range = array<i64: -128, 127>}
  return
}

// -----

// Rows past M are computed on padding and not stored.

// CHECK-LABEL: @row_tail
// CHECK: vector.maskedstore
// CHECK: arith.cmpi ult
// CHECK: scf.if
// CHECK: vector.maskedstore
func.func @row_tail(%a: memref<?x8x2x4xi8>, %b: memref<2x8x16x4xi8>, %c: memref<?x31xi32>) {
  quant.packed_matmul <vpdpbusd_512> ins(%a, %b : memref<?x8x2x4xi8>, memref<2x8x16x4xi8>)
    outs(%c : memref<?x31xi32>)
  return
}

// -----

// vpmaddwd: the right operand is extended as it is loaded, sums wrap.

// CHECK-LABEL: @madd
// CHECK: arith.extsi {{.*}} : vector<16xi8> to vector<16xi16>
// CHECK: %[[P:.*]] = llvm.call_intrinsic "llvm.x86.avx2.pmadd.wd"
// CHECK: arith.addi %{{.*}}, %[[P]] : vector<8xi32>
func.func @madd(%a: memref<3x8x1x2xi16>, %b: memref<2x8x8x2xi8>, %c: memref<3x16xi32>) {
  quant.packed_matmul <vpmaddwd_256> ins(%a, %b : memref<3x8x1x2xi16>, memref<2x8x8x2xi8>)
    outs(%c : memref<3x16xi32>)
  return
}

// -----

// Every other column of a larger result: computed apart, then copied.

// CHECK-LABEL: @strided_result
// CHECK-SAME: %[[C:[^ ]*]]: memref<6x32xi32, strided<[64, 2]>>
// CHECK: %[[T:.*]] = memref.alloc() : memref<6x32xi32>
// CHECK: vector.store %{{.*}}, %[[T]]
// CHECK: memref.copy %[[T]], %[[C]]
// CHECK: memref.dealloc %[[T]]
func.func @strided_result(%a: memref<3x8x2x4xi8>, %b: memref<2x8x16x4xi8>, %c: memref<6x32xi32, strided<[64, 2]>>) {
  quant.packed_matmul <vpdpbusd_512> ins(%a, %b : memref<3x8x2x4xi8>, memref<2x8x16x4xi8>)
    outs(%c : memref<6x32xi32, strided<[64, 2]>>)
  return
}
