// A weight that the run chooses from a constant of several.
// RUN: quant-opt %s -quant-import -quant-quantize-matmul -canonicalize -split-input-file -verify-diagnostics | FileCheck %s
// RUN: quant-opt %s '-quant-quantize-matmul=weights=group group-size=4 weight-bits=4' -canonicalize -split-input-file | FileCheck %s --check-prefix=GROUP

// A slice: integers and scales of all are stored, those of one are sliced.
// CHECK-LABEL: @slice(
// CHECK-SAME: %[[X:.*]]: tensor<3x8xf32>, %[[E:.*]]: index
// GROUP-LABEL: @slice(
// GROUP-SAME: %[[X:.*]]: tensor<3x8xf32>, %[[E:.*]]: index
func.func @slice(%x: tensor<3x8xf32>, %e: index) -> tensor<3x4xf32> {
  %zero = arith.constant dense<0.0> : tensor<3x4xf32>
  // CHECK-DAG: %[[S:.*]] = arith.constant dense<{{.*}}> : tensor<2x4xf32>
  // CHECK-DAG: %[[W:.*]] = arith.constant dense<{{.*}}> : tensor<2x8x4xi8>
  // CHECK-NOT: tensor<2x8x4xf32>
  // GROUP-DAG: arith.constant dense<{{.*}}> : tensor<2x4x8xi4>
  // GROUP-DAG: arith.constant dense<{{.*}}> : tensor<2x4x2xf32>
  %w = arith.constant dense<"0x000080BF000000000000A04000001041000010C10000E0C00000C040000010410000A0C0000080C00000E040000080BF000080C00000C0400000A0C0000000C0000040400000803F000000C1000010C10000E0400000A0400000C0400000803F0000C040000040C0000080BF0000A0400000E0C0000080C00000E0C0000080BF000010410000E0C0000000C0000000C0000000410000C0C0000000000000A0C0000010C10000A040000000C1000080C000000000000000000000E0C0000010410000A04000001041000000C100008040000080C00000803F00000041000080C0000080400000C0C0000040C000001041000080BF00000000000080C00000E0C0"> : tensor<2x8x4xf32>
  %c = tensor.extract_slice %w[%e, 0, 0] [1, 8, 4] [1, 1, 1] : tensor<2x8x4xf32> to tensor<8x4xf32>
  // CHECK: %[[C:.*]] = tensor.extract_slice %[[W]][%[[E]], 0, 0] [1, 8, 4] [1, 1, 1] : tensor<2x8x4xi8> to tensor<8x4xi8>
  // CHECK: %[[SC:.*]] = tensor.extract_slice %[[S]][%[[E]], 0] [1, 4] [1, 1] : tensor<2x4xf32> to tensor<4xf32>
  // CHECK: quant.matmul ins(%{{.*}}, %[[C]] : tensor<3x8xi8>, tensor<8x4xi8>)
  // CHECK: quant.rescale {{.*}} channel_scale(%[[SC]] : tensor<4xf32>)
  // GROUP: %[[C:.*]] = tensor.extract_slice %{{.*}}[%[[E]], 0, 0] [1, 4, 8] {{.*}} to tensor<4x8xi4>
  // GROUP: %[[S:.*]] = tensor.extract_slice %{{.*}}[%[[E]], 0, 0] [1, 4, 2] {{.*}} to tensor<4x2xf32>
  // GROUP: quant.scaled_matmul ins(%{{.*}}, %[[C]] : {{.*}}) {{.*}} rhs_scale(%[[S]] : tensor<4x2xf32>)
  %y = linalg.matmul ins(%x, %c : tensor<3x8xf32>, tensor<8x4xf32>) outs(%zero : tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// -----

#first = affine_map<(d0, d1, d2) -> (d0)>
#all = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
// torch's index_select of one index, which counts from the end where it is
// negative: computed once, before the slice.
// CHECK-LABEL: @lookup(
// CHECK-SAME: %[[I:[^:]*]]: tensor<1xi64>
func.func @lookup(%x: tensor<3x8xf32>, %i: tensor<1xi64>) -> tensor<3x4xf32> {
  %zero = arith.constant dense<0.0> : tensor<3x4xf32>
  %c0 = arith.constant 0 : i64
  %c2 = arith.constant 2 : i64
  %w = arith.constant dense<"0x000080BF000000000000A04000001041000010C10000E0C00000C040000010410000A0C0000080C00000E040000080BF000080C00000C0400000A0C0000000C0000040400000803F000000C1000010C10000E0400000A0400000C0400000803F0000C040000040C0000080BF0000A0400000E0C0000080C00000E0C0000080BF000010410000E0C0000000C0000000C0000000410000C0C0000000000000A0C0000010C10000A040000000C1000080C000000000000000000000E0C0000010410000A04000001041000000C100008040000080C00000803F00000041000080C0000080400000C0C0000040C000001041000080BF00000000000080C00000E0C0"> : tensor<2x8x4xf32>
  %o = tensor.empty() : tensor<1x8x4xf32>
  // CHECK: %[[AT:.*]] = tensor.extract %[[I]]
  // CHECK: %[[LESS:.*]] = arith.cmpi slt, %[[AT]]
  // CHECK: %[[ADDED:.*]] = arith.addi %[[AT]]
  // CHECK: %[[CHOSEN:.*]] = arith.select %[[LESS]], %[[ADDED]], %[[AT]]
  // CHECK: %[[E:.*]] = arith.index_cast %[[CHOSEN]]
  // CHECK-NOT: linalg.generic
  // CHECK: tensor.extract_slice %{{.*}}[%[[E]], 0, 0] [1, 8, 4] {{.*}} tensor<2x8x4xi8> to tensor<8x4xi8>
  // CHECK: quant.matmul
  %g = linalg.generic {indexing_maps = [#first, #all], iterator_types = ["parallel", "parallel", "parallel"]} ins(%i : tensor<1xi64>) outs(%o : tensor<1x8x4xf32>) {
  ^bb0(%in: i64, %out: f32):
    %less = arith.cmpi slt, %in, %c0 : i64
    %added = arith.addi %in, %c2 : i64
    %chosen = arith.select %less, %added, %in : i64
    %e = arith.index_cast %chosen : i64 to index
    %k = linalg.index 1 : index
    %n = linalg.index 2 : index
    %v = tensor.extract %w[%e, %k, %n] : tensor<2x8x4xf32>
    linalg.yield %v : f32
  } -> tensor<1x8x4xf32>
  %c = tensor.collapse_shape %g [[0, 1], [2]] : tensor<1x8x4xf32> into tensor<8x4xf32>
  %y = linalg.matmul ins(%x, %c : tensor<3x8xf32>, tensor<8x4xf32>) outs(%zero : tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// -----

// The choice from a transposed constant, and a transposed choice: the constant
// is used as it is stored.
// CHECK-LABEL: @transposed(
func.func @transposed(%x: tensor<3x8xf32>, %e: index) -> (tensor<3x4xf32>, tensor<3x4xf32>) {
  %zero = arith.constant dense<0.0> : tensor<3x4xf32>
  // CHECK: arith.constant dense<{{.*}}> : tensor<2x4x8xi8>
  // CHECK-NOT: linalg.transpose
  %w = arith.constant dense<"0x000080BF000000000000A04000001041000010C10000E0C00000C040000010410000A0C0000080C00000E040000080BF000080C00000C0400000A0C0000000C0000040400000803F000000C1000010C10000E0400000A0400000C0400000803F0000C040000040C0000080BF0000A0400000E0C0000080C00000E0C0000080BF000010410000E0C0000000C0000000C0000000410000C0C0000000000000A0C0000010C10000A040000000C1000080C000000000000000000000E0C0000010410000A04000001041000000C100008040000080C00000803F00000041000080C0000080400000C0C0000040C000001041000080BF00000000000080C00000E0C0"> : tensor<2x4x8xf32>
  %o = tensor.empty() : tensor<2x8x4xf32>
  %t = linalg.transpose ins(%w : tensor<2x4x8xf32>) outs(%o : tensor<2x8x4xf32>) permutation = [0, 2, 1]
  %c = tensor.extract_slice %t[%e, 0, 0] [1, 8, 4] [1, 1, 1] : tensor<2x8x4xf32> to tensor<8x4xf32>
  %d = tensor.extract_slice %w[%e, 0, 0] [1, 4, 8] [1, 1, 1] : tensor<2x4x8xf32> to tensor<4x8xf32>
  %p = tensor.empty() : tensor<8x4xf32>
  %u = linalg.transpose ins(%d : tensor<4x8xf32>) outs(%p : tensor<8x4xf32>) permutation = [1, 0]
  // CHECK-COUNT-2: quant.matmul {{.*}} tensor<4x8xi8>) {{.*}} {transpose_rhs}
  %y = linalg.matmul ins(%x, %c : tensor<3x8xf32>, tensor<8x4xf32>) outs(%zero : tensor<3x4xf32>) -> tensor<3x4xf32>
  %z = linalg.matmul ins(%x, %u : tensor<3x8xf32>, tensor<8x4xf32>) outs(%zero : tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y, %z : tensor<3x4xf32>, tensor<3x4xf32>
}

// -----

// Integers that the program gives: the choice comes before the dequantize, and
// has the scales and zero points of the expert alone.
// CHECK-LABEL: @dequantized(
// CHECK-SAME: %[[E:[^:]*]]: index
func.func @dequantized(%x: tensor<3x8xf32>, %e: index) -> tensor<3x4xf32> {
  %zero = arith.constant dense<0.0> : tensor<3x4xf32>
  %w = arith.constant dense<"0xFF02FF05FD020508FFF7040107FFFDF8FF030507FB0206FBFD06020003000905F8F90106F803050507FA0106FDFA00F8FB0703070607FCFF02FC08F70603FB04"> : tensor<2x8x4xi8>
  %s = arith.constant dense<[[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]]> : tensor<2x4xf32>
  %z = arith.constant dense<[[1, 2, 3, 4], [5, 6, 7, 8]]> : tensor<2x4xi32>
  // CHECK-NOT: quant.dequantize
  // CHECK-DAG: %[[SC:.*]] = tensor.extract_slice %{{.*}}[%[[E]], 0] [1, 4] {{.*}} tensor<2x4xf32> to tensor<4xf32>
  // CHECK-DAG: %[[ZC:.*]] = tensor.extract_slice %{{.*}}[%[[E]], 0] [1, 4] {{.*}} tensor<2x4xi32> to tensor<4xi32>
  // CHECK-DAG: %[[C:.*]] = tensor.extract_slice %{{.*}}[%[[E]], 0, 0] [1, 8, 4] {{.*}} tensor<2x8x4xi8> to tensor<8x4xi8>
  // CHECK: quant.matmul ins(%{{.*}}, %[[C]] : {{.*}}) rhs_zero_point(%[[ZC]] : tensor<4xi32>)
  // CHECK: quant.rescale {{.*}} channel_scale(%[[SC]] : tensor<4xf32>)
  %d = quant.dequantize %w scale(%s : tensor<2x4xf32>) zero_point(%z : tensor<2x4xi32>) axes = [0, 2] : tensor<2x8x4xi8> -> tensor<2x8x4xf32>
  %c = tensor.extract_slice %d[%e, 0, 0] [1, 8, 4] [1, 1, 1] : tensor<2x8x4xf32> to tensor<8x4xf32>
  %y = linalg.matmul ins(%x, %c : tensor<3x8xf32>, tensor<8x4xf32>) outs(%zero : tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// -----

// The same in groups, which are merged before the choice.
// CHECK-LABEL: @dequantized_groups(
// CHECK-SAME: %[[E:[^:]*]]: index
func.func @dequantized_groups(%x: tensor<3x8xf32>, %e: index) -> tensor<3x4xf32> {
  %zero = arith.constant dense<0.0> : tensor<3x4xf32>
  %w = arith.constant dense<"0xFF02FF05FD020508FFF7040107FFFDF8FF030507FB0206FBFD06020003000905F8F90106F803050507FA0106FDFA00F8FB0703070607FCFF02FC08F70603FB04"> : tensor<2x2x4x4xi8>
  %s = arith.constant dense<"0x0000803F0000004000004040000080400000A0400000C0400000E040000000410000104100002041000030410000404100005041000060410000704100008041"> : tensor<2x2x4xf32>
  // CHECK-NOT: quant.dequantize
  // CHECK-NOT: linalg.transpose
  // CHECK: %[[C:.*]] = tensor.extract_slice %{{.*}}[%[[E]], 0, 0] [1, 4, 8] {{.*}} tensor<2x4x8xi8> to tensor<4x8xi8>
  // CHECK: %[[S:.*]] = tensor.extract_slice %{{.*}}[%[[E]], 0, 0] [1, 4, 2] {{.*}} tensor<2x4x2xf32> to tensor<4x2xf32>
  // CHECK: quant.scaled_matmul ins(%{{.*}}, %[[C]] : {{.*}}) {{.*}} rhs_scale(%[[S]] : tensor<4x2xf32>) {group_size = 4
  %d = quant.dequantize %w scale(%s : tensor<2x2x4xf32>) axes = [0, 1, 3] : tensor<2x2x4x4xi8> -> tensor<2x2x4x4xf32>
  %m = tensor.collapse_shape %d [[0], [1, 2], [3]] : tensor<2x2x4x4xf32> into tensor<2x8x4xf32>
  %c = tensor.extract_slice %m[%e, 0, 0] [1, 8, 4] [1, 1, 1] : tensor<2x8x4xf32> to tensor<8x4xf32>
  %y = linalg.matmul ins(%x, %c : tensor<3x8xf32>, tensor<8x4xf32>) outs(%zero : tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// -----

// Part of an expert, chosen at run time as well: no weight that is whole, and
// taken as any run-time value is.
// CHECK-LABEL: @part(
func.func @part(%x: tensor<3x8xf32>, %e: index, %n: index) -> tensor<3x2xf32> {
  %zero = arith.constant dense<0.0> : tensor<3x2xf32>
  %w = arith.constant dense<"0x000080BF000000000000A04000001041000010C10000E0C00000C040000010410000A0C0000080C00000E040000080BF000080C00000C0400000A0C0000000C0000040400000803F000000C1000010C10000E0400000A0400000C0400000803F0000C040000040C0000080BF0000A0400000E0C0000080C00000E0C0000080BF000010410000E0C0000000C0000000C0000000410000C0C0000000000000A0C0000010C10000A040000000C1000080C000000000000000000000E0C0000010410000A04000001041000000C100008040000080C00000803F00000041000080C0000080400000C0C0000040C000001041000080BF00000000000080C00000E0C0"> : tensor<2x8x4xf32>
  %c = tensor.extract_slice %w[%e, 0, %n] [1, 8, 2] [1, 1, 1] : tensor<2x8x4xf32> to tensor<8x2xf32>
  // CHECK: quant.choose_qparams %{{.*}} : tensor<8x2xf32>
  %y = linalg.matmul ins(%x, %c : tensor<3x8xf32>, tensor<8x2xf32>) outs(%zero : tensor<3x2xf32>) -> tensor<3x2xf32>
  return %y : tensor<3x2xf32>
}

// -----

#token = affine_map<(d0, d1, d2) -> (d0)>
#each = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
// A weight for each row: a loop over the rows.
// CHECK-LABEL: @chosen_by_token(
// CHECK-SAME: %{{.*}}, %[[I:.*]]: tensor<5xi64>)
func.func @chosen_by_token(%x: tensor<5x1x8xf32>, %i: tensor<5xi64>) -> tensor<5x1x4xf32> {
  %zero = arith.constant dense<0.0> : tensor<5x1x4xf32>
  %w = arith.constant dense<"0x000080BF000000000000A04000001041000010C10000E0C00000C040000010410000A0C0000080C00000E040000080BF000080C00000C0400000A0C0000000C0000040400000803F000000C1000010C10000E0400000A0400000C0400000803F0000C040000040C0000080BF0000A0400000E0C0000080C00000E0C0000080BF000010410000E0C0000000C0000000C0000000410000C0C0000000000000A0C0000010C10000A040000000C1000080C000000000000000000000E0C0000010410000A04000001041000000C100008040000080C00000803F00000041000080C0000080400000C0C0000040C000001041000080BF00000000000080C00000E0C0"> : tensor<2x8x4xf32>
  %o = tensor.empty() : tensor<5x8x4xf32>
  // CHECK-DAG: %[[ALL:.*]] = arith.constant {{.*}} : tensor<2x8x4xi8>
  // CHECK-DAG: %[[SCALES:.*]] = arith.constant {{.*}} : tensor<2x4xf32>
  // CHECK: scf.for %[[T:.*]] = %{{.*}} to %c5
  // CHECK-DAG: %[[ONE:.*]] = tensor.extract_slice %[[I]][%[[T]]] [1] [1]
  // CHECK-DAG: tensor.extract %[[ONE]]
  // CHECK-DAG: %[[W:.*]] = tensor.extract_slice %[[ALL]][%{{.*}}, 0, 0] [1, 8, 4] {{.*}} to tensor<8x4xi8>
  // CHECK-DAG: %[[S:.*]] = tensor.extract_slice %[[SCALES]]
  // CHECK: quant.matmul ins(%{{.*}}, %[[W]] : tensor<1x8xi8>, tensor<8x4xi8>)
  // CHECK: quant.rescale {{.*}} channel_scale(%[[S]] : tensor<4xf32>) : tensor<1x4xi32>
  %g = linalg.generic {indexing_maps = [#token, #each], iterator_types = ["parallel", "parallel", "parallel"]} ins(%i : tensor<5xi64>) outs(%o : tensor<5x8x4xf32>) {
  ^bb0(%in: i64, %out: f32):
    %e = arith.index_cast %in : i64 to index
    %k = linalg.index 1 : index
    %n = linalg.index 2 : index
    %v = tensor.extract %w[%e, %k, %n] : tensor<2x8x4xf32>
    linalg.yield %v : f32
  } -> tensor<5x8x4xf32>
  %y = linalg.batch_matmul ins(%x, %g : tensor<5x1x8xf32>, tensor<5x8x4xf32>) outs(%zero : tensor<5x1x4xf32>) -> tensor<5x1x4xf32>
  return %y : tensor<5x1x4xf32>
}
