// RUN: quant-opt %s -quant-fuse-epilogue -split-input-file | FileCheck %s

#id = affine_map<(i, j) -> (i, j)>

// torch's ReLU, then a quantize of its own: one integer rescale. The zero point
// is qmin, so that the range says what the ReLU did.
// CHECK-LABEL: @relu_quantize
// CHECK-SAME: %[[ACC:[a-z0-9]+]]: tensor<4x8xi32>
// CHECK-NEXT: %[[M:.*]] = arith.constant dense<5.000000e-01> : tensor<f32>
// CHECK-NEXT: %[[Q:.*]] = quant.rescale %[[ACC]] channel_scale(%[[M]] : tensor<f32>) {range = array<i64: -128, 127>, zero_point = -128 : i32} : tensor<4x8xi32> -> tensor<4x8xi8>
// CHECK-NEXT: return %[[Q]]
func.func @relu_quantize(%acc: tensor<4x8xi32>) -> tensor<4x8xi8> {
  %zero = arith.constant 0.0 : f32
  %s = arith.constant dense<0.25> : tensor<f32>
  %sy = arith.constant dense<0.5> : tensor<f32>
  %zy = arith.constant dense<-128> : tensor<i32>
  %y = quant.rescale %acc channel_scale(%s : tensor<f32>) : tensor<4x8xi32> -> tensor<4x8xf32>
  %e = tensor.empty() : tensor<4x8xf32>
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%y : tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%in: f32, %out: f32):
    %c = arith.cmpf ugt, %in, %zero : f32
    %m = arith.select %c, %in, %zero : f32
    linalg.yield %m : f32
  } -> tensor<4x8xf32>
  %q = quant.quantize %r scale(%sy : tensor<f32>) zero_point(%zy : tensor<i32>) axes = [] range = [-128, 127] : tensor<4x8xf32> -> tensor<4x8xi8>
  return %q : tensor<4x8xi8>
}

// -----

#id = affine_map<(i, j, k) -> (i, j, k)>

// ReLU6 behind the reshape that an exporter puts there; run-time scales.
// CHECK-LABEL: @relu6_reshape
// CHECK: %[[Y:.*]] = quant.rescale %{{.*}} row_scale(%{{.*}}) bias(%{{.*}}) {clamp_max = 6.000000e+00 : f32, clamp_min = 0.000000e+00 : f32}
// CHECK-NEXT: %[[E:.*]] = tensor.expand_shape %[[Y]]
// CHECK-NEXT: return %[[E]]
func.func @relu6_reshape(%acc: tensor<4x8xi32>, %s: tensor<4xf32>, %b: tensor<8xf32>) -> tensor<2x2x8xf32> {
  %zero = arith.constant 0.0 : f32
  %six = arith.constant 6.0 : f32
  %y = quant.rescale %acc row_scale(%s : tensor<4xf32>) bias(%b : tensor<8xf32>) : tensor<4x8xi32> -> tensor<4x8xf32>
  %x = tensor.expand_shape %y [[0, 1], [2]] output_shape [2, 2, 8] : tensor<4x8xf32> into tensor<2x2x8xf32>
  %e = tensor.empty() : tensor<2x2x8xf32>
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]} ins(%x : tensor<2x2x8xf32>) outs(%e : tensor<2x2x8xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.maximumf %in, %zero : f32
    %1 = arith.minimumf %six, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<2x2x8xf32>
  return %r : tensor<2x2x8xf32>
}

// -----

#id = affine_map<(i, j) -> (i, j)>

// Two clamps one after the other: max(min(max(y, -1), 3), 2) is max(y, 2), then
// min with 3.
// CHECK-LABEL: @chain
// CHECK: quant.rescale {{.*}} {clamp_max = 3.000000e+00 : f32, clamp_min = 2.000000e+00 : f32}
func.func @chain(%acc: tensor<4x8xi32>, %s: tensor<f32>) -> tensor<4x8xf32> {
  %two = arith.constant 2.0 : f32
  %y = quant.rescale %acc row_scale(%s : tensor<f32>) {clamp_min = -1.0 : f32, clamp_max = 3.0 : f32} : tensor<4x8xi32> -> tensor<4x8xf32>
  %e = tensor.empty() : tensor<4x8xf32>
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%y : tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.maximumf %in, %two : f32
    linalg.yield %0 : f32
  } -> tensor<4x8xf32>
  return %r : tensor<4x8xf32>
}

// -----

#id = affine_map<(i, j) -> (i, j)>
#t = affine_map<(i, j) -> (j, i)>

// A second user, a transposing map, a body that does more, and a comparison
// that would make a number of NaN.
// CHECK-LABEL: @negative
// CHECK-COUNT-4: linalg.generic
func.func @negative(%acc: tensor<8x8xi32>, %s: tensor<f32>) -> (tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>) {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<8x8xf32>
  %y0 = quant.rescale %acc row_scale(%s : tensor<f32>) : tensor<8x8xi32> -> tensor<8x8xf32>
  %r0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%y0 : tensor<8x8xf32>) outs(%e : tensor<8x8xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.maximumf %in, %zero : f32
    linalg.yield %0 : f32
  } -> tensor<8x8xf32>
  %y1 = quant.rescale %acc row_scale(%s : tensor<f32>) : tensor<8x8xi32> -> tensor<8x8xf32>
  %r1 = linalg.generic {indexing_maps = [#t, #id], iterator_types = ["parallel", "parallel"]} ins(%y1 : tensor<8x8xf32>) outs(%e : tensor<8x8xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.maximumf %in, %zero : f32
    linalg.yield %0 : f32
  } -> tensor<8x8xf32>
  %y2 = quant.rescale %acc row_scale(%s : tensor<f32>) : tensor<8x8xi32> -> tensor<8x8xf32>
  %r2 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%y2 : tensor<8x8xf32>) outs(%e : tensor<8x8xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.maximumf %in, %zero : f32
    %1 = arith.mulf %0, %in : f32
    linalg.yield %1 : f32
  } -> tensor<8x8xf32>
  %y3 = quant.rescale %acc row_scale(%s : tensor<f32>) : tensor<8x8xi32> -> tensor<8x8xf32>
  %r3 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%y3 : tensor<8x8xf32>) outs(%e : tensor<8x8xf32>) {
  ^bb0(%in: f32, %out: f32):
    %c = arith.cmpf ogt, %in, %zero : f32
    %0 = arith.select %c, %in, %zero : f32
    linalg.yield %0 : f32
  } -> tensor<8x8xf32>
  return %y0, %r0, %r1, %r2, %r3 : tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>
}
