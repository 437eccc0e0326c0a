// Whole programs on an emulated GPU: the host program, its copies and launches,
// the PTX of the kernels. The same bits as on the CPU.
// RUN: env -u PYTHONPATH QUANT_CUDA_DRIVER=%shlib_dir/libemulated-cuda.so QUANT_PTXSIM_PYTHON=%python quant-run %s --entry=f --quantize=weights=channel --target=nvvm --chip=sm_80 --random-inputs=1 --dims=7 --outputs=%t.gpu | FileCheck %s
// RUN: env QUANT_CUDA_DRIVER=%shlib_dir/libemulated-cuda.so QUANT_PTXSIM_PYTHON=%python quant-run %s --entry=f --quantize=weights=channel --target=nvvm --chip=sm_61 --random-inputs=1 --dims=40 --outputs=%t.gpu61 > /dev/null
// RUN: env QUANT_CUDA_DRIVER=%shlib_dir/libemulated-cuda.so QUANT_PTXSIM_PYTHON=%python quant-run %s --entry=f --quantize=weights=channel --target=nvvm --chip=sm_90a --random-inputs=1 --dims=2 --outputs=%t.gpu90 > /dev/null
// RUN: quant-run %s --entry=f --quantize=weights=channel --random-inputs=1 --dims=7 --outputs=%t.cpu > /dev/null
// RUN: quant-run %s --entry=f --quantize=weights=channel --random-inputs=1 --dims=40 --outputs=%t.cpu61 > /dev/null
// RUN: quant-run %s --entry=f --quantize=weights=channel --random-inputs=1 --dims=2 --outputs=%t.cpu90 > /dev/null
// RUN: cmp %t.gpu/out0.npy %t.cpu/out0.npy
// RUN: cmp %t.gpu61/out0.npy %t.cpu61/out0.npy
// RUN: cmp %t.gpu90/out0.npy %t.cpu90/out0.npy

// K shared out by several blocks, M known only now; the workspace is used twice.
// RUN: quant-opt %s --quant-to-nvvm="chip=sm_80 quantize=weights=channel" | FileCheck %s --check-prefix=SPLIT
// RUN: env QUANT_CUDA_DRIVER=%shlib_dir/libemulated-cuda.so QUANT_PTXSIM_PYTHON=%python quant-run %s --entry=long --quantize=weights=channel --target=nvvm --chip=sm_80 --random-inputs=1 --dims=9 --outputs=%t.long > /dev/null
// RUN: quant-run %s --entry=long --quantize=weights=channel --random-inputs=1 --dims=9 --outputs=%t.longcpu > /dev/null
// RUN: cmp %t.long/out0.npy %t.longcpu/out0.npy
// RUN: cmp %t.long/out1.npy %t.longcpu/out1.npy

// Without a driver: said, not crashed.
// RUN: env QUANT_CUDA_DRIVER=%t.none not quant-run %s --entry=f --quantize=weights=channel --target=nvvm --random-inputs=1 2>&1 | FileCheck %s --check-prefix=NONE
// RUN: not quant-run %s --chip=sm_90 2>&1 | FileCheck %s --check-prefix=CHIP

// CHECK: result0
// SPLIT: llvm.func @quantGpuWorkspace(i64) -> i64
// SPLIT: llvm.call @quantGpuWorkspace(
// NONE: error: --target=nvvm: no CUDA driver:
// CHIP: error: --chip needs --target=nvvm
func.func @f(%x: tensor<?x70xf32>, %w: tensor<33x70xf32>) -> tensor<?x33xf32> {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %m = tensor.dim %x, %c0 : tensor<?x70xf32>
  %empty = tensor.empty(%m) : tensor<?x33xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<?x33xf32>) -> tensor<?x33xf32>
  %te = tensor.empty() : tensor<70x33xf32>
  %t = linalg.transpose ins(%w : tensor<33x70xf32>) outs(%te : tensor<70x33xf32>) permutation = [1, 0]
  %y = linalg.matmul ins(%x, %t : tensor<?x70xf32>, tensor<70x33xf32>) outs(%init : tensor<?x33xf32>) -> tensor<?x33xf32>
  return %y : tensor<?x33xf32>
}

func.func @long(%x: tensor<?x1100xf32>, %w: tensor<20x1100xf32>, %v: tensor<20x1100xf32>) -> (tensor<?x20xf32>, tensor<?x20xf32>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %m = tensor.dim %x, %c0 : tensor<?x1100xf32>
  %empty = tensor.empty(%m) : tensor<?x20xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<?x20xf32>) -> tensor<?x20xf32>
  %te = tensor.empty() : tensor<1100x20xf32>
  %t = linalg.transpose ins(%w : tensor<20x1100xf32>) outs(%te : tensor<1100x20xf32>) permutation = [1, 0]
  %y = linalg.matmul ins(%x, %t : tensor<?x1100xf32>, tensor<1100x20xf32>) outs(%init : tensor<?x20xf32>) -> tensor<?x20xf32>
  %t2 = linalg.transpose ins(%v : tensor<20x1100xf32>) outs(%te : tensor<1100x20xf32>) permutation = [1, 0]
  %z = linalg.matmul ins(%x, %t2 : tensor<?x1100xf32>, tensor<1100x20xf32>) outs(%init : tensor<?x20xf32>) -> tensor<?x20xf32>
  return %y, %z : tensor<?x20xf32>, tensor<?x20xf32>
}
