// Integers that the program gives for a weight are used when a scheme is asked
// for: its groups stay, the activations get the scheme's grid.
// RUN: quant-opt %s --split-input-file --quant-import --quant-quantize-matmul="activations=dynamic-token" | FileCheck %s --check-prefixes=CHECK,TOKEN
// RUN: quant-opt %s --split-input-file --quant-import --quant-quantize-matmul="activations=dynamic-tensor symmetric=false" | FileCheck %s --check-prefixes=CHECK,TENSOR
// RUN: quant-opt %s --split-input-file --quant-import --quant-quantize-matmul="activations=float" | FileCheck %s --check-prefixes=CHECK,FLOAT
// RUN: quant-opt %s --split-input-file --quant-import --quant-quantize-matmul="activations=static" 2>&1 | FileCheck %s --check-prefix=STATIC
// RUN: quant-opt %s --split-input-file --quant-import --quant-quantize-matmul="exclude=*" 2>/dev/null | FileCheck %s --check-prefixes=CHECK,FLOAT

#lhs = affine_map<(b, m, n, g, k) -> (b, m, g, k)>
#rhs = affine_map<(b, m, n, g, k) -> (n, g, k)>
#out = affine_map<(b, m, n, g, k) -> (b, m, n)>

// Two reduction loops, scales along the outer one.
// CHECK-LABEL: func.func @groups
// CHECK-DAG: %[[W:.*]] = arith.constant dense<5> : tensor<6x64xi4>
// CHECK-DAG: %[[S:.*]] = arith.constant dense<2.500000e-01> : tensor<6x4xf32>
// TOKEN: %[[P:.*]] = quant.choose_qparams %[[X:.*]] axes = [0] range = [-128, 127] : tensor<10x64xf32> -> tensor<10xf32>
// TOKEN: %[[Q:.*]] = quant.quantize %[[X]] scale(%[[P]] : tensor<10xf32>) axes = [0] range = [-128, 127]
// TOKEN: quant.scaled_matmul ins(%[[Q]], %[[W]] : tensor<10x64xi8>, tensor<6x64xi4>) row_scale(%[[P]] : tensor<10xf32>) rhs_scale(%[[S]] : tensor<6x4xf32>) {group_size = 16 : i64} -> tensor<10x6xf32>
// TENSOR: %[[P:.*]], %[[Z:.*]] = quant.choose_qparams %[[X:.*]] axes = [] range = [0, 255] : tensor<10x64xf32> -> tensor<f32>, tensor<i32>
// TENSOR: quant.scaled_matmul ins(%{{.*}}, %[[W]] : tensor<10x64xi8>, tensor<6x64xi4>) lhs_zero_point(%[[Z]] : tensor<i32>) row_scale(%[[P]] : tensor<f32>) rhs_scale(%[[S]] : tensor<6x4xf32>) {group_size = 16 : i64, lhs_unsigned} -> tensor<10x6xf32>
// FLOAT-NOT: quant.quantize
// FLOAT: quant.scaled_matmul ins(%{{.*}}, %[[W]] : tensor<10x64xf32>, tensor<6x64xi4>) rhs_scale(%[[S]] : tensor<6x4xf32>) {group_size = 16 : i64} -> tensor<10x6xf32>
// STATIC: remark: activations stay in float: no static scale given for the activations
// STATIC: func.func @groups
// STATIC: quant.scaled_matmul ins(%{{.*}} : tensor<10x64xf32>, tensor<6x64xi4>){{.*}}quant.scheme_dropped = "no static scale given for the activations"
func.func @groups(%x: tensor<2x5x4x16xf32>, %init: tensor<2x5x6xf32>) -> tensor<2x5x6xf32> {
  %w = arith.constant dense<5> : tensor<6x4x16xi4>
  %s = arith.constant dense<0.25> : tensor<6x4xf32>
  %d = quant.dequantize %w scale(%s : tensor<6x4xf32>) axes = [0, 1] : tensor<6x4x16xi4> -> tensor<6x4x16xf32>
  %y = linalg.generic {indexing_maps = [#lhs, #rhs, #out], iterator_types = ["parallel", "parallel", "parallel", "reduction", "reduction"]}
    ins(%x, %d : tensor<2x5x4x16xf32>, tensor<6x4x16xf32>) outs(%init : tensor<2x5x6xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %0 = arith.mulf %a, %b : f32
    %1 = arith.addf %c, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<2x5x6xf32>
  return %y : tensor<2x5x6xf32>
}

// -----

// A scale for each column: what the scheme does not quantize is imported as
// without a scheme.
// CHECK-LABEL: func.func @channels
// TOKEN: quant.matmul ins(%{{.*}}, %{{.*}} : tensor<5x64xi8>, tensor<64x6xi8>)
// TENSOR: quant.matmul ins(%{{.*}}, %{{.*}} : tensor<5x64xi8>, tensor<64x6xi8>)
// FLOAT: quant.scaled_matmul ins(%{{.*}}, %{{.*}} : tensor<5x64xf32>, tensor<6x64xi8>)
// STATIC: func.func @channels
// STATIC: quant.scaled_matmul ins(%{{.*}} : tensor<5x64xf32>, tensor<6x64xi8>){{.*}}quant.scheme_dropped = "no static scale given for the activations"
func.func @channels(%x: tensor<5x64xf32>, %w: tensor<64x6xi8>, %init: tensor<5x6xf32>) -> tensor<5x6xf32> {
  %s = arith.constant dense<0.25> : tensor<6xf32>
  %d = quant.dequantize %w scale(%s : tensor<6xf32>) axes = [1] : tensor<64x6xi8> -> tensor<64x6xf32>
  %y = linalg.matmul ins(%x, %d : tensor<5x64xf32>, tensor<64x6xf32>) outs(%init : tensor<5x6xf32>) -> tensor<5x6xf32>
  return %y : tensor<5x6xf32>
}

// -----

// Sums of a group that may not fit.
// RUN: quant-opt %s --split-input-file --quant-import --quant-quantize-matmul 2>&1 | FileCheck %s --check-prefix=SAID
// SAID: remark: activations stay in float: a group of 140000 products may overflow i32, safe is 131071
func.func @long(%x: tensor<5x140000xf32>, %w: tensor<6x140000xi8>, %s: tensor<6x1xf32>) -> tensor<5x6xf32> {
  %y = quant.scaled_matmul ins(%x, %w : tensor<5x140000xf32>, tensor<6x140000xi8>) rhs_scale(%s : tensor<6x1xf32>) {group_size = 140000 : i64} -> tensor<5x6xf32>
  return %y : tensor<5x6xf32>
}
