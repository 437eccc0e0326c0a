// Threads are OpenMP's where they are asked for, and a program for one thread
// needs no library.

// RUN: quant-opt --quant-to-x86="cpu=icelake-server threads=2" %s | FileCheck %s --check-prefix=LLVM
// RUN: quant-opt --quant-to-x86="cpu=icelake-server threads=2" %s | mlir-translate --mlir-to-llvmir | FileCheck %s --check-prefix=TWO
// RUN: quant-opt --quant-to-x86="cpu=sapphirerapids threads=2" %s | mlir-translate --mlir-to-llvmir | FileCheck %s --check-prefix=TWO
// RUN: quant-opt --quant-to-x86="cpu=icelake-server" %s | mlir-translate --mlir-to-llvmir | FileCheck %s --check-prefix=ONE
// RUN: quant-run %s --random-inputs=1 --target=x86 --outputs=%t.one --print=false
// RUN: quant-run %s --random-inputs=1 --target=x86 --outputs=%t.two --print=false --threads=2
// RUN: cmp %t.one/out0.npy %t.two/out0.npy
// RUN: cmp %t.one/out1.npy %t.two/out1.npy
// RUN: not quant-run %s --random-inputs=1 --target=x86 --threads=0 2>&1 | FileCheck %s --check-prefix=NONE
// RUN: not quant-run %s --random-inputs=1 --threads=2 2>&1 | FileCheck %s --check-prefix=GENERIC

// LLVM: omp.parallel num_threads
// TWO: call void {{.*}}@__kmpc_fork_call
// ONE-NOT: kmpc
// NONE: error: --threads: expected 1 to 1024, found 0
// GENERIC: error: --threads needs --target=x86

// The second one is small.
func.func @main(%x: tensor<512x256xi8>, %w: tensor<544x256xi8>, %v: tensor<24x256xi8>)
    -> (tensor<512x544xi32>, tensor<512x24xi32>) {
  %zero = arith.constant 0 : i32
  %empty = tensor.empty() : tensor<512x544xi32>
  %init = linalg.fill ins(%zero : i32) outs(%empty : tensor<512x544xi32>) -> tensor<512x544xi32>
  %y = quant.matmul ins(%x, %w : tensor<512x256xi8>, tensor<544x256xi8>)
         outs(%init : tensor<512x544xi32>) {transpose_rhs} -> tensor<512x544xi32>
  %small = tensor.empty() : tensor<512x24xi32>
  %start = linalg.fill ins(%zero : i32) outs(%small : tensor<512x24xi32>) -> tensor<512x24xi32>
  %z = quant.matmul ins(%x, %v : tensor<512x256xi8>, tensor<24x256xi8>)
         outs(%start : tensor<512x24xi32>) {transpose_rhs} -> tensor<512x24xi32>
  return %y, %z : tensor<512x544xi32>, tensor<512x24xi32>
}
