// RUN: quant-opt %s --quant-to-nvvm="chip=sm_80 stop-after=packed" --verify-diagnostics | FileCheck %s

// Kernels for a GPU end in a float rescale without residual; another one stays
// what follows the kernel, and a remark says so.

// CHECK-LABEL: @fixed_point
// CHECK: %[[ACC:.*]] = quant.packed_matmul {{.*}} -> tensor<8x64xi32>
// CHECK: quant.rescale_fixed_point %[[ACC]]
func.func @fixed_point(%x: tensor<8x32xi8>, %w: tensor<32x64xi8>, %m: tensor<i32>, %s: tensor<i8>) -> tensor<8x64xi8> {
  %c0 = arith.constant dense<0> : tensor<8x64xi32>
  %acc = quant.matmul ins(%x, %w : tensor<8x32xi8>, tensor<32x64xi8>) outs(%c0 : tensor<8x64xi32>) -> tensor<8x64xi32>
  // expected-remark @+1 {{not fused into its matmul: kernels for a GPU have no fixed-point rescale and no residual}}
  %y = quant.rescale_fixed_point %acc multiplier(%m : tensor<i32>) shift(%s : tensor<i8>) rounding(SINGLE_ROUND) {range = array<i64: -128, 127>} : tensor<8x64xi32> -> tensor<8x64xi8>
  return %y : tensor<8x64xi8>
}

// CHECK-LABEL: @residual
// CHECK: %[[ACC:.*]] = quant.packed_matmul {{.*}} -> tensor<8x64xi32>
// CHECK: quant.rescale %[[ACC]] {{.*}} residual(
func.func @residual(%x: tensor<8x32xi8>, %w: tensor<32x64xi8>, %s: tensor<f32>, %r: tensor<8x64xf32>) -> tensor<8x64xf32> {
  %c0 = arith.constant dense<0> : tensor<8x64xi32>
  %acc = quant.matmul ins(%x, %w : tensor<8x32xi8>, tensor<32x64xi8>) outs(%c0 : tensor<8x64xi32>) -> tensor<8x64xi32>
  // expected-remark @+1 {{not fused into its matmul: kernels for a GPU have no fixed-point rescale and no residual}}
  %y = quant.rescale %acc row_scale(%s : tensor<f32>) residual(%r : tensor<8x64xf32>) : tensor<8x64xi32> -> tensor<8x64xf32>
  return %y : tensor<8x64xf32>
}

// The pipeline leaves an addition where it is: the float rescale is fused.
// CHECK-LABEL: @addition
// CHECK: %[[Y:.*]] = quant.packed_matmul {{.*}} row_scale({{.*}} -> tensor<8x64xf32>
// CHECK: arith.addf %[[Y]]
func.func @addition(%x: tensor<8x32xi8>, %w: tensor<32x64xi8>, %s: tensor<f32>, %r: tensor<8x64xf32>) -> tensor<8x64xf32> {
  %c0 = arith.constant dense<0> : tensor<8x64xi32>
  %acc = quant.matmul ins(%x, %w : tensor<8x32xi8>, tensor<32x64xi8>) outs(%c0 : tensor<8x64xi32>) -> tensor<8x64xi32>
  %y = quant.rescale %acc row_scale(%s : tensor<f32>) : tensor<8x64xi32> -> tensor<8x64xf32>
  %sum = arith.addf %y, %r : tensor<8x64xf32>
  return %sum : tensor<8x64xf32>
}
