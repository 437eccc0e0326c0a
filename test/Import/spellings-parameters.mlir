// RUN: quant-opt %s --quant-to-generic=stop-after=quant --split-input-file 2>&1 | FileCheck %s

// Which tensor a parameter belongs to, and which of its dimensions has groups.

// What is turned and cut out of stored integers is turned and cut out as such.
// CHECK-LABEL: func.func @turned_then_cut(
// CHECK-NOT: remark
// CHECK: tensor.extract_slice {{.*}} tensor<16x6xi8> to tensor<16x5xi8>
// CHECK: quant.scaled_matmul ins(%{{.*}}, %{{.*}} : tensor<4x16xf32>, tensor<5x16xi8>)
func.func @turned_then_cut(%x: tensor<4x16xf32>, %q: tensor<6x16xi8>) -> tensor<4x5xf32> {
  %s = arith.constant dense<0.5> : tensor<f32>
  %w = quant.dequantize %q scale(%s : tensor<f32>) axes = [] : tensor<6x16xi8> -> tensor<6x16xf32>
  %e = tensor.empty() : tensor<16x6xf32>
  %t = linalg.transpose ins(%w : tensor<6x16xf32>) outs(%e : tensor<16x6xf32>) permutation = [1, 0]
  %c = tensor.extract_slice %t[0, 1] [16, 5] [1, 1] : tensor<16x6xf32> to tensor<16x5xf32>
  %zero = arith.constant 0.0 : f32
  %o = tensor.empty() : tensor<4x5xf32>
  %init = linalg.fill ins(%zero : f32) outs(%o : tensor<4x5xf32>) -> tensor<4x5xf32>
  %y = linalg.matmul ins(%x, %c : tensor<4x16xf32>, tensor<16x5xf32>) outs(%init : tensor<4x5xf32>) -> tensor<4x5xf32>
  return %y : tensor<4x5xf32>
}

// -----

// Rows with zero points of their own are padded with those.
// CHECK-LABEL: func.func @rows_padded(
// CHECK: %[[Z:.*]] = linalg.broadcast ins(%{{.*}} : tensor<2xi8>) outs({{.*}} : tensor<2x16xi8>) dimensions = [1]
// CHECK: %[[Q:.*]] = tensor.insert_slice %{{.*}} into %[[Z]][0, 1] [2, 12] [1, 1] : tensor<2x12xi8> into tensor<2x16xi8>
// CHECK: quant.matmul ins(%[[Q]], %{{.*}} : tensor<2x16xi8>, tensor<16x3xi8>) lhs_zero_point(
func.func @rows_padded(%x: tensor<2x12xf32>, %q: tensor<16x3xi8>) -> tensor<2x3xf32> {
  %s = arith.constant dense<[0.5, 0.25]> : tensor<2xf32>
  %z = arith.constant dense<[-128, 7]> : tensor<2xi32>
  %ws = arith.constant dense<0.125> : tensor<f32>
  %xq = quant.quantize %x scale(%s : tensor<2xf32>) zero_point(%z : tensor<2xi32>) axes = [0] range = [-128, 127] : tensor<2x12xf32> -> tensor<2x12xi8>
  %xf = quant.dequantize %xq scale(%s : tensor<2xf32>) zero_point(%z : tensor<2xi32>) axes = [0] : tensor<2x12xi8> -> tensor<2x12xf32>
  %zero = arith.constant 0.0 : f32
  %p = tensor.pad %xf low[0, 1] high[0, 3] {
  ^bb0(%i: index, %j: index):
    tensor.yield %zero : f32
  } : tensor<2x12xf32> to tensor<2x16xf32>
  %w = quant.dequantize %q scale(%ws : tensor<f32>) axes = [] : tensor<16x3xi8> -> tensor<16x3xf32>
  %o = tensor.empty() : tensor<2x3xf32>
  %init = linalg.fill ins(%zero : f32) outs(%o : tensor<2x3xf32>) -> tensor<2x3xf32>
  %y = linalg.matmul ins(%p, %w : tensor<2x16xf32>, tensor<16x3xf32>) outs(%init : tensor<2x3xf32>) -> tensor<2x3xf32>
  return %y : tensor<2x3xf32>
}

// -----

// Scales that are looked up for each row of the weight, equal in four of five
// columns: groups are along what is summed, columns have their own.
// CHECK-LABEL: func.func @equal_columns(
// CHECK-DAG: %[[S:.*]] = arith.constant dense<{{\[\[}}5.000000e-01], [5.000000e-01], [2.500000e-01], [5.000000e-01], [5.000000e-01]]> : tensor<5x1xf32>
// CHECK: quant.scaled_matmul ins({{.*}} : tensor<?x8xf32>, tensor<5x8xi8>) rhs_scale(%[[S]] : tensor<5x1xf32>) {group_size = 8 : i64}
func.func @equal_columns(%x: tensor<?x8xf32>) -> tensor<?x5xf32> {
  %q = arith.constant dense<[[1, 2, 3, 4, 5], [6, 7, 8, 9, 10], [1, 1, 1, 1, 1], [-2, -2, -2, -2, -2], [5, 4, 3, 2, 1], [0, 1, 0, 1, 0], [9, 9, 9, 9, 9], [127, 0, 0, 0, -128]]> : tensor<8x5xi8>
  %s = arith.constant dense<[[0.5, 0.5, 0.25, 0.5, 0.5]]> : tensor<1x5xf32>
  %g = arith.constant dense<0> : tensor<8xi32>
  %e = tensor.empty() : tensor<8x5xf32>
  %w = linalg.generic {indexing_maps = [affine_map<(k, n) -> (k, n)>, affine_map<(k, n) -> (k)>, affine_map<(k, n) -> (k, n)>], iterator_types = ["parallel", "parallel"]} ins(%q, %g : tensor<8x5xi8>, tensor<8xi32>) outs(%e : tensor<8x5xf32>) {
  ^bb0(%a: i8, %i: i32, %out: f32):
    %at = arith.index_cast %i : i32 to index
    %n = linalg.index 1 : index
    %scale = tensor.extract %s[%at, %n] : tensor<1x5xf32>
    %f = arith.sitofp %a : i8 to f32
    %r = arith.mulf %f, %scale : f32
    linalg.yield %r : f32
  } -> tensor<8x5xf32>
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %m = tensor.dim %x, %c0 : tensor<?x8xf32>
  %o = tensor.empty(%m) : tensor<?x5xf32>
  %init = linalg.fill ins(%zero : f32) outs(%o : tensor<?x5xf32>) -> tensor<?x5xf32>
  %y = linalg.matmul ins(%x, %w : tensor<?x8xf32>, tensor<8x5xf32>) outs(%init : tensor<?x5xf32>) -> tensor<?x5xf32>
  return %y : tensor<?x5xf32>
}

// -----

// Two groups of two have the same scale: they are four elements of one, and
// still two groups.
// CHECK-LABEL: func.func @equal_groups(
// CHECK-DAG: dense<{{\[\[}}5.000000e-01, 5.000000e-01, 2.500000e-01, 1.250000e-01], [1.000000e+00, 1.000000e+00, 2.000000e+00, 4.000000e+00]]> : tensor<2x4xf32>
// CHECK: quant.scaled_matmul ins({{.*}} : tensor<3x8xf32>, tensor<2x8xi8>) rhs_scale({{.*}} : tensor<2x4xf32>) {group_size = 2 : i64}
func.func @equal_groups(%x: tensor<3x8xf32>) -> tensor<3x2xf32> {
  %q = arith.constant dense<[[1, 2], [3, 4], [5, 6], [7, 8], [9, 10], [11, 12], [13, 14], [15, 16]]> : tensor<8x2xi8>
  %s = arith.constant dense<[[0.5, 1.0], [0.25, 2.0], [0.5, 1.0], [0.125, 4.0]]> : tensor<4x2xf32>
  %g = arith.constant dense<[2, 0, 1, 2, 1, 0, 3, 3]> : tensor<8xi32>
  %e = tensor.empty() : tensor<8x2xf32>
  %w = linalg.generic {indexing_maps = [affine_map<(k, n) -> (k, n)>, affine_map<(k, n) -> (k)>, affine_map<(k, n) -> (k, n)>], iterator_types = ["parallel", "parallel"]} ins(%q, %g : tensor<8x2xi8>, tensor<8xi32>) outs(%e : tensor<8x2xf32>) {
  ^bb0(%a: i8, %i: i32, %out: f32):
    %at = arith.index_cast %i : i32 to index
    %n = linalg.index 1 : index
    %scale = tensor.extract %s[%at, %n] : tensor<4x2xf32>
    %f = arith.sitofp %a : i8 to f32
    %r = arith.mulf %f, %scale : f32
    linalg.yield %r : f32
  } -> tensor<8x2xf32>
  %zero = arith.constant 0.0 : f32
  %o = tensor.empty() : tensor<3x2xf32>
  %init = linalg.fill ins(%zero : f32) outs(%o : tensor<3x2xf32>) -> tensor<3x2xf32>
  %y = linalg.matmul ins(%x, %w : tensor<3x8xf32>, tensor<8x2xf32>) outs(%init : tensor<3x2xf32>) -> tensor<3x2xf32>
  return %y : tensor<3x2xf32>
}

// -----

// One column: a scale of groups, which the program walks by the weight's loops,
// is the weight's.
// CHECK-LABEL: func.func @one_column(
// CHECK: quant.scaled_matmul ins(%{{.*}}, %{{.*}} : tensor<3x8xi8>, tensor<1x8xi8>) row_scale({{.*}}) rhs_scale({{.*}} : tensor<1x2xf32>) {group_size = 4 : i64}
func.func @one_column(%q: tensor<3x8xi8>, %w: tensor<1x8xi8>) -> tensor<3x1xf32> {
  %xs = arith.constant dense<0.5> : tensor<f32>
  %x = quant.dequantize %q scale(%xs : tensor<f32>) axes = [] : tensor<3x8xi8> -> tensor<3x8xf32>
  %s = arith.constant dense<[[0.5, 0.25]]> : tensor<1x2xf32>
  %zero = arith.constant 0.0 : f32
  %o = tensor.empty() : tensor<3x1xf32>
  %init = linalg.fill ins(%zero : f32) outs(%o : tensor<3x1xf32>) -> tensor<3x1xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (n, k floordiv 4)>, affine_map<(m, n, k) -> (m, n)>], iterator_types = ["parallel", "parallel", "reduction"]} ins(%x, %w, %s : tensor<3x8xf32>, tensor<1x8xi8>, tensor<1x2xf32>) outs(%init : tensor<3x1xf32>) {
  ^bb0(%a: f32, %b: i8, %scale: f32, %out: f32):
    %f = arith.sitofp %b : i8 to f32
    %r = arith.mulf %f, %scale : f32
    %p = arith.mulf %a, %r : f32
    %sum = arith.addf %out, %p : f32
    linalg.yield %sum : f32
  } -> tensor<3x1xf32>
  return %y : tensor<3x1xf32>
}

// -----

// A zero point that is converted from an integer is no stored integer, also
// where what is quantized was never stored.
// CHECK-LABEL: func.func @never_stored(
// CHECK: quant.quantize %{{.*}} scale({{.*}}) zero_point({{.*}}) axes = [] range = [0, 255]
func.func @never_stored(%x: tensor<4x8xf32>, %w: tensor<5x8xi8>) -> tensor<4x5xf32> {
  %s = arith.constant 0.5 : f32
  %low = arith.constant -203.0 : f32
  %high = arith.constant 52.0 : f32
  %z = arith.constant 203 : i32
  %ws = arith.constant dense<0.25> : tensor<f32>
  %e = tensor.empty() : tensor<4x8xf32>
  %xf = linalg.generic {indexing_maps = [affine_map<(m, k) -> (m, k)>, affine_map<(m, k) -> (m, k)>], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%a: f32, %out: f32):
    %zf = arith.sitofp %z : i32 to f32
    %d = arith.divf %a, %s : f32
    %r = math.roundeven %d : f32
    %l = arith.maximumf %r, %low : f32
    %h = arith.minimumf %l, %high : f32
    %q = arith.addf %h, %zf : f32
    %c = arith.subf %q, %zf : f32
    %y = arith.mulf %c, %s : f32
    linalg.yield %y : f32
  } -> tensor<4x8xf32>
  %wf = quant.dequantize %w scale(%ws : tensor<f32>) axes = [] : tensor<5x8xi8> -> tensor<5x8xf32>
  %zero = arith.constant 0.0 : f32
  %o = tensor.empty() : tensor<4x5xf32>
  %init = linalg.fill ins(%zero : f32) outs(%o : tensor<4x5xf32>) -> tensor<4x5xf32>
  %y = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>] ins(%xf, %wf : tensor<4x8xf32>, tensor<5x8xf32>) outs(%init : tensor<4x5xf32>) -> tensor<4x5xf32>
  return %y : tensor<4x5xf32>
}

// -----

// An unsigned byte is read as one: 203 is written as -53.
// CHECK-LABEL: func.func @never_stored_unsigned(
// CHECK: quant.quantize %{{.*}} scale({{.*}}) zero_point({{.*}}) axes = [] range = [0, 255]
func.func @never_stored_unsigned(%x: tensor<1x8xf32>, %w: tensor<5x8xi8>) -> tensor<1x5xf32> {
  %s = arith.constant 0.5 : f32
  %low = arith.constant -203.0 : f32
  %high = arith.constant 52.0 : f32
  %z = arith.constant -53 : i8
  %ws = arith.constant dense<0.25> : tensor<f32>
  %e = tensor.empty() : tensor<1x8xf32>
  %xf = linalg.generic {indexing_maps = [affine_map<(m, k) -> (m, k)>, affine_map<(m, k) -> (m, k)>], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<1x8xf32>) outs(%e : tensor<1x8xf32>) {
  ^bb0(%a: f32, %out: f32):
    %zf = arith.uitofp %z : i8 to f32
    %d = arith.divf %a, %s : f32
    %r = math.roundeven %d : f32
    %l = arith.maximumf %low, %r : f32
    %h = arith.minimumf %high, %l : f32
    %q = arith.addf %h, %zf : f32
    %c = arith.subf %q, %zf : f32
    %y = arith.mulf %c, %s : f32
    linalg.yield %y : f32
  } -> tensor<1x8xf32>
  %wf = quant.dequantize %w scale(%ws : tensor<f32>) axes = [] : tensor<5x8xi8> -> tensor<5x8xf32>
  %zero = arith.constant 0.0 : f32
  %o = tensor.empty() : tensor<1x5xf32>
  %init = linalg.fill ins(%zero : f32) outs(%o : tensor<1x5xf32>) -> tensor<1x5xf32>
  %y = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>] ins(%xf, %wf : tensor<1x8xf32>, tensor<5x8xf32>) outs(%init : tensor<1x5xf32>) -> tensor<1x5xf32>
  return %y : tensor<1x5xf32>
}

// -----

// A block with a negative scale is mirrored; a zero point of -128 has no place
// about 0 then, but about -1/2.
// CHECK-LABEL: func.func @mirrored_with_least_zero_point(
// CHECK-DAG: dense<{{\[\[}}99, 98, -98, -99], [1, 2, 3, 4]]> : tensor<2x4xi8>
// CHECK-DAG: dense<{{\[\[}}127], [5]]> : tensor<2x1xi32>
// CHECK-DAG: dense<{{\[\[}}5.000000e-01], [2.500000e-01]]> : tensor<2x1xf32>
func.func @mirrored_with_least_zero_point(%x: tensor<3x4xf32>) -> tensor<3x2xf32> {
  %q = arith.constant dense<[[-100, -99, 97, 98], [1, 2, 3, 4]]> : tensor<2x4xi8>
  %s = arith.constant dense<[-0.5, 0.25]> : tensor<2xf32>
  %z = arith.constant dense<[-128, 5]> : tensor<2xi8>
  %e = tensor.empty() : tensor<2x4xf32>
  %w = linalg.generic {indexing_maps = [affine_map<(n, k) -> (n, k)>, affine_map<(n, k) -> (n)>, affine_map<(n, k) -> (n)>, affine_map<(n, k) -> (n, k)>], iterator_types = ["parallel", "parallel"]} ins(%q, %s, %z : tensor<2x4xi8>, tensor<2xf32>, tensor<2xi8>) outs(%e : tensor<2x4xf32>) {
  ^bb0(%a: i8, %scale: f32, %zero: i8, %out: f32):
    %wide = arith.extsi %a : i8 to i32
    %zw = arith.extsi %zero : i8 to i32
    %d = arith.subi %wide, %zw : i32
    %f = arith.sitofp %d : i32 to f32
    %r = arith.mulf %f, %scale : f32
    linalg.yield %r : f32
  } -> tensor<2x4xf32>
  %zero = arith.constant 0.0 : f32
  %o = tensor.empty() : tensor<3x2xf32>
  %init = linalg.fill ins(%zero : f32) outs(%o : tensor<3x2xf32>) -> tensor<3x2xf32>
  %y = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>] ins(%x, %w : tensor<3x4xf32>, tensor<2x4xf32>) outs(%init : tensor<3x2xf32>) -> tensor<3x2xf32>
  return %y : tensor<3x2xf32>
}

// -----

// Integers that are all the same, less zero points in their own type, are the
// weight all the same.
// CHECK-LABEL: func.func @same_integers_less_narrow_zero_points(
// CHECK-DAG: dense<{{\[\[}}0, 0, 0, 0], [-4, -4, -4, -4]]> : tensor<2x4xi8>
// CHECK-DAG: dense<{{\[\[}}5.000000e-01], [2.500000e-01]]> : tensor<2x1xf32>
// CHECK: quant.scaled_matmul
func.func @same_integers_less_narrow_zero_points(%x: tensor<3x4xf32>) -> tensor<3x2xf32> {
  %q = arith.constant dense<1> : tensor<2x4xi8>
  %z = arith.constant dense<[1, 5]> : tensor<2xi8>
  %s = arith.constant dense<[0.5, 0.25]> : tensor<2xf32>
  %init = arith.constant dense<0.0> : tensor<3x2xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (n)>, affine_map<(m, n, k) -> (n)>, affine_map<(m, n, k) -> (m, n)>], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %q, %z, %s : tensor<3x4xf32>, tensor<2x4xi8>, tensor<2xi8>, tensor<2xf32>) outs(%init : tensor<3x2xf32>) {
  ^bb0(%a: f32, %b: i8, %zero: i8, %scale: f32, %sum: f32):
    %d = arith.subi %b, %zero : i8
    %f = arith.sitofp %d : i8 to f32
    %r = arith.mulf %f, %scale : f32
    %p = math.fma %a, %r, %sum : f32
    linalg.yield %p : f32
  } -> tensor<3x2xf32>
  return %y : tensor<3x2xf32>
}
