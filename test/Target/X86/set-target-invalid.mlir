// RUN: not quant-opt --quant-set-target="cpu=pentium9" %s 2>&1 | FileCheck %s --check-prefix=CPU
// RUN: not quant-opt --quant-set-target="cpu=haswell features=avx2" %s 2>&1 | FileCheck %s --check-prefix=SIGN
// RUN: not quant-opt --quant-set-target="cpu=haswell features=+avx9" %s 2>&1 | FileCheck %s --check-prefix=NAME
// RUN: not quant-opt --quant-to-x86="cpu=pentium9" %s 2>&1 | FileCheck %s --check-prefix=CPU
// RUN: not quant-opt --quant-pack-matmul %s 2>&1 | FileCheck %s --check-prefix=NOTARGET

// CPU: error: expected `host` or LLVM's name of a 64-bit x86 processor, found cpu `pentium9`
// SIGN: error: expected a feature as +name or -name, found `avx2`
// NAME: error: expected LLVM's name of an x86 feature, found `avx9`
// NOTARGET: error: expected the module to have the attribute `qtarget.target`; run quant-set-target first
module {}
