// RUN: quant-opt %s -quant-fuse-epilogue -split-input-file | FileCheck %s


#id = affine_map<(i, j) -> (i, j)>

// The residual comes after the rescale, and as either operand; then a ReLU.
// CHECK-LABEL: @generic
// CHECK-SAME: %[[ACC:[a-z0-9]+]]: tensor<4x8xi32>, %[[S:[a-z0-9]+]]: tensor<f32>, %[[X:[a-z0-9]+]]: tensor<4x8xf32>
// CHECK: %[[R:.*]] = math.tanh %[[X]]
// CHECK: %[[Y:.*]] = quant.rescale %[[ACC]] row_scale(%[[S]] : tensor<f32>) residual(%[[R]] : tensor<4x8xf32>) {clamp_min = 0.000000e+00 : f32} : tensor<4x8xi32> -> tensor<4x8xf32>
// CHECK-NOT: linalg
// CHECK: return %[[Y]]
func.func @generic(%acc: tensor<4x8xi32>, %s: tensor<f32>, %x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x8xf32>
  %y = quant.rescale %acc row_scale(%s : tensor<f32>) : tensor<4x8xi32> -> tensor<4x8xf32>
  %r = math.tanh %x : tensor<4x8xf32>
  %sum = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%r, %y : tensor<4x8xf32>, tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %v = arith.addf %a, %b : f32
    linalg.yield %v : f32
  } -> tensor<4x8xf32>
  %relu = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%sum : tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%a: f32, %o: f32):
    %v = arith.maximumf %a, %zero : f32
    linalg.yield %v : f32
  } -> tensor<4x8xf32>
  return %relu : tensor<4x8xf32>
}

// -----

// linalg.add through reshapes, which the residual takes the other way; the sum
// has several uses.
// CHECK-LABEL: @named_reshaped
// CHECK-SAME: %[[R:[a-z0-9]+]]: tensor<2x?x8xf32>)
// CHECK: %[[C:.*]] = tensor.collapse_shape %[[R]] {{\[\[}}0, 1], [2]] : tensor<2x?x8xf32> into tensor<?x8xf32>
// CHECK: %[[Y:.*]] = quant.rescale %{{.*}} residual(%[[C]] : tensor<?x8xf32>) : tensor<?x8xi32> -> tensor<?x8xf32>
// CHECK: %[[E:.*]] = tensor.expand_shape %[[Y]]
// CHECK: return %[[E]], %[[E]]
func.func @named_reshaped(%acc: tensor<?x8xi32>, %s: tensor<f32>, %n: index, %r: tensor<2x?x8xf32>) -> (tensor<2x?x8xf32>, tensor<2x?x8xf32>) {
  %y = quant.rescale %acc row_scale(%s : tensor<f32>) : tensor<?x8xi32> -> tensor<?x8xf32>
  %x = tensor.expand_shape %y [[0, 1], [2]] output_shape [2, %n, 8] : tensor<?x8xf32> into tensor<2x?x8xf32>
  %e = tensor.empty(%n) : tensor<2x?x8xf32>
  %sum = linalg.add ins(%x, %r : tensor<2x?x8xf32>, tensor<2x?x8xf32>) outs(%e : tensor<2x?x8xf32>) -> tensor<2x?x8xf32>
  return %sum, %sum : tensor<2x?x8xf32>, tensor<2x?x8xf32>
}

// -----

// arith.addf of tensors; a dimension merged before the sum is split again.
// CHECK-LABEL: @arith_collapsed
// CHECK-SAME: %[[R:[a-z0-9]+]]: tensor<6x8xf32>)
// CHECK: %[[E:.*]] = tensor.expand_shape %[[R]] {{\[\[}}0, 1], [2]] output_shape [2, 3, 8]
// CHECK: quant.rescale %{{.*}} residual(%[[E]] : tensor<2x3x8xf32>)
// CHECK-NOT: addf
func.func @arith_collapsed(%acc: tensor<2x3x8xi32>, %s: tensor<f32>, %r: tensor<6x8xf32>) -> tensor<6x8xf32> {
  %y = quant.rescale %acc row_scale(%s : tensor<f32>) : tensor<2x3x8xi32> -> tensor<2x3x8xf32>
  %x = tensor.collapse_shape %y [[0, 1], [2]] : tensor<2x3x8xf32> into tensor<6x8xf32>
  %sum = arith.addf %x, %r : tensor<6x8xf32>
  return %sum : tensor<6x8xf32>
}

// -----

// One residual for one rescale: two of three terms.
// CHECK-LABEL: @once
// CHECK: %[[Y:.*]] = quant.rescale %{{.*}} residual(%{{.*}} : tensor<4x8xf32>)
// CHECK: arith.addf %[[Y]]
func.func @once(%acc: tensor<4x8xi32>, %s: tensor<f32>, %r: tensor<4x8xf32>, %t: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %y = quant.rescale %acc row_scale(%s : tensor<f32>) : tensor<4x8xi32> -> tensor<4x8xf32>
  %a = arith.addf %y, %r : tensor<4x8xf32>
  %b = arith.addf %a, %t : tensor<4x8xf32>
  return %b : tensor<4x8xf32>
}

// -----

// Not taken: what would be added before a clamp, to f16, to a value that is used
// elsewhere, twice to itself, or transposed or in a loop.
// CHECK-LABEL: @not_taken
// CHECK-NOT: residual
// CHECK: return
#id = affine_map<(i, j) -> (i, j)>
#t = affine_map<(i, j) -> (j, i)>
func.func @not_taken(%acc: tensor<8x8xi32>, %s: tensor<f32>, %r: tensor<8x8xf32>, %h: tensor<8x8xf16>, %n: index)
    -> (tensor<8x8xf32>, tensor<8x8xf16>, tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>) {
  %0 = quant.rescale %acc row_scale(%s : tensor<f32>) {clamp_min = 0.0 : f32} : tensor<8x8xi32> -> tensor<8x8xf32>
  %sum0 = arith.addf %0, %r : tensor<8x8xf32>
  %1 = quant.rescale %acc row_scale(%s : tensor<f32>) : tensor<8x8xi32> -> tensor<8x8xf16>
  %sum1 = arith.addf %1, %h : tensor<8x8xf16>
  %2 = quant.rescale %acc row_scale(%s : tensor<f32>) : tensor<8x8xi32> -> tensor<8x8xf32>
  %sum2 = arith.addf %2, %r : tensor<8x8xf32>
  %3 = quant.rescale %acc row_scale(%s : tensor<f32>) : tensor<8x8xi32> -> tensor<8x8xf32>
  %sum3 = arith.addf %3, %3 : tensor<8x8xf32>
  %4 = quant.rescale %acc row_scale(%s : tensor<f32>) : tensor<8x8xi32> -> tensor<8x8xf32>
  %e = tensor.empty() : tensor<8x8xf32>
  %sum4 = linalg.generic {indexing_maps = [#id, #t, #id], iterator_types = ["parallel", "parallel"]}
      ins(%4, %r : tensor<8x8xf32>, tensor<8x8xf32>) outs(%e : tensor<8x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %v = arith.addf %a, %b : f32
    linalg.yield %v : f32
  } -> tensor<8x8xf32>
  %5 = quant.rescale %acc row_scale(%s : tensor<f32>) : tensor<8x8xi32> -> tensor<8x8xf32>
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %sum5 = scf.for %i = %c0 to %n step %c1 iter_args(%x = %r) -> tensor<8x8xf32> {
    %v = arith.addf %5, %x : tensor<8x8xf32>
    scf.yield %v : tensor<8x8xf32>
  }
  return %sum0, %sum1, %sum2, %2, %sum3, %sum4, %sum5 : tensor<8x8xf32>, tensor<8x8xf16>, tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>
}
