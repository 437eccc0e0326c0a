// The microkernel on memrefs: accumulators carried over K, one instruction for
// each, two steps in an iteration, corrections and rescale in registers, stores
// masked at the edges.

// RUN: quant-opt --convert-quant-to-cpu --canonicalize --cse --split-input-file %s | FileCheck %s

// Two elements in a byte: 16 times each, in two operands; the bias is 16 times as
// large meanwhile, and the sums are shifted back.
// CHECK-LABEL: func @nibbles
// CHECK-DAG: %[[FOUR:.*]] = arith.constant dense<4> : vector<64xi8>
// CHECK-DAG: %[[MASK:.*]] = arith.constant dense<-16> : vector<64xi8>
// CHECK-DAG: %[[SHIFT:.*]] = arith.constant dense<4> : vector<16xi32>
// CHECK: %[[BIAS:.*]] = vector.load %{{.*}} : memref<3x32xi32>, vector<16xi32>
// CHECK: %[[START:.*]] = arith.shli %[[BIAS]], %[[SHIFT]]
// CHECK: %[[ACC:.*]]:8 = scf.for {{.*}} iter_args(%{{.*}} = %[[START]]
// CHECK: %[[W:.*]] = vector.load %{{.*}} : memref<3x5x128xi8>, vector<64xi8>
// CHECK: %[[LOW:.*]] = arith.shli %[[W]], %[[FOUR]]
// CHECK: %[[HIGH:.*]] = arith.andi %[[W]], %[[MASK]]
// CHECK: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"({{.*}}, %[[LOW]])
// CHECK: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"({{.*}}, %[[HIGH]])
// CHECK: %[[SUM:.*]] = arith.shrsi %{{.*}}, %[[SHIFT]] : vector<16xi32>
// CHECK: vector.store %[[SUM]]
func.func @nibbles(%a: memref<4x36xi8>, %b: memref<3x5x32x4xi8>, %d: memref<3x32xi32>, %c: memref<4x96xi32>) {
  qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s4 32x8> ins(%a, %b : memref<4x36xi8>, memref<3x5x32x4xi8>)
    col_bias(%d : memref<3x32xi32>) outs(%c : memref<4x96xi32>)
  return
}

// -----

// CHECK-LABEL: func @exact
// CHECK-DAG: %[[ZERO:.*]] = arith.constant dense<0> : vector<16xi32>
// CHECK: scf.for %[[N:.*]] = %{{.*}} to %c3
// CHECK: %[[ACC:.*]]:8 = scf.for %[[K:.*]] = %c0 to %c4 step %c2 iter_args(%{{.*}} = %[[ZERO]]
// CHECK: memref.prefetch
// CHECK: %[[W:.*]] = vector.load %{{.*}}[%[[N]], %[[K]], %{{.*}}] : memref<3x5x128xi8>, vector<64xi8>
// CHECK: vector.load %{{.*}}[%{{.*}}, %{{.*}}] : memref<4x20xi8>, vector<4xi8>
// CHECK: vector.broadcast %{{.*}} : i32 to vector<16xi32>
// CHECK-COUNT-16: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
// CHECK: scf.yield
// CHECK: %[[REST:.*]] = llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"(%[[ACC]]#0,
// CHECK-COUNT-7: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
// CHECK-NOT: llvm.call_intrinsic
// CHECK-NOT: scf.if
// CHECK: vector.store %[[REST]], 
// CHECK-NOT: qtarget.packed_matmul
func.func @exact(%a: memref<4x20xi8>, %b: memref<3x5x32x4xi8>, %c: memref<4x96xi32>) {
  qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 32x4> ins(%a, %b : memref<4x20xi8>, memref<3x5x32x4xi8>)
    outs(%c : memref<4x96xi32>)
  return
}

// -----

// The columns are masked; the order of the rescale's operations is the
// documented one.
// CHECK-LABEL: func @edges
// CHECK: vector.load %{{.*}} : memref<2x16xi32>, vector<16xi32>
// CHECK: scf.for {{.*}} -> (vector<16xi32>, vector<16xi32>, vector<16xi32>)
// CHECK: scf.yield
// CHECK: %[[ACC:.*]] = llvm.call_intrinsic
// CHECK: arith.muli {{.*}} : vector<16xi32>
// CHECK: %[[T:.*]] = arith.addi %[[ACC]], {{.*}} : vector<16xi32>
// CHECK: %[[MASK:.*]] = vector.create_mask
// CHECK: %[[S:.*]] = arith.mulf {{.*}} : vector<16xf32>
// CHECK: %[[F:.*]] = arith.sitofp %[[T]]
// CHECK: %[[Y:.*]] = arith.mulf %[[F]], %[[S]]
// CHECK: %[[B:.*]] = arith.addf %[[Y]]
// CHECK: %[[LO:.*]] = arith.maximumf %[[B]]
// CHECK: math.roundeven %[[LO]]
// CHECK: arith.fptosi
// CHECK: %[[Q:.*]] = arith.trunci {{.*}} to vector<16xi8>
// CHECK: vector.maskedstore %{{.*}}, %[[MASK]], %[[Q]]
// CHECK: vector.maskedstore
func.func @edges(%a: memref<3x20xi8>, %b: memref<2x5x16x4xi8>, %c: memref<3x23xi8>,
                 %cb: memref<2x16xi32>, %rf: memref<1x3xi32>, %cf: memref<1x2x16xi32>,
                 %rs: memref<3xf32>, %cs: memref<2x16xf32>, %bias: memref<2x16xf32>) {
  qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 16x4> ins(%a, %b : memref<3x20xi8>, memref<2x5x16x4xi8>)
    col_bias(%cb : memref<2x16xi32>) row_factors(%rf : memref<1x3xi32>)
    col_factors(%cf : memref<1x2x16xi32>) row_scale(%rs : memref<3xf32>)
    channel_scale(%cs : memref<2x16xf32>) bias(%bias : memref<2x16xf32>)
    outs(%c : memref<3x23xi8>)
    {zero_point = 3 : i32, range = array<i64: -128, 127>, clamp_min = 0.0 : f32}
  return
}

// -----

// Without VNNI: the right operand is extended when it is loaded, products of
// pairs are added by an instruction of their own.
// CHECK-LABEL: func @madd
// CHECK: vector.load %{{.*}} : memref<1x7x16xi8>, vector<16xi8>
// CHECK: arith.extsi {{.*}} : vector<16xi8> to vector<16xi16>
// CHECK: vector.load %{{.*}} : memref<1x14xi16>, vector<2xi16>
// CHECK: %[[P:.*]] = llvm.call_intrinsic "llvm.x86.avx2.pmadd.wd"
// CHECK: arith.addi %{{.*}}, %[[P]] : vector<8xi32>
func.func @madd(%a: memref<1x14xi16>, %b: memref<1x7x8x2xi8>, %c: memref<1x8xi32>) {
  qtarget.packed_matmul #qtarget.x86<vpmaddwd_256> layout<lhs = s16, rhs = s8 8x2> ins(%a, %b : memref<1x14xi16>, memref<1x7x8x2xi8>)
    outs(%c : memref<1x8xi32>)
  return
}
