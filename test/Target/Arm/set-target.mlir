// Machines of AArch64: what a name has, what options add and take.
// RUN: quant-opt %s --quant-set-arm-target=cpu=generic | FileCheck %s --check-prefix=ANY
// RUN: quant-opt %s --quant-set-arm-target=cpu=neoverse-n1 | FileCheck %s --check-prefix=N1
// RUN: quant-opt %s --quant-set-arm-target=cpu=neoverse-v2 | FileCheck %s --check-prefix=V2
// RUN: quant-opt %s --quant-set-arm-target=cpu=apple-m1 | FileCheck %s --check-prefix=M1
// RUN: quant-opt %s --quant-set-arm-target="cpu=generic features=+i8mm,+dotprod" | FileCheck %s --check-prefix=ADDED
// RUN: quant-opt %s --quant-set-arm-target="cpu=neoverse-v1 features=-i8mm" | FileCheck %s --check-prefix=TAKEN
// RUN: not quant-opt %s --quant-set-arm-target=cpu=icelake-server 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// RUN: not quant-opt %s --quant-set-arm-target="cpu=generic features=+avx2" 2>&1 | FileCheck %s --check-prefix=FEATURE
// RUN: not quant-opt %s --quant-set-arm-target="cpu=generic features=i8mm" 2>&1 | FileCheck %s --check-prefix=SIGN

// ANY: #qtarget.target<arch = "aarch64", cpu = "generic", features = ["fma", "neon"], l1d = 32768, l2 = 524288, cores = 1>
// N1: cpu = "neoverse-n1", features = ["dotprod", "fma", "neon"], l1d = 65536, l2 = 1048576
// V2: cpu = "neoverse-v2", features = ["dotprod", "fma", "i8mm", "neon"], l1d = 65536, l2 = 2097152
// M1: cpu = "apple-m1", features = ["dotprod", "fma", "neon"], l1d = 131072
// ADDED: features = ["dotprod", "fma", "i8mm", "neon"]
// TAKEN: features = ["dotprod", "fma", "neon"]
// UNKNOWN: error: expected `host`, `generic` or LLVM's name of an AArch64 processor, found cpu `icelake-server`
// FEATURE: error: expected LLVM's name of an AArch64 extension, found `avx2`
// SIGN: error: expected an extension as +name or -name, found `i8mm`
module {}
