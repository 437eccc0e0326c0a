// Weights in formats of tables and of scales that are not any floats.
// RUN: quant-opt %s -quant-quantize-matmul="weight-format=mxfp4" | FileCheck %s --check-prefixes=CHECK,MXFP4
// RUN: quant-opt %s -quant-quantize-matmul="weight-format=nvfp4 activations=dynamic-block" | FileCheck %s --check-prefixes=CHECK,NVFP4
// RUN: quant-opt %s -quant-quantize-matmul="weight-format=mxint8 activations=float" | FileCheck %s --check-prefixes=CHECK,MXINT8
// RUN: quant-opt %s -quant-quantize-matmul="weight-format=iq4_nl" | FileCheck %s --check-prefixes=CHECK,IQ4
// RUN: quant-opt %s -quant-quantize-matmul="bitnet" | FileCheck %s --check-prefixes=CHECK,TERNARY
// RUN: quant-opt %s -quant-quantize-matmul="weight-bits=2" | FileCheck %s --check-prefixes=CHECK,INT2
// RUN: quant-opt %s -quant-quantize-matmul="weight-bits=3" | FileCheck %s --check-prefixes=CHECK,INT3
// RUN: quant-opt %s -quant-quantize-matmul="weight-bits=6" | FileCheck %s --check-prefixes=CHECK,INT6

// Elements are numbers of entries. Of MXFP4 the largest, 6, is below 8, so that
// the scale is 2^(2 - 2), here halved: 6 is entry 12 (7), -3 entry -6 (13).
// CHECK-LABEL: @main
// MXFP4-DAG: %[[W:.+]] = arith.constant dense<{{\[\[}}7, -3, 2, 0], [0, 0, 0, 0]]> : tensor<2x4xi4>
// MXFP4-DAG: %[[S:.+]] = arith.constant dense<{{\[\[}}5.000000e-01], [1.000000e+00]]> : tensor<2x1xf32>
// MXFP4: quant.scaled_matmul ins(%{{.+}}, %[[W]] : tensor<3x4xi8>, tensor<2x4xi4>) row_scale(%{{.+}}) rhs_scale(%[[S]] : tensor<2x1xf32>) {group_size = 32 : i64, rhs_codebook = array<i8: 0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12>}
// NVFP4: quant.scaled_matmul {{.*}} lhs_scale({{.*}} {group_size = 16 : i64, lhs_group_size = 4 : i64, rhs_codebook = array<i8: 0, 1, 2, 3, 4, 6, 8, 12, 0,
// Powers of two: 2^(2 - 6).
// MXINT8: arith.constant dense<{{\[\[}}96, -48, 16, 0], [0, 0, 0, 0]]> : tensor<2x4xi8>
// MXINT8: arith.constant dense<{{\[\[}}6.250000e-02], [1.000000e+00]]> : tensor<2x1xf32>
// MXINT8: quant.scaled_matmul
// MXINT8-NOT: rhs_codebook
// No entry is 0, so that the scale of zeros is: in f16, as 6 / 113 is.
// IQ4: arith.constant dense<{{\[\[}}0.0531005859], [0.000000e+00]]> : tensor<2x1xf32>
// IQ4: rhs_codebook = array<i8: -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113>
// The mean magnitude is 10 / 8: -3 is -2.4 of it, clipped, and 1 is 0.8. One
// scale is one for each row, of a group of all K.
// TERNARY-DAG: %[[W:.+]] = arith.constant dense<{{\[\[}}1, -1, 1, 0], [0, 0, 0, 0]]> : tensor<2x4xi2>
// TERNARY-DAG: %[[S:.+]] = arith.constant dense<1.250000e+00> : tensor<2x1xf32>
// TERNARY: quant.scaled_matmul ins(%{{.+}}, %[[W]] : tensor<3x4xi8>, tensor<2x4xi2>) row_scale(%{{.+}}) rhs_scale(%[[S]] : tensor<2x1xf32>) {group_size = 4 : i64}
// Two bits have quant.scaled_matmul only; three take four, six take eight.
// INT2: arith.constant dense<{{\[\[}}1, 0, 0, 0], [0, 0, 0, 0]]> : tensor<2x4xi2>
// INT2: quant.scaled_matmul {{.*}} {group_size = 4 : i64}
// INT3: arith.constant dense<{{\[\[}}3, 0], [-2, 0], [0, 0], [0, 0]]> : tensor<4x2xi4>
// INT3: quant.matmul
// INT6: arith.constant dense<{{\[\[}}31, 0], [-16, 0], [5, 0], [0, 0]]> : tensor<4x2xi8>
// INT6: quant.matmul
func.func @main(%x: tensor<3x4xf32>) -> tensor<3x2xf32> {
  %w = arith.constant dense<[[6.0, 0.0], [-3.0, 0.0], [1.0, 0.0], [0.0, 0.0]]> : tensor<4x2xf32>
  %zero = arith.constant dense<0.0> : tensor<3x2xf32>
  %y = linalg.matmul ins(%x, %w : tensor<3x4xf32>, tensor<4x2xf32>) outs(%zero : tensor<3x2xf32>) -> tensor<3x2xf32>
  return %y : tensor<3x2xf32>
}

// A weight that the program gives keeps its table, and so does what quantizes
// its activations.
// CHECK-LABEL: @given
// CHECK: quant.scaled_matmul {{.*}}rhs_codebook = array<i8: 0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12>
func.func @given(%x: tensor<2x32xf32>, %w: tensor<4x32xi4>, %s: tensor<4x1xf32>) -> tensor<2x4xf32> {
  %y = quant.scaled_matmul ins(%x, %w : tensor<2x32xf32>, tensor<4x32xi4>)
      rhs_scale(%s : tensor<4x1xf32>)
      {group_size = 32 : i64, rhs_codebook = array<i8: 0, 1, 2, 3, 4, 6, 8, 12,
                                              0, -1, -2, -3, -4, -6, -8, -12>}
      -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}
