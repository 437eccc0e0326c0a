// What quant-compile does not accept; nothing is written then.
// RUN: rm -rf %t && mkdir %t
// RUN: not quant-compile %s --emit=%t/model.txt 2>&1 | FileCheck %s --check-prefix=ENDING
// RUN: not quant-compile %s --emit=%t/model.so --name=9x 2>&1 | FileCheck %s --check-prefix=NAME
// RUN: not quant-compile %s --emit=%t/model.so --triple=sparc-linux-gnu 2>&1 | FileCheck %s --check-prefix=TRIPLE
// RUN: not quant-compile %s --emit=%t/model.so --triple=riscv32-linux-gnu 2>&1 | FileCheck %s --check-prefix=WORDS
// RUN: not quant-compile %s --emit=%t/model.so --triple=aarch64-linux-gnu --target=x86 2>&1 | FileCheck %s --check-prefix=ARM
// RUN: not quant-compile %s --emit=%t/model.so --cpu=zen 2>&1 | FileCheck %s --check-prefix=CPU
// RUN: not quant-compile %s --emit=%t/model.so --features=+avx99 2>&1 | FileCheck %s --check-prefix=FEATURE
// RUN: not quant-compile %s --emit=%t/model.so --features=avx2 2>&1 | FileCheck %s --check-prefix=SIGN
// RUN: not quant-compile %s --emit=%t/model.so --threads=2 2>&1 | FileCheck %s --check-prefix=THREADS
// RUN: not quant-compile %s --emit=%t/model.so -O4 2>&1 | FileCheck %s --check-prefix=LEVEL
// RUN: not quant-compile %s --emit=%t/model.so --quantize=weights=row 2>&1 | FileCheck %s --check-prefix=SCHEME
// RUN: not quant-compile %s --emit=%t/model.so --entry=g 2>&1 | FileCheck %s --check-prefix=ENTRY
// RUN: not quant-compile %s --emit=%t/model.so --linker=no-such-linker 2>&1 | FileCheck %s --check-prefix=LINKER
// RUN: not quant-compile %s --emit=%t/model.so --linker=false 2>&1 | FileCheck %s --check-prefix=LINKED
// RUN: not quant-compile %s --emit=%t/model.so --triple=aarch64-linux-gnu 2>&1 | FileCheck %s --check-prefix=OTHER
// RUN: not quant-compile %t/none.mlir --emit=%t/model.so 2>&1 | FileCheck %s --check-prefix=FILE
// RUN: %python -c "import os; assert os.listdir('%t') == [], os.listdir('%t')"

// ENDING: error: --emit: expected a file NAME.so or NAME.o, found '{{.*}}model.txt'
// NAME: error: --name: expected a C identifier, found '9x'
// TRIPLE: error: --triple: expected a little-endian 64-bit machine with Linux, found 'sparc-unknown-linux-gnu'
// WORDS: error: --triple: expected a little-endian 64-bit machine with Linux, found 'riscv32-unknown-linux-gnu'
// ARM: error: --target=x86: expected an x86 triple, found 'aarch64-unknown-linux-gnu'
// CPU: error: --cpu: expected host or LLVM's name of a CPU of x86_64, found 'zen'
// FEATURE: error: --features: expected names of LLVM's features of x86_64, found '+avx99'
// SIGN: error: --features: expected +name or -name, found 'avx2'
// THREADS: error: --threads needs --target=x86
// LEVEL: error: -O: expected 0 to 3, found '4'
// SCHEME: error: --quantize: expected options of quant-quantize-matmul, found 'weights=row'
// ENTRY: error: {{.*}}: expected a public function 'g', found: main
// LINKER: error: no linker for shared libraries: 'no-such-linker' is not on PATH (Debian: gcc); an object (.o) needs none
// LINKED: error: {{.*}}false did not link the model
// OTHER: error: a shared library for aarch64 needs that machine's compiler driver, as in --linker=aarch64-linux-gnu-gcc; an object (.o) needs none
// FILE: error: {{.*}}none.mlir: No such file or directory
func.func @main(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  return %x : tensor<2x3xf32>
}
