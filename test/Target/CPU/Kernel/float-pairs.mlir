// Which products of floats take pairs of bf16: of few rows, and of so large a K
// that what splitting activations loses is less than what sums may lose.
// RUN: quant-opt %s --quant-to-x86="cpu=znver4 stop-after=target" | FileCheck %s

// CHECK-LABEL: func.func @pairs
// CHECK-NOT: math.fma {{.*}} : vector<16xf32>
// CHECK: llvm.call_intrinsic "llvm.x86.avx512bf16.dpbf16ps.512"
func.func @pairs(%x: tensor<3x288xf32>) -> tensor<3x16xf32> {
  %w = arith.constant dense<3> : tensor<16x288xi4>
  %s = arith.constant dense<0.5> : tensor<16x9xf32>
  %y = quant.scaled_matmul ins(%x, %w : tensor<3x288xf32>, tensor<16x288xi4>)
    rhs_scale(%s : tensor<16x9xf32>) {group_size = 32 : i64} -> tensor<3x16xf32>
  return %y : tensor<3x16xf32>
}

// More rows share what is looked up.
// CHECK-LABEL: func.func @rows
// CHECK-NOT: dpbf16ps
func.func @rows(%x: tensor<4x288xf32>) -> tensor<4x16xf32> {
  %w = arith.constant dense<3> : tensor<16x288xi4>
  %s = arith.constant dense<0.5> : tensor<16x9xf32>
  %y = quant.scaled_matmul ins(%x, %w : tensor<4x288xf32>, tensor<16x288xi4>)
    rhs_scale(%s : tensor<16x9xf32>) {group_size = 32 : i64} -> tensor<4x16xf32>
  return %y : tensor<4x16xf32>
}

// What fills the last group is none of K.
// CHECK-LABEL: func.func @filled
// CHECK-NOT: dpbf16ps
func.func @filled(%x: tensor<1x129xf32>) -> tensor<1x16xf32> {
  %w = arith.constant dense<3> : tensor<16x129xi4>
  %s = arith.constant dense<0.5> : tensor<16x2xf32>
  %y = quant.scaled_matmul ins(%x, %w : tensor<1x129xf32>, tensor<16x129xi4>)
    rhs_scale(%s : tensor<16x2xf32>) {group_size = 128 : i64} -> tensor<1x16xf32>
  return %y : tensor<1x16xf32>
}

// Entries of a code book less zero points of groups are not looked up at once.
// CHECK-LABEL: func.func @codes
// CHECK-NOT: dpbf16ps
// CHECK: math.fma {{.*}} : vector<16xf32>
// CHECK-NOT: dpbf16ps
func.func @codes(%x: tensor<1x512xf32>, %w: tensor<1x4x16x16x4xi8>,
                 %s: tensor<1x4x16xf32>, %z: tensor<1x4x16xi32>,
                 %e: tensor<1x16xf32>) -> tensor<1x16xf32> {
  %y = qtarget.packed_matmul #qtarget.x86<vdpbf16ps_512>
    layout<lhs = f32, rhs = u4 16x8, group = 128, codebook = [0, 16, 32, 48, 64, 80, 96, 112, 128, 144, 160, 176, 192, 208, 224, 240]>
    ins(%x, %w : tensor<1x512xf32>, tensor<1x4x16x16x4xi8>)
    rhs_scale(%s : tensor<1x4x16xf32>) rhs_zero_point(%z : tensor<1x4x16xi32>)
    outs(%e : tensor<1x16xf32>) -> tensor<1x16xf32>
  return %y : tensor<1x16xf32>
}
