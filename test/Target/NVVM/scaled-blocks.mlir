// GPUs have no kernel for activations with scales for blocks: the product says
// so, and both ops are lowered for the host.
// RUN: quant-opt %s --quant-to-nvvm="chip=sm_80 stop-after=packed" -verify-diagnostics | FileCheck %s
// RUN: quant-opt %s --quant-to-nvvm="chip=sm_80 stop-after=target" 2>/dev/null | FileCheck %s --check-prefix=TARGET

// CHECK: quant.quantize_blocks
// CHECK: quant.scaled_matmul {{.*}} lhs_scale
// TARGET-LABEL: func.func @main
// TARGET-NOT: quant.
// TARGET: math.roundeven
// TARGET: math.fma
func.func @main(%x: tensor<3x64xf32>) -> tensor<3x16xf32> {
  %q0 = tensor.empty() : tensor<3x64xi8>
  %s0 = tensor.empty() : tensor<3x2xf32>
  %q:2 = quant.quantize_blocks ins(%x : tensor<3x64xf32>) outs(%q0, %s0 : tensor<3x64xi8>, tensor<3x2xf32>) block = 32 range = [-127, 127] -> tensor<3x64xi8>, tensor<3x2xf32>
  %w = arith.constant dense<3> : tensor<16x64xi8>
  %sw = arith.constant dense<0.5> : tensor<16x2xf32>
  // expected-remark @below {{not packed: its activations have scales for blocks; the portable lowering is used}}
  %y = quant.scaled_matmul ins(%q#0, %w : tensor<3x64xi8>, tensor<16x64xi8>) rhs_scale(%sw : tensor<16x2xf32>) lhs_scale(%q#1 : tensor<3x2xf32>) {group_size = 32 : i64, lhs_group_size = 32 : i64} -> tensor<3x16xf32>
  return %y : tensor<3x16xf32>
}
