// Functions of names that a model does not leave to others; nothing is written
// then.
// RUN: rm -rf %t && mkdir %t
// RUN: sed s/@callee/@quantFork/ %s > %t/own.mlir
// RUN: sed s/@callee/@__kmpc_reduce/ %s > %t/openmp.mlir
// RUN: sed s/@callee/@omp_get_thread_num/ %s > %t/omp.mlir
// RUN: not quant-compile %t/own.mlir --emit=%t/out/model.o 2>&1 | FileCheck %s --check-prefix=OWN
// RUN: not quant-compile %t/openmp.mlir --emit=%t/out/model.o 2>&1 | FileCheck %s --check-prefix=OPENMP
// RUN: not quant-compile %t/omp.mlir --emit=%t/out/model.o 2>&1 | FileCheck %s --check-prefix=OMP
// RUN: sed s/@callee/@dprintf/ %s > %t/dprintf.mlir
// RUN: not quant-compile %t/dprintf.mlir --emit=%t/out/model.o 2>&1 | FileCheck %s --check-prefix=PRINT
// RUN: not quant-run %t/dprintf.mlir --random-inputs=1 2>&1 | FileCheck %s --check-prefix=PRINT
// RUN: sed s/@callee/@puts/ %s > %t/puts.mlir
// RUN: not quant-compile %t/puts.mlir --emit=%t/out/model.o 2>&1 | FileCheck %s --check-prefix=PUTS
// RUN: not ls %t/out

// OWN: error: expected a function of another library, found a call of 'quantFork', which every model has for itself
// OPENMP: error: expected a program without OpenMP, found its function '__kmpc_reduce'
// OMP: error: expected no other call of OpenMP's library than models answer, found 'omp_get_thread_num'
// PRINT: dprintf.mlir:[[#@LINE+3]]:1: error: expected 'dprintf' of the C library, '!llvm.func<i32 (i32, ptr, ...)>', found '!llvm.func<i32 (i32)>'
// PUTS: error: expected 'puts' of the C library, '!llvm.func<i32 (ptr)>', found '!llvm.func<i32 (i32)>'

llvm.func @callee(i32) -> i32

func.func @main(%x: tensor<i32>) -> tensor<i32> {
  %v = tensor.extract %x[] : tensor<i32>
  %r = llvm.call @callee(%v) : (i32) -> i32
  %t = tensor.from_elements %r : tensor<i32>
  return %t : tensor<i32>
}
