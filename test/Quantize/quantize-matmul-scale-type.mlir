// Scales that f16 does not reach are said; bf16 reaches as far as f32.
// RUN: quant-opt %s --quant-quantize-matmul="weights=group group-size=2 weight-bits=4 scale-type=f16" 2>&1 | FileCheck %s
// RUN: quant-opt %s --quant-quantize-matmul="weights=group group-size=2 weight-bits=4 scale-type=bf16" 2>&1 | FileCheck %s --check-prefix=BF16

// CHECK: :[[#@LINE+9]]:8: remark: 2 of 4 scales of the weight are too large or too small for f16, and stored as its largest or least
// CHECK: dense<{{\[\[}}6.550400e+04, 0.428466797], [0.142822266, 5.96046448E-8]]>
// CHECK: quant.scaled_matmul {{.*}}quant.scheme_partly = "2 of 4 scales
// BF16-NOT: remark
// BF16: quant.scaled_matmul
func.func @main(%x: tensor<2x4xf32>) -> tensor<2x2xf32> {
  %w = arith.constant dense<[[1.0e9, 1.0], [2.0, 1.0], [3.0, 1.0e-9], [1.0, 1.0e-9]]> : tensor<4x2xf32>
  %z = arith.constant dense<0.0> : tensor<2x2xf32>
  // The weight's first group, and the last one.
  %y = linalg.matmul ins(%x, %w : tensor<2x4xf32>, tensor<4x2xf32>) outs(%z : tensor<2x2xf32>) -> tensor<2x2xf32>
  return %y : tensor<2x2xf32>
}
