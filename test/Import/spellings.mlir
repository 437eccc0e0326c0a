// Dequantize and quantize by what they compute: the same integers, however the
// arithmetic is written.
// RUN: quant-opt --split-input-file --quant-import=weight-only --cse %s \
// RUN:   | FileCheck %s

#id = affine_map<(d0, d1) -> (d0, d1)>
#group = affine_map<(d0, d1) -> (d0, d1 floordiv 2)>
// Scales of groups by a map; zero points in i64 that all are 0 are none.
// CHECK-LABEL: func.func @floordiv_map
// CHECK-DAG: %[[W:.*]] = arith.constant dense<{{\[\[}}1, -2, 3, -4], [5, -6, 7, -8]]> : tensor<2x4xi8>
// CHECK-DAG: %[[S:.*]] = arith.constant dense<{{\[\[}}5.000000e-01, 2.500000e-01], [1.000000e+00, 2.000000e+00]]> : tensor<2x2xf32>
// CHECK: quant.scaled_matmul ins(%{{.*}}, %[[W]] : tensor<3x4xf32>, tensor<2x4xi8>) rhs_scale(%[[S]] : tensor<2x2xf32>) {group_size = 2 : i64}
// CHECK-NOT: linalg.matmul
func.func @floordiv_map(%x: tensor<3x4xf32>) -> tensor<3x2xf32> {
  %q = arith.constant dense<[[1, -2, 3, -4], [5, -6, 7, -8]]> : tensor<2x4xi8>
  %s = arith.constant dense<[[0.5, 0.25], [1.0, 2.0]]> : tensor<2x2xf32>
  %z = arith.constant dense<0> : tensor<2x2xi64>
  %e = tensor.empty() : tensor<2x4xf32>
  %w = linalg.generic {indexing_maps = [#id, #group, #group, #id], iterator_types = ["parallel", "parallel"]}
    ins(%q, %s, %z : tensor<2x4xi8>, tensor<2x2xf32>, tensor<2x2xi64>) outs(%e : tensor<2x4xf32>) {
  ^bb0(%a: i8, %b: f32, %c: i64, %o: f32):
    %0 = arith.extsi %a : i8 to i64
    %1 = arith.subi %0, %c : i64
    %2 = arith.sitofp %1 : i64 to f32
    %3 = arith.mulf %b, %2 : f32
    linalg.yield %3 : f32
  } -> tensor<2x4xf32>
  %zero = arith.constant 0.0 : f32
  %ey = tensor.empty() : tensor<3x2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%ey : tensor<3x2xf32>) -> tensor<3x2xf32>
  %et = tensor.empty() : tensor<4x2xf32>
  %t = linalg.transpose ins(%w : tensor<2x4xf32>) outs(%et : tensor<4x2xf32>) permutation = [1, 0]
  %y = linalg.matmul ins(%x, %t : tensor<3x4xf32>, tensor<4x2xf32>) outs(%f : tensor<3x2xf32>) -> tensor<3x2xf32>
  return %y : tensor<3x2xf32>
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0, 0)>
// An op for each step, the zero point subtracted behind the scale, a division
// by the reciprocal.
// CHECK-LABEL: func.func @step_by_step
// CHECK-DAG: %[[S:.*]] = arith.constant dense<{{\[}}5.000000e-01, 2.500000e-01]> : tensor<2xf32>
// CHECK-DAG: %[[Z:.*]] = arith.constant dense<{{\[}}3, -1]> : tensor<2xi32>
// CHECK: quant.dequantize %{{.*}} scale(%[[S]] : tensor<2xf32>) zero_point(%[[Z]] : tensor<2xi32>) axes = [0] : tensor<2x4xi8> -> tensor<2x4xf32>
// CHECK-NOT: linalg.generic
func.func @step_by_step(%q: tensor<2x4xi8>) -> tensor<2x4xf32> {
  %r = arith.constant dense<[[2.0], [4.0]]> : tensor<2x1xf32>
  %sz = arith.constant dense<[[1.5], [-0.25]]> : tensor<2x1xf32>
  %e = tensor.empty() : tensor<2x4xf32>
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%q : tensor<2x4xi8>) outs(%e : tensor<2x4xf32>) {
  ^bb0(%a: i8, %o: f32):
    %v = arith.sitofp %a : i8 to f32
    linalg.yield %v : f32
  } -> tensor<2x4xf32>
  %1 = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]} ins(%0, %r : tensor<2x4xf32>, tensor<2x1xf32>) outs(%e : tensor<2x4xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %v = arith.divf %a, %b : f32
    linalg.yield %v : f32
  } -> tensor<2x4xf32>
  %2 = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]} ins(%1, %sz : tensor<2x4xf32>, tensor<2x1xf32>) outs(%e : tensor<2x4xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %v = arith.subf %a, %b : f32
    linalg.yield %v : f32
  } -> tensor<2x4xf32>
  return %2 : tensor<2x4xf32>
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#column = affine_map<(d0, d1) -> (d1)>
// A negative scale mirrors its column, about 0 where that fits; a column whose
// scale is 0 holds zeros.
// CHECK-LABEL: func.func @mirrored
// CHECK-DAG: arith.constant dense<{{\[\[}}-1, 0, 127], [2, 0, -128]]> : tensor<2x3xi8>
// CHECK-DAG: arith.constant dense<{{\[}}5.000000e-01, 1.000000e+00, 2.000000e+00]> : tensor<3xf32>
// CHECK-DAG: arith.constant dense<{{\[}}0, 0, -1]> : tensor<3xi32>
// CHECK: quant.dequantize
func.func @mirrored() -> tensor<2x3xf32> {
  %q = arith.constant dense<[[1, 9, -128], [-2, 7, 127]]> : tensor<2x3xi8>
  %s = arith.constant dense<[-0.5, 0.0, -2.0]> : tensor<3xf32>
  %e = tensor.empty() : tensor<2x3xf32>
  %w = linalg.generic {indexing_maps = [#id, #column, #id], iterator_types = ["parallel", "parallel"]}
    ins(%q, %s : tensor<2x3xi8>, tensor<3xf32>) outs(%e : tensor<2x3xf32>) {
  ^bb0(%a: i8, %b: f32, %o: f32):
    %0 = arith.sitofp %a : i8 to f32
    %1 = arith.mulf %0, %b : f32
    linalg.yield %1 : f32
  } -> tensor<2x3xf32>
  return %w : tensor<2x3xf32>
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#half = affine_map<(d0, d1) -> (d0, d1 floordiv 2)>
// Nibbles that the program unpacks from bytes are unpacked at compile time.
// CHECK-LABEL: func.func @nibbles
// CHECK: arith.constant dense<{{\[\[}}1, 2, 3, 4]]> : tensor<1x4xi4>
// CHECK: quant.dequantize
func.func @nibbles() -> tensor<1x4xf32> {
  %b = arith.constant dense<[[33, 67]]> : tensor<1x2xi8>
  %s = arith.constant 0.5 : f32
  %c2 = arith.constant 2 : index
  %c4 = arith.constant 4 : i32
  %c15 = arith.constant 15 : i32
  %e = tensor.empty() : tensor<1x4xf32>
  %w = linalg.generic {indexing_maps = [#half, #id], iterator_types = ["parallel", "parallel"]}
    ins(%b : tensor<1x2xi8>) outs(%e : tensor<1x4xf32>) {
  ^bb0(%a: i8, %o: f32):
    %i = linalg.index 1 : index
    %r = arith.remui %i, %c2 : index
    %r32 = arith.index_cast %r : index to i32
    %shift = arith.muli %r32, %c4 : i32
    %wide = arith.extui %a : i8 to i32
    %moved = arith.shrui %wide, %shift : i32
    %nibble = arith.andi %moved, %c15 : i32
    %f = arith.uitofp %nibble : i32 to f32
    %v = arith.mulf %f, %s : f32
    linalg.yield %v : f32
  } -> tensor<1x4xf32>
  return %w : tensor<1x4xf32>
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#k = affine_map<(d0, d1) -> (d0)>
// Scales that are looked up by g_idx, in any order: the members of a group are
// brought together, and the activations are put in that order.
// CHECK-LABEL: func.func @looked_up
// CHECK-SAME: %[[X:.*]]: tensor<3x4xf32>
// CHECK-DAG: arith.constant dense<{{\[\[}}1, 5, 3, 7], [2, 6, 4, 8]]> : tensor<2x4xi8>
// CHECK-DAG: arith.constant dense<{{\[\[}}5.000000e-01, 2.000000e+00], [2.500000e-01, 4.000000e+00]]> : tensor<2x2xf32>
// CHECK-DAG: arith.constant dense<{{\[}}0, 2, 1, 3]> : tensor<4xi64>
// CHECK-DAG: tensor.extract %[[X]]
// CHECK: quant.scaled_matmul {{.*}} {group_size = 2 : i64}
func.func @looked_up(%x: tensor<3x4xf32>) -> tensor<3x2xf32> {
  %q = arith.constant dense<[[1, 2], [3, 4], [5, 6], [7, 8]]> : tensor<4x2xi8>
  %s = arith.constant dense<[[0.5, 0.25], [2.0, 4.0]]> : tensor<2x2xf32>
  %g = arith.constant dense<[0, 1, 0, 1]> : tensor<4xi32>
  %e = tensor.empty() : tensor<4x2xf32>
  %w = linalg.generic {indexing_maps = [#id, #k, #id], iterator_types = ["parallel", "parallel"]}
    ins(%q, %g : tensor<4x2xi8>, tensor<4xi32>) outs(%e : tensor<4x2xf32>) {
  ^bb0(%a: i8, %i: i32, %o: f32):
    %at = arith.index_cast %i : i32 to index
    %n = linalg.index 1 : index
    %scale = tensor.extract %s[%at, %n] : tensor<2x2xf32>
    %f = arith.sitofp %a : i8 to f32
    %v = arith.mulf %f, %scale : f32
    linalg.yield %v : f32
  } -> tensor<4x2xf32>
  %zero = arith.constant 0.0 : f32
  %ey = tensor.empty() : tensor<3x2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%ey : tensor<3x2xf32>) -> tensor<3x2xf32>
  %y = linalg.matmul ins(%x, %w : tensor<3x4xf32>, tensor<4x2xf32>) outs(%f : tensor<3x2xf32>) -> tensor<3x2xf32>
  return %y : tensor<3x2xf32>
}

// -----

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#scale = affine_map<(m, n, k) -> (n)>
#out = affine_map<(m, n, k) -> (m, n)>
// Dequantized in the body of the product.
// CHECK-LABEL: func.func @in_the_body
// CHECK: quant.scaled_matmul ins(%{{.*}}, %{{.*}} : tensor<1x4xf32>, tensor<2x4xi8>) rhs_scale(%{{.*}} : tensor<2x1xf32>)
func.func @in_the_body(%x: tensor<1x4xf32>) -> tensor<1x2xf32> {
  %q = arith.constant dense<[[1, -2, 3, -4], [5, -6, 7, -8]]> : tensor<2x4xi8>
  %s = arith.constant dense<[0.5, 0.25]> : tensor<2xf32>
  %zero = arith.constant 0.0 : f32
  %ey = tensor.empty() : tensor<1x2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%ey : tensor<1x2xf32>) -> tensor<1x2xf32>
  %y = linalg.generic {indexing_maps = [#lhs, #rhs, #scale, #out], iterator_types = ["parallel", "parallel", "reduction"]}
    ins(%x, %q, %s : tensor<1x4xf32>, tensor<2x4xi8>, tensor<2xf32>) outs(%f : tensor<1x2xf32>) {
  ^bb0(%a: f32, %b: i8, %c: f32, %o: f32):
    %0 = arith.sitofp %b : i8 to f32
    %1 = arith.mulf %0, %c : f32
    %2 = arith.mulf %a, %1 : f32
    %3 = arith.addf %o, %2 : f32
    linalg.yield %3 : f32
  } -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

// -----

#id = affine_map<(d0) -> (d0)>
// Bounds by comparison, in integers, and the zero point inside of them.
// CHECK-LABEL: func.func @quantize
// CHECK: quant.quantize %{{.*}} scale(%{{.*}} : tensor<f32>) zero_point(%{{.*}} : tensor<i32>) axes = [] range = [0, 255] unsigned : tensor<8xf32> -> tensor<8xi8>
// CHECK-NOT: linalg.generic
func.func @quantize(%x: tensor<8xf32>) -> tensor<8xi8> {
  %s = arith.constant 0.02 : f32
  %z = arith.constant 128 : i32
  %lo = arith.constant 0 : i32
  %hi = arith.constant 255 : i32
  %e = tensor.empty() : tensor<8xi8>
  %q = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<8xf32>) outs(%e : tensor<8xi8>) {
  ^bb0(%a: f32, %o: i8):
    %0 = arith.divf %a, %s : f32
    %1 = math.roundeven %0 : f32
    %2 = arith.fptosi %1 : f32 to i32
    %3 = arith.addi %z, %2 : i32
    %4 = arith.cmpi slt, %3, %lo : i32
    %5 = arith.select %4, %lo, %3 : i32
    %6 = arith.minsi %hi, %5 : i32
    %7 = arith.trunci %6 : i32 to i8
    linalg.yield %7 : i8
  } -> tensor<8xi8>
  return %q : tensor<8xi8>
}

// -----

// A weight put together from constants is one constant.
// CHECK-LABEL: func.func @weight_from_pieces
// CHECK: %[[W:.*]] = arith.constant dense<{{\[\[}}1.000000e+00, 2.000000e+00], [3.000000e+00, 4.000000e+00], [5.000000e+00, 6.000000e+00]]> : tensor<3x2xf32>
// CHECK: linalg.matmul ins(%{{.*}}, %[[W]] : tensor<4x3xf32>, tensor<3x2xf32>)
func.func @weight_from_pieces(%x: tensor<4x3xf32>, %init: tensor<4x2xf32>) -> tensor<4x2xf32> {
  %a = arith.constant dense<[[9.0, 9.0], [1.0, 2.0], [3.0, 4.0]]> : tensor<3x2xf32>
  %b = arith.constant dense<[[5.0, 6.0]]> : tensor<1x2xf32>
  %s = tensor.extract_slice %a[1, 0] [2, 2] [1, 1] : tensor<3x2xf32> to tensor<2x2xf32>
  %w = tensor.concat dim(0) %s, %b : (tensor<2x2xf32>, tensor<1x2xf32>) -> tensor<3x2xf32>
  %y = linalg.matmul ins(%x, %w : tensor<4x3xf32>, tensor<3x2xf32>) outs(%init : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %y : tensor<4x2xf32>
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>
// Pieces that were dequantized apart are one tensor of integers, each with the
// scale and zero point of its piece; around them stands the zero point.
// CHECK-LABEL: func.func @put_together
// CHECK-DAG: %[[Q:.*]] = arith.constant dense<{{\[\[}}1, -2, 3], [4, 5, 3], [-6, 7, 0]]> : tensor<3x3xi4>
// CHECK-DAG: %[[S:.*]] = arith.constant dense<{{\[}}5.000000e-01, 2.500000e-01, 2.000000e+00]> : tensor<3xf32>
// CHECK-DAG: %[[Z:.*]] = arith.constant dense<{{\[}}3, 3, 0]> : tensor<3xi32>
// CHECK: quant.dequantize %[[Q]] scale(%[[S]] : tensor<3xf32>) zero_point(%[[Z]] : tensor<3xi32>) axes = [0] : tensor<3x3xi4> -> tensor<3x3xf32>
// CHECK-NOT: tensor.concat
func.func @put_together() -> tensor<3x3xf32> {
  %a = arith.constant dense<[[1, -2], [4, 5]]> : tensor<2x2xi8>
  %s = arith.constant dense<[0.5, 0.25]> : tensor<2xf32>
  %b = arith.constant dense<[[-6, 7, 0]]> : tensor<1x3xi8>
  %three = arith.constant 3 : i32
  %two = arith.constant 2.0 : f32
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<2x2xf32>
  %0 = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]} ins(%a, %s : tensor<2x2xi8>, tensor<2xf32>) outs(%e : tensor<2x2xf32>) {
  ^bb0(%q: i8, %scale: f32, %o: f32):
    %wide = arith.extsi %q : i8 to i32
    %centered = arith.subi %wide, %three : i32
    %f = arith.sitofp %centered : i32 to f32
    %v = arith.mulf %f, %scale : f32
    linalg.yield %v : f32
  } -> tensor<2x2xf32>
  %1 = tensor.pad %0 low[0, 0] high[0, 1] {
  ^bb0(%i: index, %j: index):
    tensor.yield %zero : f32
  } : tensor<2x2xf32> to tensor<2x3xf32>
  %eb = tensor.empty() : tensor<1x3xf32>
  %2 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%b : tensor<1x3xi8>) outs(%eb : tensor<1x3xf32>) {
  ^bb0(%q: i8, %o: f32):
    %f = arith.sitofp %q : i8 to f32
    %v = arith.mulf %two, %f : f32
    linalg.yield %v : f32
  } -> tensor<1x3xf32>
  %3 = tensor.concat dim(0) %1, %2 : (tensor<2x3xf32>, tensor<1x3xf32>) -> tensor<3x3xf32>
  return %3 : tensor<3x3xf32>
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#block = affine_map<(d0, d1) -> (d0, d1 floordiv 2)>
#row = affine_map<(d0, d1) -> (d0)>
// A scale of integers in each block and one of floats for all of them; an
// offset by one multiplication and addition.
// CHECK-LABEL: func.func @super_blocks
// CHECK-DAG: arith.constant dense<{{\[\[}}1, 2, 3, 4]]> : tensor<1x4xi8>
// CHECK-DAG: arith.constant dense<{{\[\[}}1.500000e+00, 2.500000e+00]]> : tensor<1x2xf32>
// CHECK-DAG: arith.constant dense<{{\[\[}}2, 4]]> : tensor<1x2xi32>
// CHECK: quant.scaled_matmul {{.*}} rhs_zero_point({{.*}}) {group_size = 2 : i64}
func.func @super_blocks(%x: tensor<3x4xf32>) -> tensor<3x1xf32> {
  %q = arith.constant dense<[[1, 2, 3, 4]]> : tensor<1x4xi8>
  %inner = arith.constant dense<[[3, 5]]> : tensor<1x2xi8>
  %outer = arith.constant dense<[0.5]> : tensor<1xf32>
  %offset = arith.constant dense<[[-3.0, -10.0]]> : tensor<1x2xf32>
  %e = tensor.empty() : tensor<1x4xf32>
  %w = linalg.generic {indexing_maps = [#id, #block, #row, #block, #id], iterator_types = ["parallel", "parallel"]}
    ins(%q, %inner, %outer, %offset : tensor<1x4xi8>, tensor<1x2xi8>, tensor<1xf32>, tensor<1x2xf32>) outs(%e : tensor<1x4xf32>) {
  ^bb0(%a: i8, %b: i8, %c: f32, %d: f32, %o: f32):
    %wide = arith.extsi %a : i8 to i32
    %scale = arith.extui %b : i8 to i32
    %product = arith.muli %scale, %wide : i32
    %f = arith.sitofp %product : i32 to f32
    %v = math.fma %f, %c, %d : f32
    linalg.yield %v : f32
  } -> tensor<1x4xf32>
  %zero = arith.constant 0.0 : f32
  %et = tensor.empty() : tensor<4x1xf32>
  %t = linalg.transpose ins(%w : tensor<1x4xf32>) outs(%et : tensor<4x1xf32>) permutation = [1, 0]
  %ey = tensor.empty() : tensor<3x1xf32>
  %f = linalg.fill ins(%zero : f32) outs(%ey : tensor<3x1xf32>) -> tensor<3x1xf32>
  %y = linalg.matmul ins(%x, %t : tensor<3x4xf32>, tensor<4x1xf32>) outs(%f : tensor<3x1xf32>) -> tensor<3x1xf32>
  return %y : tensor<3x1xf32>
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>
// A zero point between two integers, or past 32 bits, is none.
// CHECK-LABEL: func.func @no_zero_point
// CHECK-NOT: quant.dequantize
func.func @no_zero_point(%q: tensor<2x4xi8>, %s: tensor<2xf32>) -> (tensor<2x4xf32>, tensor<2x4xf32>) {
  %half = arith.constant dense<[1.0, 2.5]> : tensor<2xf32>
  %large = arith.constant dense<[1, 4294967297]> : tensor<2xi64>
  %e = tensor.empty() : tensor<2x4xf32>
  %0 = linalg.generic {indexing_maps = [#id, #row, #row, #id], iterator_types = ["parallel", "parallel"]} ins(%q, %s, %half : tensor<2x4xi8>, tensor<2xf32>, tensor<2xf32>) outs(%e : tensor<2x4xf32>) {
  ^bb0(%a: i8, %b: f32, %c: f32, %o: f32):
    %f = arith.sitofp %a : i8 to f32
    %d = arith.subf %f, %c : f32
    %v = arith.mulf %d, %b : f32
    linalg.yield %v : f32
  } -> tensor<2x4xf32>
  %1 = linalg.generic {indexing_maps = [#id, #row, #row, #id], iterator_types = ["parallel", "parallel"]} ins(%q, %s, %large : tensor<2x4xi8>, tensor<2xf32>, tensor<2xi64>) outs(%e : tensor<2x4xf32>) {
  ^bb0(%a: i8, %b: f32, %c: i64, %o: f32):
    %wide = arith.extsi %a : i8 to i64
    %d = arith.subi %wide, %c : i64
    %f = arith.sitofp %d : i64 to f32
    %v = arith.mulf %f, %b : f32
    linalg.yield %v : f32
  } -> tensor<2x4xf32>
  return %0, %1 : tensor<2x4xf32>, tensor<2x4xf32>
}
