// UNSUPPORTED: cpu-avx-vnni
// A CPU with an instruction that this machine lacks is refused by name, not by
// an illegal instruction.
// RUN: not quant-run %s --target=x86 --cpu=alderlake 2>&1 | FileCheck %s
// CHECK: error: the code for 'alderlake' would need 'avxvnni', which this machine does not have
func.func @main() -> tensor<1xf32> {
  %0 = arith.constant dense<1.0> : tensor<1xf32>
  return %0 : tensor<1xf32>
}
