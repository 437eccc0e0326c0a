// RUN: quant-opt --convert-quant-to-cpu --canonicalize --split-input-file %s | FileCheck %s

// Panels of columns outside, tiles of rows inside, the loop over K innermost
// with the accumulators in its iter_args. Sizes divide: nothing is masked.

// CHECK-LABEL: @whole_tiles
// CHECK: scf.for
// CHECK: scf.for
// CHECK: %[[ACC:.*]]:2 = scf.for {{.*}} -> (vector<16xi32>, vector<16xi32>)
// CHECK: memref.prefetch
// CHECK: %[[B:.*]] = vector.load {{.*}} vector<64xi8>
// CHECK: vector.load {{.*}} vector<4xi8>
// CHECK-COUNT-4: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
// CHECK-NOT: memref.alloc
// CHECK-NOT: scf.if
// CHECK: vector.store
// CHECK-NOT: maskedstore
// CHECK: return
func.func @whole_tiles(%a: memref<6x32xi8>, %b: memref<2x8x16x4xi8>, %c: memref<6x32xi32>) {
  qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 16x4> ins(%a, %b : memref<6x32xi8>, memref<2x8x16x4xi8>)
    outs(%c : memref<6x32xi32>)
    {schedule = #qtarget.schedule<rows = 2, blockM = 0, blockK = 0>}
  return
}

// -----

// The epilogue works on vectors: the i32 result never is in memory.

// CHECK-LABEL: @epilogue
// CHECK: %[[START:.*]] = vector.load %{{.*}} : memref<2x16xi32>, vector<16xi32>
// CHECK: scf.for {{.*}} iter_args({{.*}} = %[[START]]
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
func.func @epilogue(%a: memref<3x32xi8>, %b: memref<2x8x16x4xi8>, %bias: memref<2x16xi32>,
                    %rf: memref<1x3xi32>, %cf: memref<1x2x16xi32>, %sx: memref<3xf32>,
                    %sw: memref<2x16xf32>, %fb: memref<2x16xf32>, %c: memref<3x20xi8>) {
  qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 16x4> ins(%a, %b : memref<3x32xi8>, memref<2x8x16x4xi8>)
    col_bias(%bias : memref<2x16xi32>) row_factors(%rf : memref<1x3xi32>)
    col_factors(%cf : memref<1x2x16xi32>) row_scale(%sx : memref<3xf32>)
    channel_scale(%sw : memref<2x16xf32>) bias(%fb : memref<2x16xf32>)
    outs(%c : memref<3x20xi8>) {zero_point = 3 : i32, range = array<i64: -128, 127>}
  return
}

// -----

// Rows that do not divide are tiles as equal as can be: 7 rows in tiles of up
// to 3 are one of 3 and two of 2.

// CHECK-LABEL: @equal_tiles
// CHECK: scf.for {{.*}} -> (vector<16xi32>, vector<16xi32>, vector<16xi32>)
// CHECK: scf.for %{{.*}} = %c0 to %c2 step %c1
// CHECK: scf.for {{.*}} -> (vector<16xi32>, vector<16xi32>)
func.func @equal_tiles(%a: memref<7x32xi8>, %b: memref<2x8x16x4xi8>, %c: memref<7x32xi32>) {
  qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 16x4> ins(%a, %b : memref<7x32xi8>, memref<2x8x16x4xi8>)
    outs(%c : memref<7x32xi32>)
    {schedule = #qtarget.schedule<rows = 3, blockM = 0, blockK = 0>}
  return
}

// -----

// A number of rows that is not known: a microkernel for each height, chosen at
// run time.

// CHECK-LABEL: @any_rows
// CHECK: scf.index_switch
// CHECK: case 1
// CHECK: scf.for {{.*}} -> (vector<16xi32>)
// CHECK: case 2
// CHECK: scf.for {{.*}} -> (vector<16xi32>, vector<16xi32>)
// CHECK: vector.maskedstore
func.func @any_rows(%a: memref<?x32xi8>, %b: memref<2x8x16x4xi8>, %c: memref<?x31xi32>) {
  qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 16x4> ins(%a, %b : memref<?x32xi8>, memref<2x8x16x4xi8>)
    outs(%c : memref<?x31xi32>)
    {schedule = #qtarget.schedule<rows = 2, blockM = 8, blockK = 0>}
  return
}

// -----

// K in parts: the sums of a part are loaded and stored, except that the first
// starts from the bias and the last ends with the epilogue. The last step has
// 2 of 4 elements: the left operand's are masked, nothing past them is read.

// CHECK-LABEL: @parts_of_k
// CHECK: %[[SUMS:.*]] = memref.alloc() {alignment = 64 : i64} : memref<4x16xi32>
// CHECK: scf.if
// CHECK: vector.load %{{.*}} : memref<2x16xi32>
// CHECK: else
// CHECK: vector.load %[[SUMS]]
// CHECK: scf.if
// CHECK: vector.maskedload {{.*}} into vector<4xi8>
// CHECK: vector.store %{{.*}} : memref<4x32xi32>
// CHECK: else
// CHECK: vector.store %{{.*}}, %[[SUMS]]
// CHECK: memref.dealloc %[[SUMS]]
func.func @parts_of_k(%a: memref<4x46xi8>, %b: memref<2x12x16x4xi8>, %cb: memref<2x16xi32>, %c: memref<4x32xi32>) {
  qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 16x4> ins(%a, %b : memref<4x46xi8>, memref<2x12x16x4xi8>)
    col_bias(%cb : memref<2x16xi32>) outs(%c : memref<4x32xi32>)
    {schedule = #qtarget.schedule<rows = 2, blockM = 0, blockK = 16>}
  return
}

// -----

// vpmaddwd: the right operand is extended as it is loaded, sums wrap.

// CHECK-LABEL: @madd
// CHECK: arith.extsi {{.*}} : vector<16xi8> to vector<16xi16>
// CHECK: %[[P:.*]] = llvm.call_intrinsic "llvm.x86.avx2.pmadd.wd"
// CHECK: arith.addi %{{.*}}, %[[P]] : vector<8xi32>
func.func @madd(%a: memref<3x16xi16>, %b: memref<2x8x8x2xi8>, %c: memref<3x16xi32>) {
  qtarget.packed_matmul #qtarget.x86<vpmaddwd_256> layout<lhs = s16, rhs = s8 8x2> ins(%a, %b : memref<3x16xi16>, memref<2x8x8x2xi8>)
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
func.func @strided_result(%a: memref<6x32xi8>, %b: memref<2x8x16x4xi8>, %c: memref<6x32xi32, strided<[64, 2]>>) {
  qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 16x4> ins(%a, %b : memref<6x32xi8>, memref<2x8x16x4xi8>)
    outs(%c : memref<6x32xi32, strided<[64, 2]>>)
  return
}

// -----

// Every other column of larger activations: copied first.

// CHECK-LABEL: @strided_activations
// CHECK-SAME: %[[A:[^ ]*]]: memref<6x32xi8, strided<[64, 2]>>
// CHECK: %[[T:.*]] = memref.alloc() : memref<6x32xi8>
// CHECK: memref.copy %[[A]], %[[T]]
// CHECK: vector.load %[[T]]
// CHECK: memref.dealloc %[[T]]
func.func @strided_activations(%a: memref<6x32xi8, strided<[64, 2]>>, %b: memref<2x8x16x4xi8>, %c: memref<6x32xi32>) {
  qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 16x4> ins(%a, %b : memref<6x32xi8, strided<[64, 2]>>, memref<2x8x16x4xi8>)
    outs(%c : memref<6x32xi32>)
  return
}
