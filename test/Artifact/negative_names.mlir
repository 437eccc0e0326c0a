// Functions of names that a model does not leave to others; nothing is written
// then.
// RUN: rm -rf %t && mkdir %t
// RUN: sed s/@callee/@quantFork/ %s > %t/own.mlir
// RUN: sed s/@callee/@__kmpc_reduce/ %s > %t/openmp.mlir
// RUN: sed s/@callee/@omp_get_thread_num/ %s > %t/omp.mlir
// RUN: not quant-compile %t/own.mlir --emit=%t/out/model.o 2>&1 | FileCheck %s --check-prefix=OWN
// RUN: not quant-compile %t/openmp.mlir --emit=%t/out/model.o 2>&1 | FileCheck %s --check-prefix=OPENMP
// RUN: not quant-compile %t/omp.mlir --emit=%t/out/model.o 2>&1 | FileCheck %s --check-prefix=OMP
// RUN: not ls %t/out

// OWN: error: expected a function of another library, found a call of 'quantFork', which every model has for itself
// OPENMP: error: expected a program without OpenMP, found its function '__kmpc_reduce'
// OMP: error: expected no other call of OpenMP's library than models answer, found 'omp_get_thread_num'

llvm.func @callee(i32) -> i32

func.func @main(%x: tensor<i32>) -> tensor<i32> {
  %v = tensor.extract %x[] : tensor<i32>
  %r = llvm.call @callee(%v) : (i32) -> i32
  %t = tensor.from_elements %r : tensor<i32>
  return %t : tensor<i32>
}
