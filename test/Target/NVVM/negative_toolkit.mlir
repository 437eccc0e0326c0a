// A toolkit that the environment names must be whole: upstream complains about
// its libdevice, prints the module, and succeeds.
// RUN: rm -rf %t && mkdir -p %t/bin
// RUN: env CUDA_ROOT=%t not quant-opt %s --quant-to-nvvm="format=bin" 2>&1 | FileCheck %s --implicit-check-not="see current"
// RUN: env CUDA_ROOT=%t not quant-opt %s --quant-to-nvvm="format=isa" 2>&1 | FileCheck %s --implicit-check-not="see current"
// RUN: env CUDA_ROOT=%t quant-opt %s --quant-to-nvvm="format=llvm" 2>&1 | FileCheck %s --check-prefix=LLVM --implicit-check-not=error
// CHECK: error: expected a CUDA toolkit at '{{.*}}' (CUDA_ROOT, CUDA_HOME or CUDA_PATH), found no nvvm/libdevice/libdevice.10.bc in it; name a whole toolkit, or none and have ptxas on PATH (utils/setup-ptxas.sh)
// LLVM: llvm.func @f
func.func @f(%x: tensor<16x64xi8>, %w: tensor<16x64xi8>) -> tensor<16x16xi32> {
  %z = arith.constant dense<0> : tensor<16x16xi32>
  %y = quant.matmul ins(%x, %w : tensor<16x64xi8>, tensor<16x64xi8>) outs(%z : tensor<16x16xi32>) {transpose_rhs} -> tensor<16x16xi32>
  return %y : tensor<16x16xi32>
}
