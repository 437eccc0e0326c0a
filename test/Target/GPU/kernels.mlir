// Kernels name no vendor: a device that has nothing of its own gets the dialects
// for all GPUs, and LLVM finds AMD's instructions in them.
// RUN: plain-device %s | FileCheck %s --implicit-check-not=nvvm. --implicit-check-not=rocdl.
// RUN: plain-device %s | mlir-opt --pass-pipeline='builtin.module(rocdl-attach-target{chip=gfx1030},gpu.module(convert-scf-to-cf,convert-vector-to-llvm,expand-strided-metadata,convert-gpu-to-rocdl{chipset=gfx1030 use-bare-ptr-memref-call-conv=1},reconcile-unrealized-casts),gpu-module-to-binary{format=isa})' | sed 's/\\0A/\n/g; s/\\09/ /g' | FileCheck %s --check-prefix=AMD

// Every weight is read once, past shared memory; warps add up there.
// CHECK-LABEL: gpu.func @few_rows(
// CHECK: gpu.block_id x
// CHECK: scf.for
// CHECK: llvm.load {{.*}} : !llvm.ptr<1> -> vector<{{.*}}>
// CHECK: gpu.shuffle xor
// CHECK: llvm.store {{.*}} : {{.*}}, !llvm.ptr<3>
// CHECK: gpu.barrier
// AMD-LABEL: {{^}}few_rows:
// AMD: global_load_dwordx4
// AMD: v_dot4c_i32_i8
// AMD: s_barrier

// Both operands go through shared memory.
// CHECK-LABEL: gpu.func @tiles(
// CHECK: llvm.store {{.*}} : vector<16xi8>, !llvm.ptr<3>
// CHECK: scf.for
// CHECK: gpu.barrier
// CHECK: llvm.load {{.*}} : !llvm.ptr<3>
// AMD-LABEL: {{^}}tiles:
// AMD: ds_write_b128
// AMD: ds_read_b128
// AMD: v_dot4c_i32_i8
// AMD: s_barrier

// CHECK-LABEL: gpu.func @groups(
// CHECK: math.fma
// AMD-LABEL: {{^}}groups:
// AMD: v_dot4c_i32_i8

// One block a row; its largest element is found by lanes, then by warps.
// CHECK-LABEL: gpu.func @rows(
// CHECK: gpu.block_id x
// CHECK: gpu.shuffle xor
// CHECK: gpu.barrier
// CHECK: math.roundeven
// AMD-LABEL: {{^}}rows:
// AMD: ds_bpermute_b32
// AMD: v_rndne_f32
func.func @few_rows(%a: memref<3x3x1x64xi8>, %w: memref<3x3x8x64xi8>, %cb: memref<3x8xi32>, %rs: memref<3xf32>, %cs: memref<3x8xf32>, %bi: memref<3x8xf32>, %y: memref<3x24xf32>) {
  qtarget.packed_matmul #qtarget.nvvm<dp4a> layout<lhs = s8 1x64, rhs = s8 8x64>
    ins(%a, %w : memref<3x3x1x64xi8>, memref<3x3x8x64xi8>)
    col_bias(%cb : memref<3x8xi32>) row_scale(%rs : memref<3xf32>) channel_scale(%cs : memref<3x8xf32>) bias(%bi : memref<3x8xf32>) outs(%y : memref<3x24xf32>)
  return
}

func.func @tiles(%a: memref<40x5x1x64xi8>, %w: memref<8x5x8x64xi8>, %rs: memref<40xf32>, %cs: memref<8x8xf32>, %y: memref<40x64xf32>) {
  qtarget.packed_matmul #qtarget.nvvm<dp4a> layout<lhs = s8 1x64, rhs = s8 8x64>
    ins(%a, %w : memref<40x5x1x64xi8>, memref<8x5x8x64xi8>)
    row_scale(%rs : memref<40xf32>) channel_scale(%cs : memref<8x8xf32>) outs(%y : memref<40x64xf32>)
  return
}

func.func @groups(%a: memref<2x2x1x64xi8>, %w: memref<2x4x4x8x4xi8>, %s: memref<2x4x8xf32>, %rs: memref<2xf32>, %bi: memref<2x8xf32>, %y: memref<2x16xf32>) {
  qtarget.packed_matmul #qtarget.nvvm<grouped_s8> layout<lhs = s8 1x64, rhs = s4 8x8, group = 32>
    ins(%a, %w : memref<2x2x1x64xi8>, memref<2x4x4x8x4xi8>) rhs_scale(%s : memref<2x4x8xf32>) row_scale(%rs : memref<2xf32>) bias(%bi : memref<2x8xf32>) outs(%y : memref<2x16xf32>)
  return
}

func.func @rows(%x: memref<?x4096xf32>, %q: memref<?x64x1x64xi8>, %s: memref<?xf32>) {
  quant.quantize_rows ins(%x : memref<?x4096xf32>) outs(%q, %s : memref<?x64x1x64xi8>, memref<?xf32>) range = [-128, 127]
  return
}
