// Activations in blocks of K, beside weights of groups, channels and tensors.
// RUN: quant-opt %s -quant-quantize-matmul="weights=group group-size=4 weight-bits=4 activations=dynamic-block block-size=2 activation-bits=4 activation-scales=e8m0" | FileCheck %s --check-prefix=GROUP
// RUN: quant-opt %s -quant-quantize-matmul="activations=dynamic-block block-size=4" | FileCheck %s --check-prefix=CHANNEL
// RUN: quant-opt %s -quant-quantize-matmul="weights=tensor activations=dynamic-block block-size=4 activation-scales=f16" | FileCheck %s --check-prefix=TENSOR
// RUN: quant-opt %s -quant-quantize-matmul="activations=dynamic-block" | FileCheck %s --check-prefix=ALL

// GROUP-LABEL: @main
// GROUP: %[[Q:.+]]:2 = quant.quantize_blocks ins(%arg0 : tensor<3x6xf32>) outs(%{{.*}} : tensor<3x6xi8>, tensor<3x3xf32>) block = 2 range = [-7, 7] scales = e8m0
// GROUP: quant.scaled_matmul ins(%[[Q]]#0, %{{.+}} : tensor<3x6xi8>, tensor<2x6xi4>) rhs_scale(%{{.+}} : tensor<2x2xf32>) lhs_scale(%[[Q]]#1 : tensor<3x3xf32>) {group_size = 4 : i64, lhs_group_size = 2 : i64} -> tensor<3x2xf32>

// A channel's scale is that of one group, all of K.
// CHANNEL-LABEL: @main
// CHANNEL: quant.quantize_blocks {{.*}} : tensor<3x6xi8>, tensor<3x2xf32>) block = 4 range = [-127, 127] ->
// CHANNEL: quant.scaled_matmul {{.*}} rhs_scale(%{{.+}} : tensor<2x1xf32>) lhs_scale(%{{.+}} : tensor<3x2xf32>) {group_size = 6 : i64, lhs_group_size = 4 : i64}
// Leading dimensions are rows, and the weight's K is the activations'.
// CHANNEL-LABEL: @batch
// CHANNEL: %[[ROWS:.+]] = tensor.cast %{{.*}} : tensor<?x?xf32> to tensor<?x6xf32>
// CHANNEL: %[[Q:.+]]:2 = quant.quantize_blocks ins(%[[ROWS]] : tensor<?x6xf32>)
// CHANNEL: quant.scaled_matmul ins(%[[Q]]#0, %{{.*}} lhs_scale(%[[Q]]#1 : tensor<?x2xf32>)
// What the program gives in integers stays: its groups, and its weights.
// CHANNEL-LABEL: @given_groups
// CHANNEL: %[[ROWS:.+]] = tensor.collapse_shape %arg0 {{\[\[}}0, 1], [2]] : tensor<?x3x6xf32> into tensor<?x6xf32>
// CHANNEL: %[[Q:.+]]:2 = quant.quantize_blocks ins(%[[ROWS]] : tensor<?x6xf32>) {{.*}} block = 4
// CHANNEL: %[[LHS:.+]] = tensor.expand_shape %[[Q]]#0 {{.*}} : tensor<?x6xi8> into tensor<?x3x6xi8>
// CHANNEL: %[[SCALE:.+]] = tensor.expand_shape %[[Q]]#1 {{.*}} : tensor<?x2xf32> into tensor<?x3x2xf32>
// CHANNEL: quant.scaled_matmul ins(%[[LHS]], %arg1 {{.*}} rhs_scale(%arg2 : tensor<2x3xf32>) lhs_scale(%[[SCALE]] : tensor<?x3x2xf32>) {group_size = 2 : i64, lhs_group_size = 4 : i64, quant.name = "p"}
// CHANNEL-LABEL: @given
// CHANNEL: quant.quantize_blocks {{.*}} block = 4
// CHANNEL: quant.scaled_matmul {{.*}} lhs_scale(%{{.*}} : tensor<3x2xf32>) {group_size = 6 : i64, lhs_group_size = 4 : i64}

// TENSOR-LABEL: @main
// TENSOR: quant.quantize_blocks {{.*}} block = 4 range = [-127, 127] scales = f16
// TENSOR: quant.scaled_matmul {{.*}} rhs_scale(%{{.+}} : tensor<2x1xf32>) lhs_scale(%{{.+}} : tensor<3x2xf32>)

// A block is at most a row.
// ALL-LABEL: @main
// ALL: quant.quantize_blocks {{.*}} : tensor<3x6xi8>, tensor<3x1xf32>) block = 6
// ALL: quant.scaled_matmul {{.*}} {group_size = 6 : i64, lhs_group_size = 6 : i64}
func.func @main(%x: tensor<3x6xf32>) -> tensor<3x2xf32> {
  %w = arith.constant dense<[[1.0, -1.0], [2.0, -2.0], [3.0, -3.0], [4.0, -4.0], [5.0, -5.0], [6.0, -6.0]]> : tensor<6x2xf32>
  %zero = arith.constant dense<0.0> : tensor<3x2xf32>
  %y = linalg.matmul ins(%x, %w : tensor<3x6xf32>, tensor<6x2xf32>) outs(%zero : tensor<3x2xf32>) -> tensor<3x2xf32>
  return %y : tensor<3x2xf32>
}

func.func @batch(%x: tensor<?x?x?xf32>, %init: tensor<?x?x2xf32>) -> tensor<?x?x2xf32> {
  %w = arith.constant dense<[[1.0, -1.0], [2.0, -2.0], [3.0, -3.0], [4.0, -4.0], [5.0, -5.0], [6.0, -6.0]]> : tensor<6x2xf32>
  %f = arith.constant 0.0 : f32
  %zero = linalg.fill ins(%f : f32) outs(%init : tensor<?x?x2xf32>) -> tensor<?x?x2xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(b, m, n, k) -> (b, m, k)>, affine_map<(b, m, n, k) -> (k, n)>, affine_map<(b, m, n, k) -> (b, m, n)>], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%x, %w : tensor<?x?x?xf32>, tensor<6x2xf32>) outs(%zero : tensor<?x?x2xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %p = arith.mulf %a, %b : f32
    %s = arith.addf %c, %p : f32
    linalg.yield %s : f32
  } -> tensor<?x?x2xf32>
  return %y : tensor<?x?x2xf32>
}

func.func @given_groups(%x: tensor<?x3x6xf32>, %w: tensor<2x6xi4>, %s: tensor<2x3xf32>) -> tensor<?x3x2xf32> {
  %y = quant.scaled_matmul ins(%x, %w : tensor<?x3x6xf32>, tensor<2x6xi4>) rhs_scale(%s : tensor<2x3xf32>) {group_size = 2 : i64, quant.name = "p"} -> tensor<?x3x2xf32>
  return %y : tensor<?x3x2xf32>
}

func.func @given(%x: tensor<3x6xf32>, %q: tensor<6x2xi8>, %s: tensor<f32>) -> tensor<3x2xf32> {
  %zero = arith.constant dense<0.0> : tensor<3x2xf32>
  %w = quant.dequantize %q scale(%s : tensor<f32>) axes = [] : tensor<6x2xi8> -> tensor<6x2xf32>
  %y = linalg.matmul ins(%x, %w : tensor<3x6xf32>, tensor<6x2xf32>) outs(%zero : tensor<3x2xf32>) -> tensor<3x2xf32>
  return %y : tensor<3x2xf32>
}
