// Weights of groups, asymmetric weights, activations that stay float, and
// static activations from statistics.
// RUN: quant-opt %s -quant-quantize-matmul="weights=group group-size=4 weight-bits=4" | FileCheck %s --check-prefix=GROUP
// RUN: quant-opt %s -quant-quantize-matmul="activations=float" | FileCheck %s --check-prefix=FLOAT
// RUN: quant-opt %s -quant-quantize-matmul="weights=tensor activations=float weight-bits=4" | FileCheck %s --check-prefix=FLOAT-TENSOR
// RUN: quant-opt %s -quant-quantize-matmul="weight-symmetric=false" | FileCheck %s --check-prefix=ASYM
// RUN: quant-opt %s -quant-quantize-matmul="weight-bits=4 weight-scale=mse" | FileCheck %s --check-prefix=MSE
// RUN: quant-opt %s -quant-quantize-matmul="weights=group group-size=4 weight-bits=4 weight-scale=full-range" | FileCheck %s --check-prefix=RANGE
// RUN: quant-opt %s -quant-quantize-matmul="weight-bits=4 weight-scale=full-range-mse" | FileCheck %s --check-prefix=BOTH
// RUN: quant-opt %s -quant-name-matmuls -quant-quantize-matmul | FileCheck %s --check-prefix=NAME

// A row of W is 1 2 .. 6: two groups, the last one ragged. 4/7 and 6/7.
// GROUP-DAG: %[[W:.+]] = arith.constant dense<{{\[\[}}2, 3, 5, 7, 6, 7], [-2, -3, -5, -7, -6, -7]]> : tensor<2x6xi4>
// GROUP-DAG: %[[S:.+]] = arith.constant dense<{{\[\[}}0.571428597, 0.857142865], [0.571428597, 0.857142865]]> : tensor<2x2xf32>
// GROUP-DAG: %[[QX:.+]] = quant.quantize %arg0
// GROUP: quant.scaled_matmul ins(%[[QX]], %[[W]] : tensor<3x6xi8>, tensor<2x6xi4>) row_scale(%{{.+}} : tensor<3xf32>) rhs_scale(%[[S]] : tensor<2x2xf32>) {group_size = 4 : i64} -> tensor<3x2xf32>

// FLOAT-DAG: %[[W:.+]] = arith.constant dense<{{\[\[}}21, 42, 64, 85, 106, 127], [-21, -42, -64, -85, -106, -127]]> : tensor<2x6xi8>
// FLOAT-DAG: %[[S:.+]] = arith.constant dense<0.0472440943> : tensor<2x1xf32>
// FLOAT: quant.scaled_matmul ins(%arg0, %[[W]] : tensor<3x6xf32>, tensor<2x6xi8>) rhs_scale(%[[S]] : tensor<2x1xf32>) {group_size = 6 : i64} -> tensor<3x2xf32>

// FLOAT-TENSOR: quant.scaled_matmul ins(%arg0, {{.*}} rhs_scale(%{{.+}} : tensor<2x1xf32>)

// ASYM-DAG: %[[Z:.+]] = arith.constant dense<[-128, 127]> : tensor<2xi32>
// ASYM: quant.matmul {{.*}} rhs_zero_point(%[[Z]] : tensor<2xi32>)

// Clipping 6 a little rounds the others better.
// MSE-NOT: 0.857142865
// MSE: quant.matmul

// 4/8 and 6/8; a positive extreme is 8 steps above the zero point -1.
// RANGE-DAG: %[[W:.+]] = arith.constant dense<{{\[\[}}1, 3, 5, 7, 6, 7], [-2, -4, -6, -8, -7, -8]]> : tensor<2x6xi4>
// RANGE-DAG: %[[S:.+]] = arith.constant dense<{{\[\[}}5.000000e-01, 7.500000e-01], [5.000000e-01, 7.500000e-01]]> : tensor<2x2xf32>
// RANGE-DAG: %[[Z:.+]] = arith.constant dense<{{\[\[}}-1, -1], [0, 0]]> : tensor<2x2xi32>
// RANGE: quant.scaled_matmul {{.*}} rhs_scale(%[[S]] : tensor<2x2xf32>) rhs_zero_point(%[[Z]] : tensor<2x2xi32>) {group_size = 4 : i64}

// BOTH-DAG: %[[Z:.+]] = arith.constant dense<[-1, 0]> : tensor<2xi32>
// BOTH: quant.matmul {{.*}} rhs_zero_point(%[[Z]] : tensor<2xi32>)

// NAME: quant.matmul {{.*}}quant.name = "main#0"
func.func @main(%x: tensor<3x6xf32>) -> tensor<3x2xf32> {
  %w = arith.constant dense<[[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [-1.0, -2.0, -3.0, -4.0, -5.0, -6.0]]> : tensor<2x6xf32>
  %zero = arith.constant dense<0.0> : tensor<3x2xf32>
  %e = tensor.empty() : tensor<6x2xf32>
  %t = linalg.transpose ins(%w : tensor<2x6xf32>) outs(%e : tensor<6x2xf32>) permutation = [1, 0]
  %y = linalg.matmul ins(%x, %t : tensor<3x6xf32>, tensor<6x2xf32>) outs(%zero : tensor<3x2xf32>) -> tensor<3x2xf32>
  return %y : tensor<3x2xf32>
}
