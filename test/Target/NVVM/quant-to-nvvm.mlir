// The instruction in the main loop, for every chip; activations go to the GPU
// once, as floats.
// RUN: quant-opt %s --quant-to-nvvm="chip=sm_61 quantize=weights=channel" | FileCheck %s --check-prefixes=CHECK,DP4A
// RUN: quant-opt %s --quant-to-nvvm="chip=sm_75 quantize=weights=channel" | FileCheck %s --check-prefixes=CHECK,MMA16
// RUN: quant-opt %s --quant-to-nvvm="chip=sm_80 quantize=weights=channel" | FileCheck %s --check-prefixes=CHECK,MMA32
// RUN: quant-opt %s --quant-to-nvvm="chip=sm_86 quantize=weights=channel" | FileCheck %s --check-prefixes=CHECK,MMA32
// RUN: quant-opt %s --quant-to-nvvm="chip=sm_89 quantize=weights=channel" | FileCheck %s --check-prefixes=CHECK,MMA32
// RUN: quant-opt %s --quant-to-nvvm="chip=sm_90a quantize=weights=channel" | FileCheck %s --check-prefixes=CHECK,WGMMA
// RUN: quant-opt %s --quant-to-nvvm="chip=sm_100 quantize=weights=channel" | FileCheck %s --check-prefixes=CHECK,MMA32
// RUN: quant-opt %s --quant-to-nvvm="chip=sm_80 quantize=weights=channel format=llvm" | FileCheck %s --check-prefix=NVVM
// RUN: quant-opt %s --quant-to-nvvm="chip=sm_61 quantize=weights=channel format=bin" | FileCheck %s --check-prefix=CUBIN
// RUN: quant-opt %s --quant-to-nvvm="chip=sm_75 quantize=weights=channel format=bin" | FileCheck %s --check-prefix=CUBIN
// RUN: quant-opt %s --quant-to-nvvm="chip=sm_80 quantize=weights=channel format=bin" | FileCheck %s --check-prefix=CUBIN
// RUN: quant-opt %s --quant-to-nvvm="chip=sm_86 quantize=weights=channel format=bin" | FileCheck %s --check-prefix=CUBIN
// RUN: quant-opt %s --quant-to-nvvm="chip=sm_89 quantize=weights=channel format=bin" | FileCheck %s --check-prefix=CUBIN
// RUN: quant-opt %s --quant-to-nvvm="chip=sm_90a quantize=weights=channel format=bin" | FileCheck %s --check-prefix=CUBIN
// RUN: quant-opt %s --quant-to-nvvm="chip=sm_100 quantize=weights=channel format=bin" | FileCheck %s --check-prefix=CUBIN
// RUN: env PATH=%t.none CUDA_ROOT=%t.none not %build/bin/quant-opt %s --quant-to-nvvm="chip=sm_80 format=bin" 2>&1 | FileCheck %s --check-prefix=NOPTXAS
// RUN: not quant-opt %s --quant-to-nvvm="chip=sm_80 quantize=weights=channel format=exe" 2>&1 | FileCheck %s --check-prefix=FORMAT

// CHECK: llvm.func @f
// CHECK: gpu.launch_func {{ *}}@quant_kernels::@quantize_rows_0
// CHECK-NOT: quantGpuUpload
// CHECK: gpu.launch_func {{ *}}@quant_kernels::@gemm_1
// CHECK: gpu.binary @quant_kernels
// CHECK-SAME: .entry gemm_
// DP4A-SAME: dp4a.s32.s32
// MMA16-SAME: mma.sync.aligned.m8n8k16.row.col.s32.s8.s8.s32
// MMA32-SAME: cp.async.cg.shared.global
// MMA32-SAME: mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32
// WGMMA-SAME: cp.async.cg.shared.global
// WGMMA-SAME: wgmma.mma_async.sync.aligned.m64n32k32.s32.s8.s8

// NVVM: gpu.module @quant_kernels [#nvvm.target<
// NVVM: nvvm.cp.async.wait.group 2
// NVVM: nvvm.barrier
// NVVM-COUNT-4: nvvm.mma.sync{{.*}}intOverflowBehavior = #nvvm.mma_int_overflow<wrapped>

// CUBIN: gpu.binary @quant_kernels
// CUBIN-SAME: bin = "\7FELF
// NOPTXAS: error: expected ptxas for format=bin, found none on PATH or in bin/ of CUDA_ROOT; run utils/setup-ptxas.sh, or use format=isa

// FORMAT: error: expected format llvm, isa or bin, found `exe`
func.func @f(%x: tensor<200x64xf32>) -> tensor<200x256xf32> {
  %w = arith.constant dense<0.5> : tensor<64x256xf32>
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<200x256xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<200x256xf32>) -> tensor<200x256xf32>
  %y = linalg.matmul ins(%x, %w : tensor<200x64xf32>, tensor<64x256xf32>) outs(%init : tensor<200x256xf32>) -> tensor<200x256xf32>
  return %y : tensor<200x256xf32>
}
