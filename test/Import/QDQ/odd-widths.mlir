// A weight stored in 6 bits is read, and stored in 8.
// RUN: quant-opt %s --quant-import=weight-only | FileCheck %s

// CHECK-LABEL: func @six_bits
// CHECK: arith.constant dense<{{\[\[}}-32, 31], [5, -1]]> : tensor<2x2xi8>
// CHECK: quant.scaled_matmul
// CHECK-NOT: linalg.matmul
#map = affine_map<(d0, d1) -> (d0, d1)>
func.func @six_bits(%x: tensor<3x2xf32>) -> tensor<3x2xf32> {
  %w = arith.constant dense<[[-32, 5], [31, -1]]> : tensor<2x2xi6>
  %e = tensor.empty() : tensor<2x2xf32>
  %d = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%w : tensor<2x2xi6>) outs(%e : tensor<2x2xf32>) {
  ^bb0(%q: i6, %o: f32):
    %s = arith.constant 0.5 : f32
    %f = arith.sitofp %q : i6 to f32
    %r = arith.mulf %f, %s : f32
    linalg.yield %r : f32
  } -> tensor<2x2xf32>
  %z = arith.constant dense<0.0> : tensor<3x2xf32>
  %y = linalg.matmul ins(%x, %d : tensor<3x2xf32>, tensor<2x2xf32>) outs(%z : tensor<3x2xf32>) -> tensor<3x2xf32>
  return %y : tensor<3x2xf32>
}
