// The loop along K of a matmul with group scales, for many rows: on every chip
// with tensor cores it is their instruction that multiplies, on bytes made of
// nibbles there. A sum becomes a float by the bits that it starts from and an
// fma, without a conversion.
// RUN: quant-opt %s --quant-to-nvvm="chip=sm_75 format=isa" | sed -e 's/\\0A/\n/g' | FileCheck %s --check-prefixes=LOOP,LOOP75
// RUN: quant-opt %s --quant-to-nvvm="chip=sm_80 format=isa" | sed -e 's/\\0A/\n/g' | FileCheck %s --check-prefixes=LOOP,LOOP80
// RUN: quant-opt %s --quant-to-nvvm="chip=sm_86 format=isa" | sed -e 's/\\0A/\n/g' | FileCheck %s --check-prefixes=LOOP,LOOP80
// RUN: quant-opt %s --quant-to-nvvm="chip=sm_89 format=isa" | sed -e 's/\\0A/\n/g' | FileCheck %s --check-prefixes=LOOP,LOOP80
// RUN: quant-opt %s --quant-to-nvvm="chip=sm_100 format=isa" | sed -e 's/\\0A/\n/g' | FileCheck %s --check-prefix=LOOP100
// RUN: quant-opt %s --quant-to-nvvm="chip=sm_90a format=isa" | sed -e 's/\\0A/\n/g' | FileCheck %s --check-prefixes=LOOP,LOOP80

// Floats in pairs there.
// LOOP100: .entry scaled_mma_
// LOOP100: mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32
// LOOP100-NOT: cvt.rn.f32
// LOOP100: fma.rn.f32x2
// LOOP100: cp.async.wait_group

// LOOP: .entry scaled_mma_
// LOOP: and.b32 {{[^;]*}}, -252645136;
// LOOP75: mma.sync.aligned.m8n8k16.row.col.s32.s8.s8.s32
// LOOP80: mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32
// LOOP-NOT: cvt.rn.f32
// LOOP: fma.rn.f32 {{[^;]*}}, 0f3D800000, 0fC9400000;
// LOOP: fma.rn.f32
// LOOP: @%p{{[0-9]+}} bra {{.*}}[[NEXT:\$L__BB0_[0-9]+]];
// LOOP: [[NEXT]]:
// LOOP80: cp.async.wait_group
// LOOP: bar.sync
// LOOP75: st.shared.v4
// LOOP80: cp.async.cg.shared.global
// LOOP: bra.uni
// Zero points of groups: a column of -16 sums the rows, and each correction is one
// multiply-add of integers before the sum becomes a float.
// LOOP: .entry scaled_mma_
// LOOP75: mma.sync.aligned.m8n8k16.row.col.s32.s8.s8.s32
// LOOP80: mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32
// LOOP-NOT: cvt.rn.f32
// LOOP-NOT: sub.s32
// LOOP: mad.lo.s32 {{[^;]*}};
// LOOP: mad.lo.s32 {{[^;]*}};
// LOOP-NEXT: fma.rn.f32 {{[^;]*}}, 0f3D800000, 0fC9400000;
// LOOP-NEXT: fma.rn.f32
func.func @f(%a: memref<256x64x1x64xi8>, %w: memref<512x128x4x8x4xi8>,
             %s: memref<512x128x8xf32>, %y: memref<256x4096xf32>) {
  qtarget.packed_matmul #qtarget.nvvm<grouped_s8> layout<lhs = s8 1x64, rhs = s4 8x8, group = 32>
    ins(%a, %w : memref<256x64x1x64xi8>, memref<512x128x4x8x4xi8>)
    rhs_scale(%s : memref<512x128x8xf32>) outs(%y : memref<256x4096xf32>)
  return
}
func.func @zero_points(%a: memref<256x64x1x64xi8>, %w: memref<512x128x4x8x4xi8>,
                       %s: memref<512x128x8xf32>, %z: memref<512x128x8xi32>, %x: memref<256xi32>,
                       %y: memref<256x4096xf32>) {
  qtarget.packed_matmul #qtarget.nvvm<grouped_s8> layout<lhs = s8 1x64, rhs = s4 8x8, group = 32>
    ins(%a, %w : memref<256x64x1x64xi8>, memref<512x128x4x8x4xi8>)
    rhs_scale(%s : memref<512x128x8xf32>) rhs_zero_point(%z : memref<512x128x8xi32>)
    lhs_zero_point(%x : memref<256xi32>) rhs_sums(%z : memref<512x128x8xi32>) outs(%y : memref<256x4096xf32>)
  return
}
