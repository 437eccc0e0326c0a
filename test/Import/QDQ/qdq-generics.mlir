// QuantizeLinear and DequantizeLinear written out as linalg.generic.
// RUN: quant-opt %s -quant-import -split-input-file | FileCheck %s

#id = affine_map<(i, j) -> (i, j)>
// CHECK-LABEL: @quantize
func.func @quantize(%x: tensor<?x8xf32>, %e: tensor<?x8xi8>) -> tensor<?x8xi8> {
  %s = arith.constant 0.5 : f32
  %z = arith.constant -3.0 : f32
  %min = arith.constant -128.0 : f32
  %max = arith.constant 127.0 : f32
  // CHECK: %[[S:.*]] = arith.constant dense<5.000000e-01> : tensor<f32>
  // CHECK: %[[Z:.*]] = arith.constant dense<-3> : tensor<i32>
  // CHECK: quant.quantize %arg0 scale(%[[S]] : tensor<f32>) zero_point(%[[Z]] : tensor<i32>) axes = [] range = [-128, 127] : tensor<?x8xf32> -> tensor<?x8xi8>
  // CHECK-NOT: linalg.generic
  %q = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<?x8xf32>) outs(%e : tensor<?x8xi8>) {
  ^bb0(%in: f32, %o: i8):
    %0 = arith.divf %in, %s : f32
    %1 = math.roundeven %0 : f32
    %2 = arith.addf %1, %z : f32
    %3 = arith.maximumf %2, %min : f32
    %4 = arith.minimumf %3, %max : f32
    %5 = arith.fptosi %4 : f32 to i8
    linalg.yield %5 : i8
  } -> tensor<?x8xi8>
  return %q : tensor<?x8xi8>
}

// -----

#id = affine_map<(i, j) -> (i, j)>
// Parameters that are known at run time only.
// CHECK-LABEL: @quantize_dynamic
func.func @quantize_dynamic(%x: tensor<4x8xf32>, %s: f32, %z: i64) -> tensor<4x8xi8> {
  %e = tensor.empty() : tensor<4x8xi8>
  %min = arith.constant 0.0 : f32
  %max = arith.constant 255.0 : f32
  // CHECK: %[[S:.*]] = tensor.from_elements %arg1 : tensor<f32>
  // CHECK: %[[T:.*]] = arith.trunci %arg2 : i64 to i32
  // CHECK: %[[Z:.*]] = tensor.from_elements %[[T]] : tensor<i32>
  // CHECK: quant.quantize %arg0 scale(%[[S]] : tensor<f32>) zero_point(%[[Z]] : tensor<i32>) axes = [] range = [0, 255] unsigned
  %q = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<4x8xf32>) outs(%e : tensor<4x8xi8>) {
  ^bb0(%in: f32, %o: i8):
    %zf = arith.sitofp %z : i64 to f32
    %0 = arith.divf %in, %s : f32
    %1 = math.roundeven %0 : f32
    %2 = arith.addf %1, %zf : f32
    %3 = arith.maximumf %2, %min : f32
    %4 = arith.minimumf %3, %max : f32
    %5 = arith.fptoui %4 : f32 to i8
    linalg.yield %5 : i8
  } -> tensor<4x8xi8>
  return %q : tensor<4x8xi8>
}

// -----

#id = affine_map<(i, j) -> (i, j)>
#col = affine_map<(i, j) -> (j)>
// Per channel: a float matmul between dequantizing ops becomes an integer one.
// CHECK-LABEL: @per_channel_matmul
func.func @per_channel_matmul(%q: tensor<4x8xi8>, %w: tensor<8x2xi8>) -> tensor<4x2xf32> {
  %zero = arith.constant dense<0.0> : tensor<4x2xf32>
  %sw = arith.constant dense<[0.5, 0.25]> : tensor<2xf32>
  %zw = arith.constant dense<[1, -2]> : tensor<2xi8>
  %sx = arith.constant 0.125 : f32
  %zx = arith.constant 200 : i64
  %ex = tensor.empty() : tensor<4x8xf32>
  %ew = tensor.empty() : tensor<8x2xf32>
  // CHECK-DAG: %[[ZX:.*]] = arith.constant dense<200> : tensor<i32>
  // CHECK-DAG: %[[ZW:.*]] = arith.constant dense<[1, -2]> : tensor<2xi32>
  // CHECK: quant.matmul ins(%arg0, %arg1 : tensor<4x8xi8>, tensor<8x2xi8>) lhs_zero_point(%[[ZX]] : tensor<i32>) rhs_zero_point(%[[ZW]] : tensor<2xi32>) {{.*}} {lhs_unsigned}
  // CHECK: quant.rescale {{.*}} row_scale({{.*}} : tensor<f32>) channel_scale({{.*}} : tensor<2xf32>)
  %x = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%q : tensor<4x8xi8>) outs(%ex : tensor<4x8xf32>) {
  ^bb0(%in: i8, %o: f32):
    %0 = arith.extui %in : i8 to i64
    %1 = arith.subi %0, %zx : i64
    %2 = arith.sitofp %1 : i64 to f32
    %3 = arith.mulf %2, %sx : f32
    linalg.yield %3 : f32
  } -> tensor<4x8xf32>
  %v = linalg.generic {indexing_maps = [#id, #col, #col, #id], iterator_types = ["parallel", "parallel"]} ins(%w, %sw, %zw : tensor<8x2xi8>, tensor<2xf32>, tensor<2xi8>) outs(%ew : tensor<8x2xf32>) {
  ^bb0(%in: i8, %s: f32, %z: i8, %o: f32):
    %0 = arith.extsi %z : i8 to i16
    %1 = arith.extsi %in : i8 to i16
    %2 = arith.subi %1, %0 : i16
    %3 = arith.sitofp %2 : i16 to f32
    %4 = arith.mulf %3, %s : f32
    linalg.yield %4 : f32
  } -> tensor<8x2xf32>
  %y = linalg.matmul ins(%x, %v : tensor<4x8xf32>, tensor<8x2xf32>) outs(%zero : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %y : tensor<4x2xf32>
}

// -----

#id = affine_map<(i, j) -> (i, j)>
// torch subtracts the zero point after the conversion, as a float.
// CHECK-LABEL: @float_zero_point
func.func @float_zero_point(%q: tensor<4x8xi8>) -> tensor<4x8xf32> {
  %s = arith.constant 0.5 : f32
  %z = arith.constant 131.0 : f32
  %e = tensor.empty() : tensor<4x8xf32>
  // CHECK: %[[S:.*]] = arith.constant dense<5.000000e-01> : tensor<f32>
  // CHECK: %[[Z:.*]] = arith.constant dense<131> : tensor<i32>
  // CHECK: quant.dequantize %arg0 scale(%[[S]] : tensor<f32>) zero_point(%[[Z]] : tensor<i32>) axes = [] unsigned : tensor<4x8xi8> -> tensor<4x8xf32>
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%q : tensor<4x8xi8>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%in: i8, %o: f32):
    %0 = arith.uitofp %in : i8 to f32
    %1 = arith.subf %0, %z : f32
    %2 = arith.mulf %1, %s : f32
    linalg.yield %2 : f32
  } -> tensor<4x8xf32>
  return %y : tensor<4x8xf32>
}

// -----

#id = affine_map<(i, j) -> (i, j)>
#col = affine_map<(i, j) -> (j)>
// A program of f16: differences and products are exact before their rounding.
// CHECK-LABEL: @half
func.func @half(%q: tensor<4x2xi8>) -> tensor<4x2xf16> {
  %s = arith.constant dense<[0.25, 3.332520e-01]> : tensor<2xf16>
  %z = arith.constant dense<[1, -2]> : tensor<2xi8>
  %e = tensor.empty() : tensor<4x2xf16>
  // CHECK-DAG: %[[S:.*]] = arith.constant dense<[2.500000e-01, 0.333251953]> : tensor<2xf32>
  // CHECK-DAG: %[[Z:.*]] = arith.constant dense<[1, -2]> : tensor<2xi32>
  // CHECK: quant.dequantize %arg0 scale(%[[S]] : tensor<2xf32>) zero_point(%[[Z]] : tensor<2xi32>) axes = [1] : tensor<4x2xi8> -> tensor<4x2xf16>
  %y = linalg.generic {indexing_maps = [#id, #col, #col, #id], iterator_types = ["parallel", "parallel"]} ins(%q, %s, %z : tensor<4x2xi8>, tensor<2xf16>, tensor<2xi8>) outs(%e : tensor<4x2xf16>) {
  ^bb0(%in: i8, %scale: f16, %zero: i8, %o: f16):
    %0 = arith.extsi %in : i8 to i32
    %1 = arith.extsi %zero : i8 to i32
    %2 = arith.subi %0, %1 : i32
    %3 = arith.sitofp %2 : i32 to f16
    %4 = arith.mulf %3, %scale : f16
    linalg.yield %4 : f16
  } -> tensor<4x2xf16>
  return %y : tensor<4x2xf16>
}

// -----

#id = affine_map<(i, j) -> (i, j)>
// torch-mlir keeps the product of the scales as f64.
// CHECK-LABEL: @rescale
func.func @rescale(%acc: tensor<4x8xi32>) -> tensor<4x8xf32> {
  %s = arith.constant 0.1 : f64
  %e = tensor.empty() : tensor<4x8xf32>
  // CHECK: %[[S:.*]] = arith.constant dense<1.000000e-01> : tensor<f32>
  // CHECK: quant.rescale %arg0 channel_scale(%[[S]] : tensor<f32>) : tensor<4x8xi32> -> tensor<4x8xf32>
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%acc : tensor<4x8xi32>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%in: i32, %o: f32):
    %t = arith.truncf %s : f64 to f32
    %0 = arith.sitofp %in : i32 to f32
    %1 = arith.mulf %0, %t : f32
    linalg.yield %1 : f32
  } -> tensor<4x8xf32>
  return %y : tensor<4x8xf32>
}

// -----

#id = affine_map<(i, j) -> (i, j)>
// Unsigned activations that were made signed for linalg.quantized_matmul.
// CHECK-LABEL: @sign_shift
func.func @sign_shift(%q: tensor<4x8xi8>, %w: tensor<8x2xi8>, %init: tensor<4x2xi32>) -> tensor<4x2xi32> {
  %c = arith.constant -128 : i8
  %zx = arith.constant -15 : i32
  %zw = arith.constant 0 : i32
  %e = tensor.empty() : tensor<4x8xi8>
  // CHECK: %[[Z:.*]] = arith.constant dense<113> : tensor<i32>
  // CHECK: quant.matmul ins(%arg0, %arg1 : tensor<4x8xi8>, tensor<8x2xi8>) lhs_zero_point(%[[Z]] : tensor<i32>) outs(%arg2 : tensor<4x2xi32>) {lhs_unsigned}
  // CHECK-NOT: linalg.generic
  %s = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%q : tensor<4x8xi8>) outs(%e : tensor<4x8xi8>) {
  ^bb0(%in: i8, %o: i8):
    %0 = arith.addi %in, %c : i8
    linalg.yield %0 : i8
  } -> tensor<4x8xi8>
  %y = linalg.quantized_matmul ins(%s, %w, %zx, %zw : tensor<4x8xi8>, tensor<8x2xi8>, i32, i32) outs(%init : tensor<4x2xi32>) -> tensor<4x2xi32>
  return %y : tensor<4x2xi32>
}

// -----

#id = affine_map<(i, j) -> (i, j)>
// A constant that is brought to a grid and never becomes integers: round(0.3 /
// 0.05) + 3 is 9 (the first state of an unrolled recurrent net is such a one).
// CHECK-LABEL: @constant_on_grid
func.func @constant_on_grid(%x: tensor<8x4xf32>) -> tensor<2x4xf32> {
  %c = arith.constant dense<0.3> : tensor<2x8xf32>
  %s = arith.constant 0.05 : f32
  %three = arith.constant 3.0 : f32
  %lo = arith.constant -128.0 : f32
  %hi = arith.constant 127.0 : f32
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<2x8xf32>
  // -7 is the bits of 9.
  // CHECK-DAG: %[[Q:.*]] = arith.constant dense<-7> : tensor<2x8xi4>
  // CHECK-DAG: %[[Z:.*]] = arith.constant dense<3> : tensor<i32>
  // CHECK: quant.dequantize %[[Q]] {{.*}} zero_point(%[[Z]] : tensor<i32>) axes = [] unsigned
  %d = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%c : tensor<2x8xf32>) outs(%e : tensor<2x8xf32>) {
  ^bb0(%in: f32, %o: f32):
    %0 = arith.divf %in, %s : f32
    %1 = math.roundeven %0 : f32
    %2 = arith.addf %1, %three : f32
    %3 = arith.maximumf %2, %lo : f32
    %4 = arith.minimumf %3, %hi : f32
    %5 = arith.subf %4, %three : f32
    %6 = arith.mulf %5, %s : f32
    linalg.yield %6 : f32
  } -> tensor<2x8xf32>
  %ye = tensor.empty() : tensor<2x4xf32>
  %init = linalg.fill ins(%zero : f32) outs(%ye : tensor<2x4xf32>) -> tensor<2x4xf32>
  %y = linalg.matmul ins(%d, %x : tensor<2x8xf32>, tensor<8x4xf32>) outs(%init : tensor<2x4xf32>) -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// -----

#id = affine_map<(i, j) -> (i, j)>
// Bounds before rounding (LSQ), and no conversion to integers.
// CHECK-LABEL: @bounds_before_rounding
func.func @bounds_before_rounding(%x: tensor<2x8xf32>) -> tensor<2x8xf32> {
  %s = arith.constant 0.05 : f32
  %lo = arith.constant -8.0 : f32
  %hi = arith.constant 7.0 : f32
  %e = tensor.empty() : tensor<2x8xf32>
  // CHECK: %[[Q:.*]] = quant.quantize %arg0 {{.*}} range = [-8, 7]
  // CHECK: quant.dequantize %[[Q]]
  %d = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<2x8xf32>) outs(%e : tensor<2x8xf32>) {
  ^bb0(%in: f32, %o: f32):
    %0 = arith.divf %in, %s : f32
    %1 = arith.maximumf %0, %lo : f32
    %2 = arith.minimumf %1, %hi : f32
    %3 = math.roundeven %2 : f32
    %4 = arith.mulf %3, %s : f32
    linalg.yield %4 : f32
  } -> tensor<2x8xf32>
  return %d : tensor<2x8xf32>
}
