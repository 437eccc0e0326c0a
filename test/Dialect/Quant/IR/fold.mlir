// RUN: quant-opt %s -canonicalize -split-input-file | FileCheck %s

// Constants are evaluated at compile time, by the scalar oracle.

// The first worked example, in both widths. The product of the two scales is
// rounded to f32 before it multiplies: 0.01 and 0.52 to f32's seven digits.
// CHECK-LABEL: @worked_example_vectors
// CHECK-DAG: arith.constant dense<[5, -2]> : tensor<2xi8>
// CHECK-DAG: arith.constant dense<[8, -6]> : tensor<2xi8>
// CHECK-DAG: arith.constant dense<[5, -2]> : tensor<2xi4>
// CHECK-DAG: arith.constant dense<[7, -6]> : tensor<2xi4>
// CHECK-DAG: arith.constant dense<0.520000041> : tensor<1xf32>
// CHECK-NOT: quant.
func.func @worked_example_vectors() -> (tensor<2xi8>, tensor<2xi8>, tensor<2xi4>, tensor<2xi4>, tensor<1xf32>) {
  %x = arith.constant dense<[0.5, -0.2]> : tensor<2xf32>
  %w = arith.constant dense<[0.8, -0.6]> : tensor<2xf32>
  %s = arith.constant dense<0.1> : tensor<f32>
  %acc = arith.constant dense<52> : tensor<1xi32>
  %qx = quant.quantize %x scale(%s : tensor<f32>) axes = [] range = [-128, 127] : tensor<2xf32> -> tensor<2xi8>
  %qw = quant.quantize %w scale(%s : tensor<f32>) axes = [] range = [-128, 127] : tensor<2xf32> -> tensor<2xi8>
  %qx4 = quant.quantize %x scale(%s : tensor<f32>) axes = [] range = [-8, 7] : tensor<2xf32> -> tensor<2xi4>
  %qw4 = quant.quantize %w scale(%s : tensor<f32>) axes = [] range = [-8, 7] : tensor<2xf32> -> tensor<2xi4>
  %y = quant.rescale %acc row_scale(%s : tensor<f32>) channel_scale(%s : tensor<f32>) : tensor<1xi32> -> tensor<1xf32>
  return %qx, %qw, %qx4, %qw4, %y : tensor<2xi8>, tensor<2xi8>, tensor<2xi4>, tensor<2xi4>, tensor<1xf32>
}

// -----

// The second worked example: int8, int4 packed and unpacked, and Y.
// CHECK-LABEL: @worked_example_matrices
// CHECK-DAG: arith.constant dense<{{\[\[}}3, -2, 1], [-5, 4, 2]]> : tensor<2x3xi8>
// CHECK-DAG: arith.constant dense<{{\[\[}}6, -1, 3], [-4, 7, -2]]> : tensor<2x3xi8>
// CHECK-DAG: arith.constant dense<{{\[\[}}6, -1, 3], [-4, 7, -2]]> : tensor<2x3xi4>
// CHECK-DAG: arith.constant dense<{{\[\[}}-10, 3], [124, 14]]> : tensor<2x2xi8>
// CHECK-DAG: arith.constant dense<{{\[\[}}0.230000019, -0.280000031], [-0.280000031, 0.440000027]]> : tensor<2x2xf32>
// CHECK-NOT: quant.
func.func @worked_example_matrices() -> (tensor<2x3xi8>, tensor<2x3xi8>, tensor<2x2xi8>, tensor<2x3xi4>, tensor<2x2xf32>) {
  %x = arith.constant dense<[[0.3, -0.2, 0.1], [-0.5, 0.4, 0.2]]> : tensor<2x3xf32>
  %w = arith.constant dense<[[0.6, -0.1, 0.3], [-0.4, 0.7, -0.2]]> : tensor<2x3xf32>
  %s = arith.constant dense<0.1> : tensor<f32>
  %sw = arith.constant dense<0.1> : tensor<2xf32>
  %acc = arith.constant dense<[[23, -28], [-28, 44]]> : tensor<2x2xi32>
  %qx = quant.quantize %x scale(%s : tensor<f32>) axes = [] range = [-128, 127] : tensor<2x3xf32> -> tensor<2x3xi8>
  %qw = quant.quantize %w scale(%sw : tensor<2xf32>) axes = [0] range = [-128, 127] : tensor<2x3xf32> -> tensor<2x3xi8>
  %qw4 = quant.quantize %w scale(%sw : tensor<2xf32>) axes = [0] range = [-8, 7] : tensor<2x3xf32> -> tensor<2x3xi4>
  %p = quant.pack_int4 %qw4 : tensor<2x3xi4> -> tensor<2x2xi8>
  %u = quant.unpack_int4 %p : tensor<2x2xi8> -> tensor<2x3xi4>
  %y = quant.rescale %acc row_scale(%s : tensor<f32>) channel_scale(%sw : tensor<2xf32>) : tensor<2x2xi32> -> tensor<2x2xf32>
  return %qx, %qw, %p, %u, %y : tensor<2x3xi8>, tensor<2x3xi8>, tensor<2x2xi8>, tensor<2x3xi4>, tensor<2x2xf32>
}

// -----

// Ties go to even, before the zero point is added; what is out of range is cut
// off; +inf, -inf and NaN are qmax, qmin and the zero point.
// CHECK-LABEL: @quantize_edges
// CHECK-DAG: arith.constant dense<[2, 4, -2, 0, 0, 127, -128, 127, -128, 0]> : tensor<10xi8>
// CHECK-DAG: arith.constant dense<[-125, -123, -127, -127, -127, 127, -128, 127, -128, -127]> : tensor<10xi8>
func.func @quantize_edges() -> (tensor<10xi8>, tensor<10xi8>) {
  %x = arith.constant dense<[2.5, 3.5, -2.5, 0.5, -0.5, 127.5, -129.0, 0x7F800000, 0xFF800000, 0x7FC00000]> : tensor<10xf32>
  %s = arith.constant dense<1.0> : tensor<f32>
  %z = arith.constant dense<-127> : tensor<i32>
  %0 = quant.quantize %x scale(%s : tensor<f32>) axes = [] range = [-128, 127] : tensor<10xf32> -> tensor<10xi8>
  %x1 = arith.constant dense<[2.5, 3.5, 0.5, -0.5, 0.5, 254.0, -129.0, 0x7F800000, 0xFF800000, 0x7FC00000]> : tensor<10xf32>
  %1 = quant.quantize %x1 scale(%s : tensor<f32>) zero_point(%z : tensor<i32>) axes = [] range = [-128, 127] : tensor<10xf32> -> tensor<10xi8>
  return %0, %1 : tensor<10xi8>, tensor<10xi8>
}

// -----

// A division, not a product with the reciprocal: 0.35 / 0.1 is a tie in f32.
// 200 is stored as the bits of -56.
// CHECK-LABEL: @quantize_division_and_unsigned
// CHECK-DAG: arith.constant dense<[2, 4, 4]> : tensor<3xi8>
// CHECK-DAG: arith.constant dense<[-56, 0, -1]> : tensor<3xi8>
func.func @quantize_division_and_unsigned() -> (tensor<3xi8>, tensor<3xi8>) {
  %x = arith.constant dense<[0.25, 0.35, 0.45]> : tensor<3xf32>
  %s = arith.constant dense<0.1> : tensor<f32>
  %0 = quant.quantize %x scale(%s : tensor<f32>) axes = [] range = [-128, 127] : tensor<3xf32> -> tensor<3xi8>
  %x1 = arith.constant dense<[7.2, -30.0, 12.7]> : tensor<3xf32>
  %z = arith.constant dense<128> : tensor<i32>
  %1 = quant.quantize %x1 scale(%s : tensor<f32>) zero_point(%z : tensor<i32>) axes = [] range = [0, 255] unsigned : tensor<3xf32> -> tensor<3xi8>
  return %0, %1 : tensor<3xi8>, tensor<3xi8>
}

// -----

// A scale for each index of two dimensions that are not neighbours.
// CHECK-LABEL: @quantize_axes
// CHECK: arith.constant dense<{{\[\[\[}}12, 6], [12, 6]], {{\[\[}}4, 3], [4, 3]]]> : tensor<2x2x2xi8>
func.func @quantize_axes() -> tensor<2x2x2xi8> {
  %x = arith.constant dense<12.0> : tensor<2x2x2xf32>
  %s = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %0 = quant.quantize %x scale(%s : tensor<2x2xf32>) axes = [0, 2] range = [-128, 127] : tensor<2x2x2xf32> -> tensor<2x2x2xi8>
  return %0 : tensor<2x2x2xi8>
}

// -----

// f16 and bf16 are extended first; rank 0 and empty tensors are tensors too.
// CHECK-LABEL: @quantize_types_and_shapes
// CHECK-DAG: arith.constant dense<[2, -2]> : tensor<2xi8>
// CHECK-DAG: arith.constant dense<3> : tensor<i4>
// CHECK-DAG: arith.constant dense<> : tensor<0x3xi8>
// CHECK-DAG: arith.constant dense<> : tensor<3x0xi4>
func.func @quantize_types_and_shapes() -> (tensor<2xi8>, tensor<i4>, tensor<0x3xi8>, tensor<3x0xi4>) {
  %s = arith.constant dense<1.0> : tensor<f32>
  %h = arith.constant dense<[2.5, -2.5]> : tensor<2xf16>
  %0 = quant.quantize %h scale(%s : tensor<f32>) axes = [] range = [-128, 127] : tensor<2xf16> -> tensor<2xi8>
  %b = arith.constant dense<3.0> : tensor<bf16>
  %1 = quant.quantize %b scale(%s : tensor<f32>) axes = [] range = [-8, 7] : tensor<bf16> -> tensor<i4>
  %e = arith.constant dense<> : tensor<0x3xf32>
  %2 = quant.quantize %e scale(%s : tensor<f32>) axes = [] range = [-8, 7] : tensor<0x3xf32> -> tensor<0x3xi8>
  %f = arith.constant dense<> : tensor<3x0xf32>
  %3 = quant.quantize %f scale(%s : tensor<f32>) axes = [] range = [-8, 7] : tensor<3x0xf32> -> tensor<3x0xi4>
  return %0, %1, %2, %3 : tensor<2xi8>, tensor<i4>, tensor<0x3xi8>, tensor<3x0xi4>
}

// -----

// A resource is quantized into a dense constant when the result is small, and
// dequantized never into a large one.
// CHECK-LABEL: @quantize_resource
// CHECK: arith.constant dense<[1, -1]> : tensor<2xi8>
func.func @quantize_resource() -> tensor<2xi8> {
  %x = arith.constant dense_resource<one> : tensor<2xf32>
  %s = arith.constant dense<1.0> : tensor<f32>
  %0 = quant.quantize %x scale(%s : tensor<f32>) axes = [] range = [-128, 127] : tensor<2xf32> -> tensor<2xi8>
  return %0 : tensor<2xi8>
}

{-#
  dialect_resources: {
    builtin: {
      one: "0x040000000000803F000080BF"
    }
  }
#-}

// -----

// A resource whose blob is missing has no values: nothing folds.
// CHECK-LABEL: @negative_missing_blob
// CHECK: quant.choose_qparams
// CHECK: quant.quantize
// CHECK: quant.pack_int4
// CHECK: quant.dequantize
func.func @negative_missing_blob() -> (tensor<2xi8>, tensor<1xi8>, tensor<2xf32>) {
  %x = arith.constant dense_resource<missing_f32> : tensor<2xf32>
  %q = arith.constant dense_resource<missing_i4> : tensor<2xi4>
  %s = quant.choose_qparams %x axes = [] range = [-8, 7] : tensor<2xf32> -> tensor<f32>
  %0 = quant.quantize %x scale(%s : tensor<f32>) axes = [] range = [-128, 127] : tensor<2xf32> -> tensor<2xi8>
  %1 = quant.pack_int4 %q : tensor<2xi4> -> tensor<1xi8>
  %2 = quant.dequantize %q scale(%s : tensor<f32>) axes = [] : tensor<2xi4> -> tensor<2xf32>
  return %0, %1, %2 : tensor<2xi8>, tensor<1xi8>, tensor<2xf32>
}

// -----

// max|x| / qmax, and all zeros or no finite element give 1.
// CHECK-LABEL: @choose_symmetric
// CHECK-DAG: arith.constant dense<[2.000000e+00, 1.000000e+00, 1.000000e+00, 5.000000e-01]> : tensor<4xf32>
// CHECK-DAG: arith.constant dense<0.111023627> : tensor<f32>
func.func @choose_symmetric() -> (tensor<4xf32>, tensor<f32>) {
  %x = arith.constant dense<[[14.0, -3.0], [0.0, -0.0], [0x7FC00000, 0xFF800000], [0x7F800000, -3.5]]> : tensor<4x2xf32>
  %0 = quant.choose_qparams %x axes = [0] range = [-8, 7] : tensor<4x2xf32> -> tensor<4xf32>
  %y = arith.constant dense<[[14.1, -3.0]]> : tensor<1x2xf32>
  %1 = quant.choose_qparams %y axes = [] range = [-127, 127] : tensor<1x2xf32> -> tensor<f32>
  return %0, %1 : tensor<4xf32>, tensor<f32>
}

// -----

// ONNX DynamicQuantizeLinear: the range holds 0, the zero point is rounded and
// cut off. The last width overflows f32.
// CHECK-LABEL: @choose_asymmetric
// CHECK-DAG: arith.constant dense<[0.0196078438, 0.0117647061, 1.000000e+00, 1.33444058E+36]> : tensor<4xf32>
// CHECK-DAG: arith.constant dense<[153, 0, 0, 225]> : tensor<4xi32>
func.func @choose_asymmetric() -> (tensor<4xf32>, tensor<4xi32>) {
  %x = arith.constant dense<[[-3.0, 2.0], [1.0, 3.0], [0.0, 0x7FC00000], [-3.0e38, 3.0e38]]> : tensor<4x2xf32>
  %0, %1 = quant.choose_qparams %x axes = [0] range = [0, 255] : tensor<4x2xf32> -> tensor<4xf32>, tensor<4xi32>
  return %0, %1 : tensor<4xf32>, tensor<4xi32>
}

// -----

// The whole chain from a float weight.
// CHECK-LABEL: @choose_then_quantize
// CHECK-NEXT: arith.constant dense<{{\[\[}}127, -64], [-127, 32]]> : tensor<2x2xi8>
// CHECK-NEXT: return
func.func @choose_then_quantize() -> tensor<2x2xi8> {
  %w = arith.constant dense<[[1.0, -0.5], [-4.0, 1.0]]> : tensor<2x2xf32>
  %s = quant.choose_qparams %w axes = [0] range = [-127, 127] : tensor<2x2xf32> -> tensor<2xf32>
  %0 = quant.quantize %w scale(%s : tensor<2xf32>) axes = [0] range = [-128, 127] : tensor<2x2xf32> -> tensor<2x2xi8>
  return %0 : tensor<2x2xi8>
}

// -----

// CHECK-LABEL: @dequantize
// CHECK-DAG: arith.constant dense<[1.270000e+02, -1.280000e+02, 0.000000e+00]> : tensor<3xf32>
// CHECK-DAG: arith.constant dense<[-1.000000e+00, 1.270000e+02, -1.280000e+02]> : tensor<3xf16>
// CHECK-DAG: arith.constant dense<[3.500000e+00, -4.000000e+00]> : tensor<2xf32>
// CHECK-DAG: arith.constant dense<[3.500000e+00, 4.000000e+00]> : tensor<2xf32>
func.func @dequantize() -> (tensor<3xf32>, tensor<3xf16>, tensor<2xf32>, tensor<2xf32>) {
  %q = arith.constant dense<[127, -128, 0]> : tensor<3xi8>
  %q4 = arith.constant dense<[7, -8]> : tensor<2xi4>
  %one = arith.constant dense<1.0> : tensor<f32>
  %half = arith.constant dense<0.5> : tensor<f32>
  %z = arith.constant dense<128> : tensor<i32>
  %0 = quant.dequantize %q scale(%one : tensor<f32>) axes = [] : tensor<3xi8> -> tensor<3xf32>
  // The bits of -128 are 128, the zero point, when they are read as unsigned.
  %q1 = arith.constant dense<[127, -1, 0]> : tensor<3xi8>
  %1 = quant.dequantize %q1 scale(%one : tensor<f32>) zero_point(%z : tensor<i32>) axes = [] unsigned : tensor<3xi8> -> tensor<3xf16>
  %2 = quant.dequantize %q4 scale(%half : tensor<f32>) axes = [] : tensor<2xi4> -> tensor<2xf32>
  %3 = quant.dequantize %q4 scale(%half : tensor<f32>) axes = [] unsigned : tensor<2xi4> -> tensor<2xf32>
  return %0, %1, %2, %3 : tensor<3xf32>, tensor<3xf16>, tensor<2xf32>, tensor<2xf32>
}

// -----

// A float copy of a weight is never stored: 257 floats are more than 1 KiB.
// CHECK-LABEL: @negative_dequantize_large
// CHECK: quant.dequantize
func.func @negative_dequantize_large() -> tensor<257xf32> {
  %q = arith.constant dense<1> : tensor<257xi8>
  %s = arith.constant dense<1.0> : tensor<f32>
  %0 = quant.dequantize %q scale(%s : tensor<f32>) axes = [] : tensor<257xi8> -> tensor<257xf32>
  return %0 : tensor<257xf32>
}

// -----

// Biases, scales of both kinds and clamps, in this order. 16777217 is not an
// f32. The i32 bias wraps.
// CHECK-LABEL: @rescale_float
// CHECK-DAG: arith.constant dense<{{\[\[}}1.500000e+00, -1.000000e+00], [6.000000e+00, -5.000000e+00]]> : tensor<2x2xf32>
// CHECK-DAG: arith.constant dense<[0x4B800000, -2.14748365E+9]> : tensor<2xf32>
// CHECK-DAG: arith.constant dense<{{\[\[}}1.125000e+00, 0.000000e+00], [6.000000e+00, 4.000000e+00]]> : tensor<2x2xf32>
func.func @rescale_float() -> (tensor<2x2xf32>, tensor<2xf32>, tensor<2x2xf32>) {
  %acc = arith.constant dense<[[2, -4], [100, -12]]> : tensor<2x2xi32>
  %row = arith.constant dense<[0.5, 1.0]> : tensor<2xf32>
  %channel = arith.constant dense<[1.0, 0.5]> : tensor<2xf32>
  %bias = arith.constant dense<[0.5, 0.0]> : tensor<2xf32>
  %0 = quant.rescale %acc row_scale(%row : tensor<2xf32>) channel_scale(%channel : tensor<2xf32>) bias(%bias : tensor<2xf32>)
      {clamp_min = -5.0 : f32, clamp_max = 6.0 : f32} : tensor<2x2xi32> -> tensor<2x2xf32>
  %big = arith.constant dense<[16777216, 2147483647]> : tensor<2xi32>
  %one = arith.constant dense<1> : tensor<2xi32>
  %s = arith.constant dense<1.0> : tensor<f32>
  %1 = quant.rescale %big row_scale(%s : tensor<f32>) bias(%one : tensor<2xi32>) : tensor<2xi32> -> tensor<2xf32>
  // A residual comes before the clamp.
  %residual = arith.constant dense<[[-0.375, 1.0], [-40.0, 10.0]]> : tensor<2x2xf32>
  %2 = quant.rescale %acc row_scale(%row : tensor<2xf32>) channel_scale(%channel : tensor<2xf32>) bias(%bias : tensor<2xf32>)
      residual(%residual : tensor<2x2xf32>) {clamp_min = -5.0 : f32, clamp_max = 6.0 : f32} : tensor<2x2xi32> -> tensor<2x2xf32>
  return %0, %1, %2 : tensor<2x2xf32>, tensor<2xf32>, tensor<2x2xf32>
}

// -----

// Ties to even, then the zero point, then the range.
// CHECK-LABEL: @rescale_integer
// CHECK-DAG: arith.constant dense<[-1, -1, -3, -5, -1, -128]> : tensor<6xi8>
// CHECK-DAG: arith.constant dense<[0, 2, -2, -4, 7, -8]> : tensor<6xi4>
func.func @rescale_integer() -> (tensor<6xi8>, tensor<6xi4>) {
  %acc = arith.constant dense<[1, 3, -3, -7, 1000, -1000]> : tensor<6xi32>
  %s = arith.constant dense<0.5> : tensor<f32>
  %0 = quant.rescale %acc channel_scale(%s : tensor<f32>) {zero_point = -1 : i32, range = array<i64: -128, 127>, clamp_max = 0.0 : f32} : tensor<6xi32> -> tensor<6xi8>
  %1 = quant.rescale %acc channel_scale(%s : tensor<f32>) {range = array<i64: -8, 7>} : tensor<6xi32> -> tensor<6xi4>
  return %0, %1 : tensor<6xi8>, tensor<6xi4>
}

// -----

// Samples of the vectors of Arm's TOSA reference model (SINGLE_ROUND).
// CHECK-LABEL: @fixed_point_single
// CHECK: arith.constant dense<{{\[\[}}-10, -10, -10, -11, -11, -11], [-25, -11, -72, -85, -122, -58], [-8, -8, -8, -9, -9, -9]]> : tensor<3x6xi8>
func.func @fixed_point_single() -> tensor<3x6xi8> {
  %acc = arith.constant dense<[[-2460, -2775, -570, -5760, -1140, -3345], [-7124, -2948, -5329, -63157, -17988, -24386], [-1804, -2035, -418, -4224, -836, -2453]]> : tensor<3x6xi32>
  %m = arith.constant dense<[1673132315, 1481947659, 1792394326, 1433319733, 1817264442, 1234869952]> : tensor<6xi32>
  %s = arith.constant dense<[39, 39, 37, 40, 38, 39]> : tensor<6xi8>
  %0 = quant.rescale_fixed_point %acc multiplier(%m : tensor<6xi32>) shift(%s : tensor<6xi8>) rounding(SINGLE_ROUND)
      {output_zero_point = -3 : i32, range = array<i64: -128, 127>} : tensor<3x6xi32> -> tensor<3x6xi8>
  return %0 : tensor<3x6xi8>
}

// -----

// CHECK-LABEL: @fixed_point_double
// CHECK: arith.constant dense<{{\[\[}}-2, -2, -3, -3, -2, -3], [79, 35, 38, -51, -52, -72], [0, 0, -1, -1, 0, -1]]> : tensor<3x6xi8>
func.func @fixed_point_double() -> tensor<3x6xi8> {
  %acc = arith.constant dense<[[-100005, -495, -3810, -4050, -45, -99690], [988264, 2016, 16844, -30254, -358, -1024597], [-73337, -363, -2794, -2970, -33, -73106]]> : tensor<3x6xi32>
  %m = arith.constant dense<[1319268041, 2070386166, 1084178743, 2038337375, 1372643755, 1323550636]> : tensor<6xi32>
  %s = arith.constant dense<[44, 37, 39, 40, 33, 44]> : tensor<6xi8>
  %0 = quant.rescale_fixed_point %acc multiplier(%m : tensor<6xi32>) shift(%s : tensor<6xi8>) rounding(DOUBLE_ROUND)
      {output_zero_point = 5 : i32, range = array<i64: -128, 127>} : tensor<3x6xi32> -> tensor<3x6xi8>
  return %0 : tensor<3x6xi8>
}

// -----

// (acc + bias - input zero point), wrapping; results of 4, 16 and 32 bits. The
// last sum is 2^31, which wraps.
// CHECK-LABEL: @fixed_point_types
// CHECK-DAG: arith.constant dense<[2, -8, 7]> : tensor<3xi4>
// CHECK-DAG: arith.constant dense<[3, -500, 1073]> : tensor<3xi16>
// CHECK-DAG: arith.constant dense<[2, -501, -1073741824]> : tensor<3xi32>
func.func @fixed_point_types() -> (tensor<3xi4>, tensor<3xi16>, tensor<3xi32>) {
  %acc = arith.constant dense<[1, -1005, 1000000000]> : tensor<3xi32>
  %wrap = arith.constant dense<[1, -1005, 2147483645]> : tensor<3xi32>
  %b = arith.constant dense<[4, 4, 4]> : tensor<3xi32>
  %half = arith.constant dense<1073741824> : tensor<i32>
  %s = arith.constant dense<31> : tensor<i8>
  %0 = quant.rescale_fixed_point %acc multiplier(%half : tensor<i32>) shift(%s : tensor<i8>) rounding(SINGLE_ROUND)
      bias(%b : tensor<3xi32>) {input_zero_point = 1 : i32, range = array<i64: -8, 7>} : tensor<3xi32> -> tensor<3xi4>
  %1 = quant.rescale_fixed_point %acc multiplier(%half : tensor<i32>) shift(%s : tensor<i8>) rounding(SINGLE_ROUND)
      bias(%b : tensor<3xi32>) {range = array<i64: -1073, 1073>} : tensor<3xi32> -> tensor<3xi16>
  %2 = quant.rescale_fixed_point %wrap multiplier(%half : tensor<i32>) shift(%s : tensor<i8>) rounding(SINGLE_ROUND)
      bias(%b : tensor<3xi32>) {input_zero_point = 1 : i32, range = array<i64: -2147483648, 2147483647>} : tensor<3xi32> -> tensor<3xi32>
  return %0, %1, %2 : tensor<3xi4>, tensor<3xi16>, tensor<3xi32>
}

// -----

// An odd row ends with a high nibble 0; unpacking a large constant would undo
// its storage.
// CHECK-LABEL: @int4
// CHECK-DAG: arith.constant dense<{{\[\[}}-113, -8, 7], [33, 67, 5]]> : tensor<2x3xi8>
// CHECK-DAG: arith.constant dense<{{\[\[}}-1, -8, 7], [1, 2, 3]]> : tensor<2x3xi4>
func.func @int4() -> (tensor<2x3xi8>, tensor<2x3xi4>) {
  %q = arith.constant dense<[[-1, -8, -8, -1, 7], [1, 2, 3, 4, 5]]> : tensor<2x5xi4>
  %0 = quant.pack_int4 %q : tensor<2x5xi4> -> tensor<2x3xi8>
  %p = arith.constant dense<[[-113, 119], [33, -13]]> : tensor<2x2xi8>
  %1 = quant.unpack_int4 %p : tensor<2x2xi8> -> tensor<2x3xi4>
  return %0, %1 : tensor<2x3xi8>, tensor<2x3xi4>
}

// -----

// CHECK-LABEL: @int2
// CHECK-DAG: arith.constant dense<{{\[\[}}27, 1], [-28, 2]]> : tensor<2x2xi8>
// CHECK-DAG: arith.constant dense<{{\[\[}}-1, -2, 1, 0, 1], [0, 1, -2, -1, -1]]> : tensor<2x5xi2>
func.func @int2() -> (tensor<2x2xi8>, tensor<2x5xi2>) {
  %q = arith.constant dense<[[-1, -2, 1, 0, 1], [0, 1, -2, -1, -2]]> : tensor<2x5xi2>
  %0 = quant.pack_int2 %q : tensor<2x5xi2> -> tensor<2x2xi8>
  %p = arith.constant dense<[[27, -3], [-28, 7]]> : tensor<2x2xi8>
  %1 = quant.unpack_int2 %p : tensor<2x2xi8> -> tensor<2x5xi2>
  return %0, %1 : tensor<2x2xi8>, tensor<2x5xi2>
}

// -----

// CHECK-LABEL: @negative_unpack_large
// CHECK: quant.unpack_int4
// CHECK: quant.unpack_int2
func.func @negative_unpack_large() -> (tensor<1025xi4>, tensor<1025xi2>) {
  %u = arith.constant dense<3> : tensor<257xi8>
  %p = arith.constant dense<3> : tensor<513xi8>
  %0 = quant.unpack_int4 %p : tensor<513xi8> -> tensor<1025xi4>
  %1 = quant.unpack_int2 %u : tensor<257xi8> -> tensor<1025xi2>
  return %0, %1 : tensor<1025xi4>, tensor<1025xi2>
}

// -----

// A splat can be larger than any memory: it is left alone.
// CHECK-LABEL: @negative_huge_splat
// CHECK: quant.choose_qparams
// CHECK: quant.quantize
// CHECK: quant.pack_int4
func.func @negative_huge_splat() -> (tensor<1000000x1000000xi8>, tensor<1000000x500000xi8>) {
  %x = arith.constant dense<0.5> : tensor<1000000x1000000xf32>
  %q = arith.constant dense<1> : tensor<1000000x1000000xi4>
  %s = quant.choose_qparams %x axes = [] range = [-8, 7] : tensor<1000000x1000000xf32> -> tensor<f32>
  %0 = quant.quantize %x scale(%s : tensor<f32>) axes = [] range = [-128, 127] : tensor<1000000x1000000xf32> -> tensor<1000000x1000000xi8>
  %1 = quant.pack_int4 %q : tensor<1000000x1000000xi4> -> tensor<1000000x500000xi8>
  return %0, %1 : tensor<1000000x1000000xi8>, tensor<1000000x500000xi8>
}
