// Bodies whose arithmetic is not that of our ops stay.
// RUN: quant-opt %s -quant-import -split-input-file | FileCheck %s
// CHECK-NOT: quant.

#id = affine_map<(i) -> (i)>
// Truncates instead of rounding to even.
// CHECK-LABEL: @truncating
// CHECK: linalg.generic
func.func @truncating(%x: tensor<8xf32>) -> tensor<8xi8> {
  %s = arith.constant 0.5 : f32
  %min = arith.constant -128.0 : f32
  %max = arith.constant 127.0 : f32
  %e = tensor.empty() : tensor<8xi8>
  %q = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<8xf32>) outs(%e : tensor<8xi8>) {
  ^bb0(%in: f32, %o: i8):
    %0 = arith.divf %in, %s : f32
    %3 = arith.maximumf %0, %min : f32
    %4 = arith.minimumf %3, %max : f32
    %5 = arith.fptosi %4 : f32 to i8
    linalg.yield %5 : i8
  } -> tensor<8xi8>
  return %q : tensor<8xi8>
}

// -----

#id = affine_map<(i) -> (i)>
// Multiplies by a reciprocal: other integers at ties.
// CHECK-LABEL: @reciprocal
// CHECK: linalg.generic
func.func @reciprocal(%x: tensor<8xf32>) -> tensor<8xi8> {
  %s = arith.constant 3.0 : f32
  %min = arith.constant -128.0 : f32
  %max = arith.constant 127.0 : f32
  %e = tensor.empty() : tensor<8xi8>
  %q = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<8xf32>) outs(%e : tensor<8xi8>) {
  ^bb0(%in: f32, %o: i8):
    %0 = arith.mulf %in, %s : f32
    %1 = math.roundeven %0 : f32
    %3 = arith.maximumf %1, %min : f32
    %4 = arith.minimumf %3, %max : f32
    %5 = arith.fptosi %4 : f32 to i8
    linalg.yield %5 : i8
  } -> tensor<8xi8>
  return %q : tensor<8xi8>
}

// -----

#id = affine_map<(i) -> (i)>
// The clamp leaves values that do not fit.
// CHECK-LABEL: @wide_clamp
// CHECK: linalg.generic
func.func @wide_clamp(%x: tensor<8xf32>) -> tensor<8xi8> {
  %s = arith.constant 3.0 : f32
  %min = arith.constant -129.0 : f32
  %max = arith.constant 127.0 : f32
  %e = tensor.empty() : tensor<8xi8>
  %q = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<8xf32>) outs(%e : tensor<8xi8>) {
  ^bb0(%in: f32, %o: i8):
    %0 = arith.divf %in, %s : f32
    %1 = math.roundeven %0 : f32
    %3 = arith.maximumf %1, %min : f32
    %4 = arith.minimumf %3, %max : f32
    %5 = arith.fptosi %4 : f32 to i8
    linalg.yield %5 : i8
  } -> tensor<8xi8>
  return %q : tensor<8xi8>
}

// -----

#id = affine_map<(i) -> (i)>
// A scale that is not positive.
// CHECK-LABEL: @negative_scale
// CHECK: linalg.generic
func.func @negative_scale(%q: tensor<8xi8>) -> tensor<8xf32> {
  %s = arith.constant -3.0 : f32
  %e = tensor.empty() : tensor<8xf32>
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%q : tensor<8xi8>) outs(%e : tensor<8xf32>) {
  ^bb0(%in: i8, %o: f32):
    %0 = arith.sitofp %in : i8 to f32
    %1 = arith.mulf %0, %s : f32
    linalg.yield %1 : f32
  } -> tensor<8xf32>
  return %y : tensor<8xf32>
}

// -----

#id = affine_map<(i) -> (i)>
// The difference wraps in 8 bits.
// CHECK-LABEL: @narrow_difference
// CHECK: linalg.generic
func.func @narrow_difference(%q: tensor<8xi8>) -> tensor<8xf32> {
  %s = arith.constant 3.0 : f32
  %z = arith.constant 3 : i8
  %e = tensor.empty() : tensor<8xf32>
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%q : tensor<8xi8>) outs(%e : tensor<8xf32>) {
  ^bb0(%in: i8, %o: f32):
    %d = arith.subi %in, %z : i8
    %0 = arith.sitofp %d : i8 to f32
    %1 = arith.mulf %0, %s : f32
    linalg.yield %1 : f32
  } -> tensor<8xf32>
  return %y : tensor<8xf32>
}

// -----

#id = affine_map<(i) -> (i)>
// bf16 holds every difference of two bytes, and the product is rounded once.
// CHECK-LABEL: @bf16_difference
// CHECK: quant.dequantize %{{.*}} zero_point
func.func @bf16_difference(%q: tensor<8xi8>) -> tensor<8xbf16> {
  %s = arith.constant 0.5 : bf16
  %z = arith.constant 7 : i32
  %e = tensor.empty() : tensor<8xbf16>
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%q : tensor<8xi8>) outs(%e : tensor<8xbf16>) {
  ^bb0(%in: i8, %o: bf16):
    %0 = arith.extsi %in : i8 to i32
    %1 = arith.subi %0, %z : i32
    %2 = arith.sitofp %1 : i32 to bf16
    %3 = arith.mulf %2, %s : bf16
    linalg.yield %3 : bf16
  } -> tensor<8xbf16>
  return %y : tensor<8xbf16>
}
