// What a turn of the main loop is made of, for each chip: as many of its
// instruction as the tile has, between a label and the jump back to it, and the
// copies for a later turn. Few rows: dp4a, on weights straight from memory.
// RUN: sed s/@ROW@/dp4a/ %s | quant-opt --quant-to-nvvm="chip=sm_61 format=isa" | sed -e 's/\\0A/\n/g' | FileCheck %s --check-prefixes=LOOP,DP4A
// RUN: sed s/@ROW@/mma_m8n8k16_s8/ %s | quant-opt --quant-to-nvvm="chip=sm_75 format=isa" | sed -e 's/\\0A/\n/g' | FileCheck %s --check-prefixes=LOOP,MMA16
// RUN: sed s/@ROW@/mma_m16n8k32_s8/ %s | quant-opt --quant-to-nvvm="chip=sm_80 format=isa" | sed -e 's/\\0A/\n/g' | FileCheck %s --check-prefixes=LOOP,MMA32
// RUN: sed s/@ROW@/mma_m16n8k32_s8/ %s | quant-opt --quant-to-nvvm="chip=sm_86 format=isa" | sed -e 's/\\0A/\n/g' | FileCheck %s --check-prefixes=LOOP,MMA32
// RUN: sed s/@ROW@/mma_m16n8k32_s8/ %s | quant-opt --quant-to-nvvm="chip=sm_89 format=isa" | sed -e 's/\\0A/\n/g' | FileCheck %s --check-prefixes=LOOP,MMA32
// RUN: sed s/@ROW@/wgmma_s8/ %s | quant-opt --quant-to-nvvm="chip=sm_90a format=isa" | sed -e 's/\\0A/\n/g' | FileCheck %s --check-prefix=WGMMA
// RUN: sed s/@ROW@/mma_m16n8k32_s8/ %s | quant-opt --quant-to-nvvm="chip=sm_100 format=isa" | sed -e 's/\\0A/\n/g' | FileCheck %s --check-prefixes=LOOP,MMA32
// RUN: sed -e s/@ROW@/mma_m16n8k64_s4/ -e s/64x1x64xi8/32x1x128xi4/ -e s/64x8x64xi8/32x8x128xi4/ -e 's/s8 \([18]\)x64/s4 \1x128/g' %s | quant-opt --quant-to-nvvm="chip=sm_80 format=isa" | sed -e 's/\\0A/\n/g' | FileCheck %s --check-prefixes=LOOP,MMA64
// RUN: sed -e s/@ROW@/mma_m16n8k64_s4/ -e s/64x1x64xi8/32x1x128xi4/ -e s/64x8x64xi8/32x8x128xi4/ -e 's/s8 \([18]\)x64/s4 \1x128/g' %s | quant-opt --quant-to-nvvm="chip=sm_86 format=isa" | sed -e 's/\\0A/\n/g' | FileCheck %s --check-prefixes=LOOP,MMA64
// RUN: sed -e s/@ROW@/mma_m16n8k64_s4/ -e s/64x1x64xi8/32x1x128xi4/ -e s/64x8x64xi8/32x8x128xi4/ -e 's/s8 \([18]\)x64/s4 \1x128/g' %s | quant-opt --quant-to-nvvm="chip=sm_89 format=isa" | sed -e 's/\\0A/\n/g' | FileCheck %s --check-prefixes=LOOP,MMA64

// LOOP: .entry gemm_
// LOOP: bra.uni
// LOOP-NEXT: [[BODY:\$L__BB0_[0-9]+]]:
// DP4A-COUNT-1024: dp4a.s32.s32
// MMA16-COUNT-256: mma.sync.aligned.m8n8k16.row.col.s32.s8.s8.s32
// MMA32-COUNT-64: mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32
// MMA64-COUNT-64: mma.sync.aligned.m16n8k64.row.col.s32.s4.s4.s32
// MMA32-NOT: mma.sync
// MMA64-NOT: mma.sync
// MMA32: cp.async.wait_group
// MMA64: cp.async.wait_group
// LOOP: bar.sync
// DP4A: st.shared.v4
// MMA16: st.shared.v4
// MMA32: cp.async.cg.shared.global
// MMA64: cp.async.cg.shared.global
// LOOP: bra{{.*}}[[BODY]];
func.func @tiles(%a: memref<8192x64x1x64xi8>, %w: memref<512x64x8x64xi8>, %y: memref<8192x4096xi32>) {
  qtarget.packed_matmul #qtarget.nvvm<@ROW@> layout<lhs = s8 1x64, rhs = s8 8x64> ins(%a, %w : memref<8192x64x1x64xi8>, memref<512x64x8x64xi8>) outs(%y : memref<8192x4096xi32>)
  return
}

// Two instructions for a barrier; copies for a later turn while they work.
// WGMMA: .entry gemm_
// WGMMA: {{^}}$L__BB0_{{[0-9]+}}:
// WGMMA: cp.async.wait_group {{.*}}5;
// WGMMA-NEXT: fence.proxy.async.shared::cta
// WGMMA-NEXT: bar.sync
// WGMMA: wgmma.fence.sync.aligned
// WGMMA-COUNT-2: wgmma.mma_async.sync.aligned.m64n256k32.s32.s8.s8
// WGMMA-NOT: wgmma.mma_async
// WGMMA: wgmma.commit_group.sync.aligned
// WGMMA-COUNT-6: cp.async.cg.shared.global
// WGMMA: wgmma.wait_group.sync.aligned 0
// WGMMA-NOT: wgmma.mma_async

// LOOP: .entry gemv_
// LOOP: [[FEW:\$L__BB1_[0-9]+]]:
// LOOP: ld.global.v4
// LOOP-COUNT-8: dp4a.s32.s32
// LOOP: bra{{.*}}[[FEW]];
// LOOP: shfl.sync
func.func @few_rows(%a: memref<2x64x1x64xi8>, %w: memref<512x64x8x64xi8>, %y: memref<2x4096xi32>) {
  qtarget.packed_matmul #qtarget.nvvm<@ROW@> layout<lhs = s8 1x64, rhs = s8 8x64> ins(%a, %w : memref<2x64x1x64xi8>, memref<512x64x8x64xi8>) outs(%y : memref<2x4096xi32>)
  return
}
