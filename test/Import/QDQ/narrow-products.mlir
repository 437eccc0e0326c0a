// RUN: quant-opt %s --quant-import | FileCheck %s

// What is computed in f16 or bf16, then widened, is scale * (q - zero point)
// where no step of it is rounded: else it is the numbers that the steps give.

#id = affine_map<(a, b) -> (a, b)>

// Two exact factors.
// CHECK-LABEL: func @halved_twice
// CHECK: %[[S:.*]] = arith.constant dense<2.500000e-01> : tensor<f32>
// CHECK: quant.dequantize %{{.*}} scale(%[[S]]
func.func @halved_twice(%x: tensor<2x2xf32>) -> tensor<2x2xf32> {
  %w = arith.constant dense<[[127, 1], [-3, 5]]> : tensor<2x2xi8>
  %zero = arith.constant dense<0.0> : tensor<2x2xf32>
  %empty = tensor.empty() : tensor<2x2xf32>
  %real = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%w : tensor<2x2xi8>) outs(%empty : tensor<2x2xf32>) {
  ^bb0(%q: i8, %o: f32):
    %s = arith.constant 0.5 : f16
    %v0 = arith.sitofp %q : i8 to f16
    %v1 = arith.mulf %v0, %s : f16
    %v2 = arith.mulf %v1, %s : f16
    %r = arith.extf %v2 : f16 to f32
    linalg.yield %r : f32
  } -> tensor<2x2xf32>
  %y = linalg.matmul ins(%x, %real : tensor<2x2xf32>, tensor<2x2xf32>) outs(%zero : tensor<2x2xf32>) -> tensor<2x2xf32>
  return %y : tensor<2x2xf32>
}

// 2^-14 is a normal number of f16, products with its square are not.
// CHECK-LABEL: func @underflows
// CHECK-NOT: quant.dequantize
// CHECK: dense<{{\[\[}}4.76837158E-7, 0.000000e+00], [-4.76837158E-7, 0.000000e+00{{\]\]}}> : tensor<2x2xf32>
// CHECK-NOT: quant.dequantize
// CHECK: return
func.func @underflows(%x: tensor<2x2xf32>) -> tensor<2x2xf32> {
  %w = arith.constant dense<[[127, 1], [-127, 5]]> : tensor<2x2xi8>
  %zero = arith.constant dense<0.0> : tensor<2x2xf32>
  %empty = tensor.empty() : tensor<2x2xf32>
  %real = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%w : tensor<2x2xi8>) outs(%empty : tensor<2x2xf32>) {
  ^bb0(%q: i8, %o: f32):
    %s = arith.constant 6.103515625e-05 : f16
    %v0 = arith.sitofp %q : i8 to f16
    %v1 = arith.mulf %v0, %s : f16
    %v2 = arith.mulf %v1, %s : f16
    %r = arith.extf %v2 : f16 to f32
    linalg.yield %r : f32
  } -> tensor<2x2xf32>
  %y = linalg.matmul ins(%x, %real : tensor<2x2xf32>, tensor<2x2xf32>) outs(%zero : tensor<2x2xf32>) -> tensor<2x2xf32>
  return %y : tensor<2x2xf32>
}

// A divisor scales the other way.
// CHECK-LABEL: func @divided
// CHECK: %[[S:.*]] = arith.constant dense<1.280000e+02> : tensor<f32>
// CHECK: quant.dequantize %{{.*}} scale(%[[S]]
func.func @divided(%x: tensor<2x2xf32>) -> tensor<2x2xf32> {
  %w = arith.constant dense<[[127, 1], [-3, 5]]> : tensor<2x2xi8>
  %zero = arith.constant dense<0.0> : tensor<2x2xf32>
  %empty = tensor.empty() : tensor<2x2xf32>
  %real = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%w : tensor<2x2xi8>) outs(%empty : tensor<2x2xf32>) {
  ^bb0(%q: i8, %o: f32):
    %s = arith.constant 7.8125e-03 : f16
    %v0 = arith.sitofp %q : i8 to f16
    %v1 = arith.divf %v0, %s : f16
    %r = arith.extf %v1 : f16 to f32
    linalg.yield %r : f32
  } -> tensor<2x2xf32>
  %y = linalg.matmul ins(%x, %real : tensor<2x2xf32>, tensor<2x2xf32>) outs(%zero : tensor<2x2xf32>) -> tensor<2x2xf32>
  return %y : tensor<2x2xf32>
}

// 127 * 4096 is infinite in f16.
// CHECK-LABEL: func @overflows
// CHECK-NOT: quant.dequantize
// CHECK: dense<{{\[\[}}0x7F800000, 4.096000e+03], [0xFF800000, 2.048000e+04{{\]\]}}> : tensor<2x2xf32>
// CHECK-NOT: quant.dequantize
// CHECK: return
func.func @overflows(%x: tensor<2x2xf32>) -> tensor<2x2xf32> {
  %w = arith.constant dense<[[127, 1], [-127, 5]]> : tensor<2x2xi8>
  %zero = arith.constant dense<0.0> : tensor<2x2xf32>
  %empty = tensor.empty() : tensor<2x2xf32>
  %real = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%w : tensor<2x2xi8>) outs(%empty : tensor<2x2xf32>) {
  ^bb0(%q: i8, %o: f32):
    %s = arith.constant 2.44140625e-04 : f16
    %v0 = arith.sitofp %q : i8 to f16
    %v1 = arith.divf %v0, %s : f16
    %r = arith.extf %v1 : f16 to f32
    linalg.yield %r : f32
  } -> tensor<2x2xf32>
  %y = linalg.matmul ins(%x, %real : tensor<2x2xf32>, tensor<2x2xf32>) outs(%zero : tensor<2x2xf32>) -> tensor<2x2xf32>
  return %y : tensor<2x2xf32>
}

// The product is 1, but 127 * 1024 on the way is infinite.
// CHECK-LABEL: func @back_and_forth
// CHECK-NOT: quant.dequantize
// CHECK: dense<{{\[\[}}0x7F800000, 1.000000e+00], [-3.000000e+00, 5.000000e+00{{\]\]}}> : tensor<2x2xf32>
// CHECK-NOT: quant.dequantize
// CHECK: return
func.func @back_and_forth(%x: tensor<2x2xf32>) -> tensor<2x2xf32> {
  %w = arith.constant dense<[[127, 1], [-3, 5]]> : tensor<2x2xi8>
  %zero = arith.constant dense<0.0> : tensor<2x2xf32>
  %empty = tensor.empty() : tensor<2x2xf32>
  %real = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%w : tensor<2x2xi8>) outs(%empty : tensor<2x2xf32>) {
  ^bb0(%q: i8, %o: f32):
    %s = arith.constant 1024.0 : f16
    %f = arith.sitofp %q : i8 to f16
    %m = arith.mulf %f, %s : f16
    %n = arith.divf %m, %s : f16
    %r = arith.extf %n : f16 to f32
    linalg.yield %r : f32
  } -> tensor<2x2xf32>
  %y = linalg.matmul ins(%x, %real : tensor<2x2xf32>, tensor<2x2xf32>) outs(%zero : tensor<2x2xf32>) -> tensor<2x2xf32>
  return %y : tensor<2x2xf32>
}

// bf16 has 8 bits for the differences of bytes and zero points, 255 at most.
// CHECK-LABEL: func @bytes_of_bf16
// CHECK: %[[S:.*]] = arith.constant dense<5.000000e-01> : tensor<f32>
// CHECK: quant.dequantize %{{.*}} scale(%[[S]]
func.func @bytes_of_bf16(%x: tensor<2x2xf32>) -> tensor<2x2xf32> {
  %w = arith.constant dense<[[127, 1], [-3, 5]]> : tensor<2x2xi8>
  %zero = arith.constant dense<0.0> : tensor<2x2xf32>
  %empty = tensor.empty() : tensor<2x2xf32>
  %real = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%w : tensor<2x2xi8>) outs(%empty : tensor<2x2xf32>) {
  ^bb0(%q: i8, %o: f32):
    %z = arith.constant -128 : i32
    %i = arith.extsi %q : i8 to i32
    %d = arith.subi %i, %z : i32
    %f = arith.sitofp %d : i32 to bf16
    %s = arith.constant 0.5 : bf16
    %p = arith.mulf %f, %s : bf16
    %r = arith.extf %p : bf16 to f32
    linalg.yield %r : f32
  } -> tensor<2x2xf32>
  %y = linalg.matmul ins(%x, %real : tensor<2x2xf32>, tensor<2x2xf32>) outs(%zero : tensor<2x2xf32>) -> tensor<2x2xf32>
  return %y : tensor<2x2xf32>
}

// -381 is no number of bf16.
// CHECK-LABEL: func @differences_of_bf16
// CHECK-NOT: quant.dequantize
// CHECK: dense<{{\[\[}}-6.350000e+01, -1.250000e+02], [-1.900000e+02, -1.235000e+02{{\]\]}}> : tensor<2x2xf32>
// CHECK-NOT: quant.dequantize
// CHECK: return
func.func @differences_of_bf16(%x: tensor<2x2xf32>) -> tensor<2x2xf32> {
  %w = arith.constant dense<[[127, 4], [-127, 7]]> : tensor<2x2xi8>
  %zero = arith.constant dense<0.0> : tensor<2x2xf32>
  %empty = tensor.empty() : tensor<2x2xf32>
  %real = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%w : tensor<2x2xi8>) outs(%empty : tensor<2x2xf32>) {
  ^bb0(%q: i8, %o: f32):
    %z = arith.constant 254 : i32
    %i = arith.extsi %q : i8 to i32
    %d = arith.subi %i, %z : i32
    %f = arith.sitofp %d : i32 to bf16
    %s = arith.constant 0.5 : bf16
    %p = arith.mulf %f, %s : bf16
    %r = arith.extf %p : bf16 to f32
    linalg.yield %r : f32
  } -> tensor<2x2xf32>
  %y = linalg.matmul ins(%x, %real : tensor<2x2xf32>, tensor<2x2xf32>) outs(%zero : tensor<2x2xf32>) -> tensor<2x2xf32>
  return %y : tensor<2x2xf32>
}

// 16 bits hold integers that f16 does not, and some that it does.
// CHECK-LABEL: func @halves_of_f16
// CHECK: %[[S:.*]] = arith.constant dense<5.000000e-01> : tensor<f32>
// CHECK: quant.dequantize %{{.*}} scale(%[[S]]
func.func @halves_of_f16(%x: tensor<2x2xf32>) -> tensor<2x2xf32> {
  %w = arith.constant dense<[[200, 1], [100, 5]]> : tensor<2x2xi16>
  %zero = arith.constant dense<0.0> : tensor<2x2xf32>
  %empty = tensor.empty() : tensor<2x2xf32>
  %real = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%w : tensor<2x2xi16>) outs(%empty : tensor<2x2xf32>) {
  ^bb0(%q: i16, %o: f32):
    %s = arith.constant 0.5 : f16
    %v0 = arith.sitofp %q : i16 to f16
    %v1 = arith.mulf %v0, %s : f16
    %r = arith.extf %v1 : f16 to f32
    linalg.yield %r : f32
  } -> tensor<2x2xf32>
  %y = linalg.matmul ins(%x, %real : tensor<2x2xf32>, tensor<2x2xf32>) outs(%zero : tensor<2x2xf32>) -> tensor<2x2xf32>
  return %y : tensor<2x2xf32>
}

// 2049 is no number of f16.
// CHECK-LABEL: func @words_of_f16
// CHECK-NOT: quant.dequantize
// CHECK: dense<{{\[\[}}1.024000e+03, 5.000000e-01], [2.000000e+00, 2.500000e+00{{\]\]}}> : tensor<2x2xf32>
// CHECK-NOT: quant.dequantize
// CHECK: return
func.func @words_of_f16(%x: tensor<2x2xf32>) -> tensor<2x2xf32> {
  %w = arith.constant dense<[[2049, 1], [4, 5]]> : tensor<2x2xi16>
  %zero = arith.constant dense<0.0> : tensor<2x2xf32>
  %empty = tensor.empty() : tensor<2x2xf32>
  %real = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%w : tensor<2x2xi16>) outs(%empty : tensor<2x2xf32>) {
  ^bb0(%q: i16, %o: f32):
    %s = arith.constant 0.5 : f16
    %v0 = arith.sitofp %q : i16 to f16
    %v1 = arith.mulf %v0, %s : f16
    %r = arith.extf %v1 : f16 to f32
    linalg.yield %r : f32
  } -> tensor<2x2xf32>
  %y = linalg.matmul ins(%x, %real : tensor<2x2xf32>, tensor<2x2xf32>) outs(%zero : tensor<2x2xf32>) -> tensor<2x2xf32>
  return %y : tensor<2x2xf32>
}

// A zero point of the run time is a byte, the difference a number of f16.
// CHECK-LABEL: func @zero_of_run_time
// CHECK: quant.dequantize %{{.*}} scale(%{{.*}}) zero_point(%{{.*}})
func.func @zero_of_run_time(%x: tensor<2x2xf32>, %w: tensor<2x2xi8>, %z: tensor<i8>) -> tensor<2x2xf32> {
  %zero = arith.constant dense<0.0> : tensor<2x2xf32>
  %empty = tensor.empty() : tensor<2x2xf32>
  %real = linalg.generic {indexing_maps = [#id, affine_map<(a, b) -> ()>, #id], iterator_types = ["parallel", "parallel"]}
      ins(%w, %z : tensor<2x2xi8>, tensor<i8>) outs(%empty : tensor<2x2xf32>) {
  ^bb0(%q: i8, %p: i8, %o: f32):
    %s = arith.constant 0.3 : f32
    %f = arith.sitofp %q : i8 to f16
    %g = arith.sitofp %p : i8 to f16
    %d = arith.subf %f, %g : f16
    %e = arith.extf %d : f16 to f32
    %r = arith.mulf %e, %s : f32
    linalg.yield %r : f32
  } -> tensor<2x2xf32>
  %y = linalg.matmul ins(%x, %real : tensor<2x2xf32>, tensor<2x2xf32>) outs(%zero : tensor<2x2xf32>) -> tensor<2x2xf32>
  return %y : tensor<2x2xf32>
}
