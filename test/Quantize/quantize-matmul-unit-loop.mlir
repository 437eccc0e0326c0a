// A loop of one step that the integers do not have.
// RUN: quant-opt %s --quant-import --quant-quantize-matmul | FileCheck %s
// RUN: quant-opt %s --quant-import --quant-quantize-matmul="activations=dynamic-tensor" | FileCheck %s

// CHECK-LABEL: func.func @unit_loop(
// CHECK: quant.matmul
// CHECK: quant.rescale
// CHECK-NOT: linalg.generic
func.func @unit_loop(%x: tensor<3x12xf32>) -> tensor<3x1x7xf32> {
  %q = arith.constant dense<3> : tensor<7x12xi8>
  %s = arith.constant dense<[0.5, 0.25, 1.0, 2.0, 3.0, 4.0, 5.0]> : tensor<7xf32>
  %zero = arith.constant 0.0 : f32
  %d = quant.dequantize %q scale(%s : tensor<7xf32>) axes = [0] : tensor<7x12xi8> -> tensor<7x12xf32>
  %w = tensor.expand_shape %d [[0, 1], [2]] output_shape [1, 7, 12] : tensor<7x12xf32> into tensor<1x7x12xf32>
  %e = tensor.empty() : tensor<3x1x7xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<3x1x7xf32>) -> tensor<3x1x7xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(m, e, n, k) -> (m, k)>, affine_map<(m, e, n, k) -> (e, n, k)>, affine_map<(m, e, n, k) -> (m, e, n)>], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%x, %w : tensor<3x12xf32>, tensor<1x7x12xf32>) outs(%f : tensor<3x1x7xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<3x1x7xf32>
  return %y : tensor<3x1x7xf32>
}

// CHECK-LABEL: func.func @constant(
// CHECK-DAG: arith.constant {{.*}} : tensor<7x12xi8>
// CHECK: quant.matmul
// CHECK: quant.rescale
// CHECK-NOT: linalg.generic
func.func @constant(%x: tensor<3x12xf32>) -> tensor<3x1x7xf32> {
  %c = arith.constant dense<2.0> : tensor<7x12xf32>
  %zero = arith.constant 0.0 : f32
  %w = tensor.expand_shape %c [[0, 1], [2]] output_shape [1, 7, 12] : tensor<7x12xf32> into tensor<1x7x12xf32>
  %e = tensor.empty() : tensor<3x1x7xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<3x1x7xf32>) -> tensor<3x1x7xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(m, e, n, k) -> (m, k)>, affine_map<(m, e, n, k) -> (e, n, k)>, affine_map<(m, e, n, k) -> (m, e, n)>], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%x, %w : tensor<3x12xf32>, tensor<1x7x12xf32>) outs(%f : tensor<3x1x7xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<3x1x7xf32>
  return %y : tensor<3x1x7xf32>
}
